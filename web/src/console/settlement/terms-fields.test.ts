import { expect, test } from 'vitest';
import { fromTerms, toBasisPoints, toTerms } from './terms-fields';
import type { components } from '@/api/schema';

type Terms = components['schemas']['Terms'];

const TERMS: Terms[] = [
  {
    cycle: { kind: 't_plus', days: 1 },
    fees: { basis_points: 60, fixed: 1 },
    fee_rounding: 'per_operation',
    refunds_return_fee: true,
    negative: 'carry',
    splits: {
      base: 'gross',
      receivers: [
        { merchant: 'mer_0000000000001', share: { kind: 'percent', basis_points: 2000 } },
        { merchant: 'mer_0000000000002', share: { kind: 'fixed', amount: 50 } },
      ],
      rest: 'mer_0000000000003',
    },
  },
  {
    cycle: { kind: 'weekly', weekday: 'friday', plus: 2 },
    cut_off: '22:30',
    fees: {
      tiers: [
        { from: 0, basis_points: 60 },
        { from: 1_000_000, basis_points: 38 },
      ],
      cap: 2000,
    },
    fee_rounding: 'per_statement',
    refunds_return_fee: false,
    minimum_payout: 10_000,
    negative: 'invoice',
  },
  {
    cycle: { kind: 'monthly', day: 'last', plus: 0 } as Terms['cycle'],
    fees: {},
    fee_rounding: 'per_operation',
    refunds_return_fee: false,
    negative: 'carry',
  },
];

test.each(TERMS)('terms go through the form unchanged: %j', (terms) => {
  expect(toTerms(fromTerms(terms))).toEqual(terms);
});

test('a rate that no binary fraction is exact for keeps its basis points', () => {
  for (let points = 0; points <= 10_000; points += 1)
    expect(toBasisPoints(points / 100)).toBe(points);
});
