// The liability lines with, below those of each currency, their sum.
import type { components } from '@/api/schema';

type Line = components['schemas']['LiabilityLine'];

/** `bonus` is a part of what was issued and loaded; all others take the opening to the closing. */
export const MOVEMENTS = [
  'issued',
  'loaded',
  'bonus',
  'redeemed',
  'refunded',
  'transferred',
  'expired',
  'reactivated',
  'breakage',
  'paid_out',
  'forfeited',
  'adjusted',
  'other',
] as const;
const FIGURES = ['opening', 'closing', 'difference', ...MOVEMENTS] as const;

export type Figure = (typeof FIGURES)[number];
type Figures = Record<Figure, number>;
/** A line, or the sum of those of a currency. */
export type Row = Figures & { currency: Line['currency']; line?: Line };

export function withTotals(items: Line[]): Row[] {
  return [...new Set(items.map((line) => line.currency))].flatMap((currency) => {
    const lines = items.filter((line) => line.currency === currency);
    const sum = (name: Figure) => lines.reduce((all, line) => all + line[name], 0);
    const sums = Object.fromEntries(FIGURES.map((name) => [name, sum(name)])) as Figures;
    return [...lines.map((line) => ({ ...line, line })), { ...sums, currency }];
  });
}
