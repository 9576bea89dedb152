// The filters of the explorer: kept in the address, sent to the server. A day is the issuer's.
import { client, unwrap } from '@/api/client';
import type { components, paths } from '@/api/schema';
import { addDays, startOfDay } from '@/shared/time';

export type Operation = components['schemas']['Operation'];
type Query = NonNullable<paths['/v1/operations']['get']['parameters']['query']>;

export const FILTERS = [
  'kind',
  'status',
  'merchant',
  'store',
  'terminal',
  'client',
  'card',
  'from',
  'to',
] as const;
export type FilterName = (typeof FILTERS)[number];
export type OperationFilters = Partial<Record<FilterName, string>>;

/** From the first moment of `from` to the last of `to`, in the issuer's zone. */
export function queryOf(filters: OperationFilters, timeZone: string): Query {
  const { from, to, ...rest } = filters;
  return {
    ...rest,
    ...(from ? { from: startOfDay(from, timeZone) } : {}),
    ...(to ? { to: startOfDay(addDays(to, 1), timeZone) } : {}),
  } as Query;
}

export function readPage(query: Query, signal: AbortSignal) {
  return unwrap(client.GET('/v1/operations', { params: { query }, signal }));
}

/** Only the filters that exist, in their order: the text of a saved view. */
export function filterText(filters: OperationFilters): string {
  const params = new URLSearchParams();
  for (const name of FILTERS) if (filters[name]) params.set(name, filters[name]);
  return params.toString();
}

export function filtersOf(text: string): OperationFilters {
  const params = new URLSearchParams(text);
  const found: OperationFilters = {};
  for (const name of FILTERS) {
    const value = params.get(name);
    if (value) found[name] = value;
  }
  return found;
}
