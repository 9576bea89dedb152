// The server's figures in the shape in which they are drawn: by currency, today beside yesterday.
import type { DashboardAnswer, DashboardHour, DashboardTotal } from '@/api/pending';
import { currencyExponent } from '@/shared/money';
import { formatHour } from '@/shared/time';

export interface Sums {
  sales: number;
  count: number;
  refunds: number;
  refundCount: number;
}

export interface Hour {
  /** "09:00" in the issuer's zone. */
  label: string;
  /** null: not yet come. */
  today: number | null;
  yesterday: number | null;
}

export interface CurrencyFigures {
  currency: string;
  exponent: number;
  today: Sums;
  /** Yesterday up to the same time of day. */
  yesterdaySoFar: Sums;
  hours: Hour[];
  liability?: number;
}

export interface Due {
  status: string;
  currency: string;
  amount: number;
  count: number;
}

export interface Dashboard {
  at: string;
  /** False while the server still counts after its start. */
  complete: boolean;
  /** False where there are too many merchants to count each. */
  counted: boolean;
  currencies: CurrencyFigures[];
  declined: { code: string; count: number }[];
  due?: Due[];
  nextDue?: string;
  approvalsPending?: number;
  latency?: { p50: number; p99: number };
}

const NOTHING: Sums = { sales: 0, count: 0, refunds: 0, refundCount: 0 };

/** How much more than before, as a fraction; undefined where there is nothing to compare with. */
export function change(now: number, before: number): number | undefined {
  return before > 0 ? (now - before) / before : undefined;
}

/** Sales less those that were turned round: what remains sold. */
function sumsOf(all: DashboardTotal[] | undefined, currency: string): Sums {
  const found = all?.find((entry) => entry.currency === currency);
  if (!found) return NOTHING;
  return {
    sales: found.sales - found.reversed,
    count: found.count - found.reversed_count,
    refunds: found.refunds,
    refundCount: found.refund_count,
  };
}

/** Both days by the clock on the wall: on the day when clocks change one of them has an hour more or less. */
function hoursOf(
  today: DashboardHour[],
  yesterday: DashboardHour[],
  currency: string,
  timeZone: string,
): Hour[] {
  const byLabel = (hours: DashboardHour[]) => {
    const sums = new Map<string, number>();
    for (const hour of hours) {
      const label = formatHour(hour.starts_at, timeZone);
      sums.set(label, (sums.get(label) ?? 0) + sumsOf(hour.totals, currency).sales);
    }
    return sums;
  };
  const [now, before] = [byLabel(today), byLabel(yesterday)];
  return [...new Set([...before.keys(), ...now.keys()])].sort().map((label) => ({
    label,
    today: now.get(label) ?? null,
    yesterday: before.get(label) ?? null,
  }));
}

export function readDashboard(wire: DashboardAnswer): Dashboard {
  const { today, yesterday, yesterday_by_now: soFar, liability, settlement, latency } = wire;
  const named: { currency: string }[][] = [
    today?.totals ?? [],
    yesterday?.totals ?? [],
    soFar?.totals ?? [],
    liability ?? [],
  ];
  const currencies = [...new Set(named.flat().map((entry) => entry.currency))];
  return {
    at: wire.at,
    complete: wire.complete,
    counted: today !== undefined,
    currencies: currencies.map((currency) => ({
      currency,
      exponent: currencyExponent(currency),
      today: sumsOf(today?.totals, currency),
      yesterdaySoFar: sumsOf(soFar?.totals, currency),
      hours: hoursOf(today?.by_hour ?? [], yesterday?.by_hour ?? [], currency, wire.time_zone),
      liability: liability?.find((entry) => entry.currency === currency)?.amount,
    })),
    declined: today?.declined ?? [],
    due: settlement?.payouts,
    nextDue: settlement?.next_due_on,
    approvalsPending: wire.approvals_pending,
    latency: latency && { p50: latency.p50_us, p99: latency.p99_us },
  };
}
