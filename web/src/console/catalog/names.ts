// Things of the catalog by name: lists carry ids, people know names. A bounded number of pages is kept; what lies
// beyond them is read by itself when it is shown.
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { client, unwrap } from '@/api/client';
import { useCan } from '@/shared/session';

const PAGE = 200;
const MOST = 1000;
const FRESH_MS = 60_000;

export interface Listed {
  id: string;
  name: string;
  status: 'active' | 'closed';
  /** The merchant of a store, the store of a terminal. */
  parent?: string;
}
type Page = { items: Listed[]; next_cursor?: string | null };
type Query = { params: { query: { limit: number; cursor?: string } }; signal: AbortSignal };

const lists = {
  merchants: (query: Query): Promise<Page> => unwrap(client.GET('/v1/merchants', query)),
  programs: (query: Query): Promise<Page> => unwrap(client.GET('/v1/programs', query)),
  clients: (query: Query): Promise<Page> => unwrap(client.GET('/v1/clients', query)),
  stores: async (query: Query): Promise<Page> => {
    const page = await unwrap(client.GET('/v1/stores', query));
    return { ...page, items: page.items.map((store) => ({ ...store, parent: store.merchant })) };
  },
  terminals: async (query: Query): Promise<Page> => {
    const page = await unwrap(client.GET('/v1/terminals', query));
    return {
      ...page,
      items: page.items.map((terminal) => ({ ...terminal, parent: terminal.store })),
    };
  },
};
export type CatalogKind = keyof typeof lists;

const one: Record<CatalogKind, (id: string) => Promise<{ name: string }>> = {
  merchants: (id: string) => unwrap(client.GET('/v1/merchants/{id}', { params: { path: { id } } })),
  programs: (id: string) => unwrap(client.GET('/v1/programs/{id}', { params: { path: { id } } })),
  clients: (id: string) => unwrap(client.GET('/v1/clients/{id}', { params: { path: { id } } })),
  stores: (id: string) => unwrap(client.GET('/v1/stores/{id}', { params: { path: { id } } })),
  terminals: (id: string) => unwrap(client.GET('/v1/terminals/{id}', { params: { path: { id } } })),
};

async function readAll(kind: CatalogKind, signal: AbortSignal): Promise<Listed[]> {
  const found: Listed[] = [];
  let cursor: string | undefined;
  do {
    const page = await lists[kind]({ params: { query: { limit: PAGE, cursor } }, signal });
    found.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor && found.length < MOST);
  return found;
}

/** Whether the person may read things of this kind. */
export function useReadable(kind: CatalogKind): boolean {
  const catalog = useCan('catalog_read');
  const clients = useCan('clients', 'platform');
  return kind === 'clients' ? clients : catalog;
}

export function useCatalog(kind: CatalogKind) {
  const enabled = useReadable(kind);
  return useQuery({
    queryKey: ['catalog-names', kind],
    queryFn: ({ signal }) => readAll(kind, signal),
    staleTime: FRESH_MS,
    enabled,
  });
}

/** `names(id)`: the name, where it is known. */
export function useNames(kind: CatalogKind): (id: string) => string | undefined {
  const { data } = useCatalog(kind);
  const byId = useMemo(() => new Map(data?.map(({ id, name }) => [id, name])), [data]);
  return useCallback((id: string) => byId.get(id), [byId]);
}

/** The name of one thing, read by itself if it is not among the kept pages. */
export function useName(kind: CatalogKind, id: string): string | undefined {
  const all = useCatalog(kind);
  const listed = all.data?.find((entry) => entry.id === id);
  const beyond = useQuery({
    queryKey: ['catalog-name', kind, id],
    queryFn: () => one[kind](id),
    staleTime: FRESH_MS,
    retry: false,
    enabled: all.data !== undefined && !listed,
  });
  return listed?.name ?? beyond.data?.name;
}
