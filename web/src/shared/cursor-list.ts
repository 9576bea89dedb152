// Pages of a list by cursor. The server gives only the way forward; the way back is remembered here.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';

export interface CursorPage<T> {
  items: T[];
  next_cursor?: string | null;
}

export interface CursorRequest {
  limit: number;
  cursor?: string;
  signal: AbortSignal;
}

export interface CursorList<T> {
  items: T[] | undefined;
  /** When the page was read, in milliseconds. */
  at: number;
  error: unknown;
  isFetching: boolean;
  refetch: () => void;
  page: number;
  limit: number;
  hasNext: boolean;
  next: () => void;
  previous: () => void;
  setLimit: (limit: number) => void;
}

export const PAGE_SIZES = [25, 50, 100, 200];

/**
 * `key` names the list and its filters, e.g. `['programs', filters]`; another key begins at the first page.
 * `fetchPage` asks for one page.
 */
export function useCursorList<T>(
  key: readonly unknown[],
  fetchPage: (request: CursorRequest) => Promise<CursorPage<T>>,
  options: { limit?: number; refetchInterval?: number } = {},
): CursorList<T> {
  const identity = JSON.stringify(key);
  const [limit, setLimit] = useState(options.limit ?? 50);
  const [place, setPlace] = useState<{ identity: string; cursors: string[] }>({
    identity,
    cursors: [],
  });
  const cursors = place.identity === identity ? place.cursors : [];
  const cursor = cursors.at(-1);
  const move = (to: string[]) => setPlace({ identity, cursors: to });

  const query = useQuery({
    queryKey: [...key, 'page', limit, cursor ?? null],
    queryFn: ({ signal }) => fetchPage({ limit, cursor, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: options.refetchInterval,
  });
  const next = query.data?.next_cursor;
  return {
    items: query.data?.items,
    at: query.dataUpdatedAt,
    error: query.error,
    isFetching: query.isFetching,
    refetch: () => void query.refetch(),
    page: cursors.length + 1,
    limit,
    hasNext: Boolean(next) && !query.isPlaceholderData,
    next: () => next && move([...cursors, next]),
    previous: () => move(cursors.slice(0, -1)),
    setLimit: (size) => {
      setLimit(size);
      move([]);
    },
  };
}
