// What rules mean, in plain words: each sentence is a key of the texts with what to fill in. Pure, so that tests
// can read every sentence in both languages.
import type { Rules } from './rules';

export interface Sentence {
  key: string;
  values: Record<string, string | number>;
  /** Whether it lets the holder do something, forbids it, or only says how things are. */
  kind: 'can' | 'cannot' | 'note';
}

/** How amounts, days and lists are written for the reader. */
export interface Writing {
  money: (minor: number) => string;
  lastDay: (moment: string) => string;
  either: (items: string[]) => string;
  all: (items: string[]) => string;
  name: (kind: 'merchants' | 'stores', id: string) => string;
  duration: (seconds: number) => string;
}

/** Names beyond these are counted. */
const NAMED = 5;

const can = (key: string, values: Sentence['values'] = {}): Sentence => ({
  key,
  values,
  kind: 'can',
});
const cannot = (key: string, values: Sentence['values'] = {}): Sentence => ({
  key,
  values,
  kind: 'cannot',
});
const note = (key: string, values: Sentence['values'] = {}): Sentence => ({
  key,
  values,
  kind: 'note',
});
const either = (allowed: boolean | undefined, name: string) =>
  allowed ? can(name) : cannot(`not_${name}`);

function bought(rules: Rules, write: Writing): Sentence {
  const { denominations } = rules;
  if (denominations.kind === 'fixed') {
    const amounts = denominations.amounts.toSorted((a, b) => a - b).map(write.money);
    return can('bought_fixed', { amounts: write.either(amounts) });
  }
  const { min, max } = denominations;
  if (min === max) return can('bought_fixed', { amounts: write.money(max) });
  if (min <= 1) return can('bought_up_to', { max: write.money(max) });
  return can('bought_between', { min: write.money(min), max: write.money(max) });
}

function valid({ validity }: Rules, write: Writing): Sentence {
  switch (validity.kind) {
    case 'unlimited':
      return can('valid_unlimited');
    case 'until':
      return note('valid_until', { day: write.lastDay(validity.at) });
    case 'days':
      return note('valid_days', { count: validity.days });
    case 'months':
      return validity.months % 12 === 0
        ? note('valid_years', { count: validity.months / 12 })
        : note('valid_months', { count: validity.months });
  }
}

function accepted({ acceptance }: Rules, write: Writing): Sentence[] {
  const sentences: Sentence[] = [];
  for (const kind of ['merchants', 'stores'] as const) {
    const ids = acceptance?.[kind];
    if (!ids) continue;
    const names = ids.slice(0, NAMED).map((id) => write.name(kind, id));
    const key = ids.length > NAMED ? `accepted_${kind}_more` : `accepted_${kind}`;
    sentences.push(can(key, { names: write.all(names), count: ids.length }));
  }
  if (acceptance?.channels) {
    sentences.push(can('accepted_channels', { names: write.all(acceptance.channels) }));
  }
  return sentences.length > 0 ? sentences : [can('accepted_everywhere')];
}

function limits(rules: Rules, write: Writing): Sentence[] {
  const sentences: Sentence[] = [];
  const {
    redemption_min: min,
    redemption_max: max,
    daily_count,
    daily_amount,
    balance_cap,
  } = rules;
  if (min != null && max != null) {
    sentences.push(note('pays_between', { min: write.money(min), max: write.money(max) }));
  } else if (min != null) sentences.push(note('pays_from', { min: write.money(min) }));
  else if (max != null) sentences.push(note('pays_up_to', { max: write.money(max) }));
  if (daily_count != null) sentences.push(note('daily_count', { count: daily_count }));
  if (daily_amount != null)
    sentences.push(note('daily_amount', { amount: write.money(daily_amount) }));
  if (balance_cap != null)
    sentences.push(note('balance_cap', { amount: write.money(balance_cap) }));
  return sentences;
}

function pin(rules: Rules, write: Writing): Sentence[] {
  const rule = rules.pin ?? { kind: 'never' };
  const asked =
    rule.kind === 'above'
      ? note('pin_above', { amount: write.money(rule.amount) })
      : rule.kind === 'never'
        ? can('pin_never')
        : note(`pin_${rule.kind}`);
  return rules.pin_issued && rule.kind === 'never' ? [asked, note('pin_issued')] : [asked];
}

function residual(rules: Rules): Sentence[] {
  if (rules.validity.kind === 'unlimited') return [];
  const policy = rules.residual ?? 'keep_claimable';
  if (policy === 'breakage') return [cannot('residual_breakage')];
  const sentences = [can(`residual_${policy}`)];
  const months = rules.reactivation_months;
  if (months != null && policy !== 'exchange')
    sentences.push(note('reactivated_for', { count: months }));
  return sentences;
}

function refunds(rules: Rules): Sentence {
  return rules.refund_days == null
    ? can('refund_always')
    : note('refund_days', { count: rules.refund_days });
}

/** What somebody who buys the card may do with it, and may not. */
export function forBuyer(rules: Rules, write: Writing): Sentence[] {
  return [
    bought(rules, write),
    valid(rules, write),
    ...accepted(rules, write),
    ...limits(rules, write),
    ...pin(rules, write),
    ...(rules.member_required ? [note('member_required')] : []),
    either(rules.reloadable, 'reloadable'),
    either(rules.transferable, 'transferable'),
    either(rules.cash_out, 'cash_out'),
    refunds(rules),
    rules.registered ? can('registered') : cannot('anonymous'),
    ...residual(rules),
  ];
}

/** What the people at the till and in the back office should know. */
export function forStaff(rules: Rules, write: Writing): Sentence[] {
  return [
    note(`lot_order_${rules.lot_order ?? 'pro_rata'}`),
    note('hold', { time: write.duration(rules.hold_seconds ?? 900) }),
    note('reversal', { time: write.duration(rules.reversal_seconds ?? 86_400) }),
  ];
}
