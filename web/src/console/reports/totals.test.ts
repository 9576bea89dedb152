import { expect, it } from 'vitest';
import type { components } from '@/api/schema';
import { MOVEMENTS, withTotals } from './totals';

type Line = components['schemas']['LiabilityLine'];

function line(currency: string, figures: Partial<Line>): Line {
  const none = Object.fromEntries(MOVEMENTS.map((name) => [name, 0]));
  return { ...none, opening: 0, closing: 0, difference: 0, currency, ...figures } as Line;
}

it('adds up each currency by itself, to the cent', () => {
  const rows = withTotals([
    line('CNY', { opening: 100, issued: 2_001, redeemed: -1, closing: 2_100 }),
    line('JPY', { opening: 7, closing: 7 }),
    line('CNY', { opening: 50, expired: -50, difference: 3 }),
  ]);
  expect(rows.map((row) => [row.currency, row.line !== undefined])).toEqual([
    ['CNY', true],
    ['CNY', true],
    ['CNY', false],
    ['JPY', true],
    ['JPY', false],
  ]);
  const sums = { opening: 150, issued: 2_001, redeemed: -1, expired: -50, closing: 2_100 };
  expect(rows[2]).toMatchObject({ ...sums, loaded: 0, difference: 3 });
  expect(rows[4]).toMatchObject({ opening: 7, closing: 7, issued: 0 });
});
