// The rules of a program between the form and the wire: what a new program starts with, and what is sent.
import type { components } from '@/api/schema';

export type Program = components['schemas']['Program'];
export type Rules = components['schemas']['Rules'];
export type Denominations = components['schemas']['Denominations'];
export type Validity = components['schemas']['Validity'];
export type PinRule = components['schemas']['PinRule'];

/** What the form holds: every choice beside each other, so that going back and forth loses nothing typed. */
export interface RulesDraft extends Omit<
  Rules,
  'denominations' | 'validity' | 'pin' | 'acceptance' | 'policy_pack'
> {
  denominations: {
    kind: Denominations['kind'];
    amounts?: (number | null | undefined)[];
    min?: number;
    max?: number;
  };
  validity: {
    kind: Validity['kind'];
    days?: number | null;
    months?: number | null;
    last_day?: string;
  };
  pin: { kind: PinRule['kind']; amount?: number };
  acceptance: { merchants?: string[]; stores?: string[]; channels?: string[] };
  policy_pack?: string | null;
}

export interface ProgramDraft {
  name?: string;
  currency: string;
  number_prefix?: string;
  number_length: number;
  rules: RulesDraft;
}

/** A plain gift card: free amounts, three years, no PIN. */
export function newDraft(currency: string, exponent: number): ProgramDraft {
  const unit = 10 ** exponent;
  return {
    currency,
    number_length: 16,
    rules: {
      denominations: { kind: 'free', min: 1 * unit, max: 1000 * unit, amounts: [100 * unit] },
      validity: { kind: 'months', months: 36, days: 365 },
      pin: { kind: 'never' },
      acceptance: {},
      reloadable: false,
      registered: false,
      pin_issued: false,
      member_required: false,
      lot_order: 'pro_rata',
      residual: 'keep_claimable',
      legal_class: 'single_enterprise',
      transferable: false,
      cash_out: false,
      hold_seconds: 900,
      reversal_seconds: 86_400,
    },
  };
}

interface Days {
  /** The last day before a moment, in the issuer's zone. */
  lastDayBefore: (moment: string) => string;
  /** The first moment after a day. */
  endOf: (day: string) => string;
}

export function draftOf(program: Program, days: Days): ProgramDraft {
  const { rules } = program;
  const { validity } = rules;
  return {
    name: program.name,
    currency: program.currency,
    number_prefix: program.number_prefix,
    number_length: program.number_length,
    rules: {
      ...rules,
      denominations: { ...rules.denominations },
      validity: {
        kind: validity.kind,
        days: validity.kind === 'days' ? validity.days : undefined,
        months: validity.kind === 'months' ? validity.months : undefined,
        last_day: validity.kind === 'until' ? days.lastDayBefore(validity.at) : undefined,
      },
      pin: rules.pin ? { ...rules.pin } : { kind: 'never' },
      acceptance: {
        merchants: rules.acceptance?.merchants ?? undefined,
        stores: rules.acceptance?.stores ?? undefined,
        channels: rules.acceptance?.channels ?? undefined,
      },
    },
  };
}

const filled = (list: string[] | undefined) => (list && list.length > 0 ? list : undefined);

function denominations(draft: RulesDraft['denominations']): Denominations | undefined {
  if (draft.kind === 'fixed') {
    const amounts = (draft.amounts ?? []).filter((amount) => amount != null);
    return amounts.length > 0 ? { kind: 'fixed', amounts } : undefined;
  }
  if (draft.max == null) return undefined;
  return { kind: 'free', min: draft.min ?? 0, max: draft.max };
}

function validity(draft: RulesDraft['validity'], days: Days): Validity | undefined {
  switch (draft.kind) {
    case 'unlimited':
      return { kind: 'unlimited' };
    case 'days':
      return draft.days ? { kind: 'days', days: draft.days } : undefined;
    case 'months':
      return draft.months ? { kind: 'months', months: draft.months } : undefined;
    case 'until':
      return draft.last_day ? { kind: 'until', at: days.endOf(draft.last_day) } : undefined;
  }
}

function pin(draft: RulesDraft['pin']): PinRule | undefined {
  if (draft.kind !== 'above') return { kind: draft.kind };
  return draft.amount == null ? undefined : { kind: 'above', amount: draft.amount };
}

/** Leaves out what is empty: to the server, absent means no limit, and null is refused. */
function withoutEmpty<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).filter(
      ([, entry]) => entry !== undefined && entry !== null && entry !== '',
    ),
  ) as T;
}

/** The rules to send; undefined while something that they cannot do without is missing. */
export function rulesOf(draft: RulesDraft, days: Days): Rules | undefined {
  const parts = {
    denominations: denominations(draft.denominations),
    validity: validity(draft.validity, days),
    pin: pin(draft.pin),
  };
  if (!parts.denominations || !parts.validity || !parts.pin) return undefined;
  const months = draft.residual === 'reactivate' || draft.residual === 'keep_claimable';
  return withoutEmpty({
    ...draft,
    denominations: parts.denominations,
    validity: parts.validity,
    pin: parts.pin,
    acceptance: withoutEmpty({
      merchants: filled(draft.acceptance.merchants),
      stores: filled(draft.acceptance.stores),
      channels: filled(draft.acceptance.channels),
    }),
    reactivation_months: months ? draft.reactivation_months : undefined,
    policy_pack: draft.policy_pack ?? undefined,
  });
}
