// The operations of a filter as a file: page after page, so that the server never builds a long answer, with an
// end, so that nobody fills his memory by one click.
import { currencyExponent, minorToDecimal } from '@/shared/money';
import { csvLines, type Row } from './csv';
import { queryOf, readPage, type Operation, type OperationFilters } from './query';

const PAGE = 200;
export const MOST_ROWS = 50_000;

export const HEAD = [
  'id',
  'at',
  'business_date',
  'kind',
  'status',
  'decline',
  'requested',
  'approved',
  'currency',
  'card',
  'last4',
  'balance_after',
  'to_card',
  'merchant',
  'store',
  'terminal',
  'channel',
  'client',
  'original',
  'reference',
  'reason',
] as const;

const exponents = new Map<string, number>();

function decimal(
  minor: number | undefined,
  currency: string | null | undefined,
): string | undefined {
  if (minor === undefined || !currency) return undefined;
  const exponent = exponents.get(currency) ?? currencyExponent(currency);
  exponents.set(currency, exponent);
  return minorToDecimal(minor, exponent);
}

export function rowOf(operation: Operation): Row {
  const { currency } = operation;
  return [
    operation.id,
    operation.at,
    operation.business_date,
    operation.kind,
    operation.status,
    operation.decline?.code,
    decimal(operation.requested, currency),
    decimal(operation.approved, currency),
    currency,
    operation.card?.id,
    operation.card?.last4,
    decimal(operation.card?.balance, currency),
    operation.to?.id,
    operation.merchant,
    operation.store,
    operation.terminal,
    operation.channel,
    operation.client,
    operation.original,
    operation.reference,
    operation.reason,
  ];
}

interface Collected {
  parts: string[];
  rows: number;
  /** Whether there was more than `MOST_ROWS`. */
  cut: boolean;
}

/** Reads all pages. `onProgress` hears how many rows are there; the signal stops it. */
export async function collect(
  filters: OperationFilters,
  timeZone: string,
  onProgress: (rows: number) => void,
  signal: AbortSignal,
): Promise<Collected> {
  const parts = [csvLines([HEAD])];
  let rows = 0;
  let cursor: string | undefined;
  do {
    const page = await readPage({ ...queryOf(filters, timeZone), limit: PAGE, cursor }, signal);
    parts.push(csvLines(page.items.map(rowOf)));
    rows += page.items.length;
    cursor = page.next_cursor ?? undefined;
    onProgress(rows);
  } while (cursor && rows < MOST_ROWS);
  return { parts, rows, cut: cursor !== undefined };
}
