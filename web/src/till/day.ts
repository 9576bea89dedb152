// The cashier's own day: added up from the operations that he asked for, up to a bound that is said.
import { get } from '@/handheld/http';
import { dayOf, startOfDay } from '@/shared/time';
import type { Operation } from './persist';
import type { Session } from './session';

export interface DayTotal {
  currency: string;
  sales: { count: number; amount: number };
  refunds: { count: number; amount: number };
  reversals: { count: number; amount: number };
}

export interface Day {
  totals: DayTotal[];
  declined: number;
  newest: Operation[];
  /** Whether there are more operations than were added up. */
  incomplete: boolean;
}

interface Page {
  items: Operation[];
  next_cursor?: string | null;
}

const PAGE = 200;
/** 4,000 operations: more than one till does in a day. */
const MAX_PAGES = 20;
const SHOWN = 30;

const KINDS = {
  redemption: 'sales',
  capture: 'sales',
  refund: 'refunds',
  reversal: 'reversals',
} as const;

/** Adds up what was approved, each currency for itself. */
export function totalsOf(operations: Operation[]): DayTotal[] {
  const totals = new Map<string, DayTotal>();
  for (const { kind, status, approved, currency } of operations) {
    const column = KINDS[kind as keyof typeof KINDS];
    if (!column || status !== 'approved' || !currency) continue;
    const none = () => ({ count: 0, amount: 0 });
    const total = totals.get(currency) ?? {
      currency,
      sales: none(),
      refunds: none(),
      reversals: none(),
    };
    total[column].count += 1;
    total[column].amount += approved;
    totals.set(currency, total);
  }
  return [...totals.values()].sort((a, b) => a.currency.localeCompare(b.currency));
}

/** A user acts under the client id that has the same 64 bits as the user id. */
const principalOf = (session: Session) => session.user.id.replace(/^[a-z]+_/, 'client_');

export async function readDay(session: Session, signal: AbortSignal): Promise<Day> {
  const zone = session.issuer?.time_zone ?? 'UTC';
  const from = startOfDay(dayOf(new Date(), zone), zone);
  const operations: Operation[] = [];
  let cursor: string | null | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = new URLSearchParams({ client: principalOf(session), from, limit: String(PAGE) });
    if (cursor) query.set('cursor', cursor);
    const { items, next_cursor } = await get<Page>(`/v1/operations?${query}`, signal);
    operations.push(...items);
    cursor = next_cursor;
    if (!cursor) break;
  }
  return {
    totals: totalsOf(operations),
    declined: operations.filter((operation) => operation.status === 'declined').length,
    newest: operations.slice(0, SHOWN),
    incomplete: Boolean(cursor),
  };
}
