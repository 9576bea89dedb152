// Between the terms on the wire and the flat fields of the form. Rates are basis points there, percent here.
import type { components } from '@/api/schema';

type Terms = components['schemas']['Terms'];

export interface TermsFields {
  cycle: 't_plus' | 'weekly' | 'monthly';
  days: number;
  weekday: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday';
  /** 29: the last day of the month. */
  month_day: number;
  cut_off?: string;
  percent?: number | null;
  fixed?: number;
  floor?: number;
  cap?: number;
  yearly?: number;
  tiers?: { from: number; percent: number }[];
  fee_rounding: 'per_operation' | 'per_statement';
  refunds_return_fee: boolean;
  minimum_payout?: number;
  negative: 'carry' | 'invoice';
  split_base: 'gross' | 'net';
  receivers?: { merchant: string; percent?: number | null; amount?: number }[];
  rest?: string;
}

const LAST = 29;

/** 0.6 % → 60; a hundredth of a percent is the smallest rate. */
export function toBasisPoints(percent: number): number {
  return Math.round(percent * 100);
}

function toCycle(f: TermsFields): Terms['cycle'] {
  if (f.cycle === 't_plus') return { kind: 't_plus', days: f.days };
  if (f.cycle === 'weekly') return { kind: 'weekly', weekday: f.weekday, plus: f.days };
  return {
    kind: 'monthly',
    day: f.month_day >= LAST ? 'last' : f.month_day,
    plus: f.days,
  } as Terms['cycle'];
}

function toFees(f: TermsFields): Terms['fees'] {
  const fees: NonNullable<Terms['fees']> = {};
  if (f.percent) fees.basis_points = toBasisPoints(f.percent);
  for (const name of ['fixed', 'floor', 'cap', 'yearly'] as const) {
    const amount = f[name];
    if (amount) fees[name] = amount;
  }
  if (f.tiers?.length) {
    fees.tiers = f.tiers.map(({ from, percent }) => ({
      from,
      basis_points: toBasisPoints(percent),
    }));
  }
  return fees;
}

function toSplits(f: TermsFields): Terms['splits'] {
  if (!f.receivers?.length) return undefined;
  return {
    base: f.split_base,
    receivers: f.receivers.map(({ merchant, percent, amount }) => ({
      merchant,
      share: percent
        ? { kind: 'percent', basis_points: toBasisPoints(percent) }
        : { kind: 'fixed', amount: amount ?? 0 },
    })),
    ...(f.rest ? { rest: f.rest } : {}),
  };
}

export function toTerms(f: TermsFields): Terms {
  const splits = toSplits(f);
  return {
    cycle: toCycle(f),
    ...(f.cut_off ? { cut_off: f.cut_off } : {}),
    fees: toFees(f),
    fee_rounding: f.fee_rounding,
    refunds_return_fee: f.refunds_return_fee,
    ...(f.minimum_payout ? { minimum_payout: f.minimum_payout } : {}),
    negative: f.negative,
    ...(splits ? { splits } : {}),
  };
}

const NOTHING_AGREED: Terms = { cycle: { kind: 't_plus', days: 1 } };

export function fromTerms(terms: Terms = NOTHING_AGREED): TermsFields {
  const { cycle, fees = {}, splits } = terms;
  return {
    cycle: cycle.kind,
    days: cycle.kind === 't_plus' ? cycle.days : (cycle.plus ?? 0),
    weekday: cycle.kind === 'weekly' ? cycle.weekday : 'monday',
    month_day: cycle.kind === 'monthly' && typeof cycle.day === 'number' ? cycle.day : LAST,
    cut_off: terms.cut_off,
    percent: fees.basis_points === undefined ? undefined : fees.basis_points / 100,
    fixed: fees.fixed,
    floor: fees.floor,
    cap: fees.cap,
    yearly: fees.yearly,
    tiers: fees.tiers?.map(({ from, basis_points }) => ({ from, percent: basis_points / 100 })),
    fee_rounding: terms.fee_rounding ?? 'per_operation',
    refunds_return_fee: terms.refunds_return_fee ?? false,
    minimum_payout: terms.minimum_payout,
    negative: terms.negative ?? 'carry',
    split_base: splits?.base ?? 'gross',
    receivers: splits?.receivers.map(({ merchant, share }) =>
      share.kind === 'percent'
        ? { merchant, percent: share.basis_points / 100 }
        : { merchant, amount: share.amount },
    ),
    rest: splits?.rest,
  };
}
