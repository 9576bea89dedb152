import { describe, expect, it } from 'vitest';
import type { DashboardAnswer, DashboardTotal } from '@/api/pending';
import { change, readDashboard } from './read';

const total = (sales: number, reversed = 0): DashboardTotal => ({
  currency: 'CNY',
  sales,
  count: 2,
  reversed,
  reversed_count: reversed ? 1 : 0,
  refunds: 30,
  refund_count: 1,
});

function answer(change: Partial<DashboardAnswer> = {}): DashboardAnswer {
  return { at: '2026-11-23T02:00:00Z', time_zone: 'Asia/Shanghai', complete: true, ...change };
}

describe('change', () => {
  it.each([
    [150, 100, 0.5],
    [50, 100, -0.5],
    [0, 100, -1],
    [100, 0, undefined],
    [0, 0, undefined],
  ])('of %d against %d is %s', (now, before, expected) => {
    expect(change(now, before)).toBe(expected);
  });
});

describe('the dashboard', () => {
  it('takes reversed sales off', () => {
    const read = readDashboard(
      answer({
        today: { date: '2026-11-23', totals: [total(1000, 200)], declined: [], by_hour: [] },
      }),
    );
    expect(read.currencies[0]?.today).toEqual({
      sales: 800,
      count: 1,
      refunds: 30,
      refundCount: 1,
    });
    expect(read.currencies[0]?.yesterdaySoFar.sales).toBe(0);
  });

  it('lays hours over each other by the clock of the issuer', () => {
    const hour = (starts_at: string, sales: number) => ({ starts_at, totals: [total(sales)] });
    const read = readDashboard(
      answer({
        today: {
          date: '2026-11-23',
          totals: [total(100)],
          declined: [],
          by_hour: [hour('2026-11-22T16:00:00Z', 100)],
        },
        yesterday: {
          date: '2026-11-22',
          totals: [total(300)],
          declined: [],
          by_hour: [hour('2026-11-21T16:00:00Z', 120), hour('2026-11-21T17:00:00Z', 180)],
        },
      }),
    );
    expect(read.currencies[0]?.hours).toEqual([
      { label: '00:00', today: 100, yesterday: 120 },
      { label: '01:00', today: null, yesterday: 180 },
    ]);
  });

  it('adds the hour that comes twice when clocks are put back', () => {
    const hour = (starts_at: string) => ({ starts_at, totals: [total(10)] });
    const read = readDashboard(
      answer({
        time_zone: 'Europe/Berlin',
        today: {
          date: '2026-10-25',
          totals: [total(20)],
          declined: [],
          by_hour: [hour('2026-10-25T00:00:00Z'), hour('2026-10-25T01:00:00Z')],
        },
      }),
    );
    expect(read.currencies[0]?.hours).toEqual([{ label: '02:00', today: 20, yesterday: null }]);
  });

  it('shows a currency in which only balances are left', () => {
    const read = readDashboard(answer({ liability: [{ currency: 'JPY', amount: 500 }] }));
    expect(read.counted).toBe(false);
    expect(
      read.currencies.map((entry) => [entry.currency, entry.exponent, entry.liability]),
    ).toEqual([['JPY', 0, 500]]);
  });
});
