import { expect, it } from 'vitest';
import { totalsOf } from './day';
import type { Operation } from './persist';

const did = (kind: string, approved: number, currency = 'CNY', status = 'approved') =>
  ({ kind, approved, currency, status }) as Operation;

it('adds a day up by currency, and only what was approved', () => {
  const day = [
    did('redemption', 3500),
    did('redemption', 100),
    did('redemption', 0, 'CNY', 'declined'),
    did('refund', 500),
    did('reversal', 100),
    did('activation', 10_000),
    did('redemption', 7, 'USD'),
    { kind: 'reversal', status: 'approved', approved: 0 } as Operation, // of something never stored
  ];
  expect(totalsOf(day)).toEqual([
    {
      currency: 'CNY',
      sales: { count: 2, amount: 3600 },
      refunds: { count: 1, amount: 500 },
      reversals: { count: 1, amount: 100 },
    },
    {
      currency: 'USD',
      sales: { count: 1, amount: 7 },
      refunds: { count: 0, amount: 0 },
      reversals: { count: 0, amount: 0 },
    },
  ]);
  expect(totalsOf([])).toEqual([]);
});
