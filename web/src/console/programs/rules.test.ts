// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { addDays, startOfDay } from '@/shared/time';
import { fieldOf, ruleKey } from './check';
import { formatDuration, largestUnit } from './duration';
import { draftOf, newDraft, rulesOf, type Program, type RulesDraft } from './rules';
import { lastDayBefore } from './writing';

const zone = 'Asia/Shanghai';
const days = {
  endOf: (day: string) => startOfDay(addDays(day, 1), zone),
  lastDayBefore: (moment: string) => lastDayBefore(moment, zone),
};
const start = newDraft('CNY', 2).rules;
const send = (change: Partial<RulesDraft>) => rulesOf({ ...start, ...change }, days);

describe('rules between the form and the wire', () => {
  it('starts with rules that can be sent', () => {
    expect(send({})).toMatchObject({
      denominations: { kind: 'free', min: 100, max: 100_000 },
      validity: { kind: 'months', months: 36 },
      acceptance: {},
    });
  });

  it('sends only what belongs to the choice made', () => {
    const sent = send({
      denominations: { kind: 'fixed', amounts: [100, null, 200, undefined], max: 9 },
    });
    expect(sent?.denominations).toEqual({ kind: 'fixed', amounts: [100, 200] });
    expect(send({ validity: { kind: 'unlimited', days: 3 } })?.validity).toEqual({
      kind: 'unlimited',
    });
    expect(send({ residual: 'exchange', reactivation_months: 3 })).not.toHaveProperty(
      'reactivation_months',
    );
  });

  it('ends a validity with the last moment of a day of the issuer', () => {
    const sent = send({ validity: { kind: 'until', last_day: '2026-12-31' } });
    expect(sent?.validity).toEqual({ kind: 'until', at: '2026-12-31T16:00:00.000Z' });
    expect(lastDayBefore('2026-12-31T16:00:00Z', zone)).toBe('2026-12-31');
  });

  it.each<[string, Partial<RulesDraft>]>([
    ['no amounts', { denominations: { kind: 'fixed', amounts: [] } }],
    ['no largest amount', { denominations: { kind: 'free', min: 1 } }],
    ['no months', { validity: { kind: 'months', months: null } }],
    ['no day', { validity: { kind: 'until' } }],
    ['no amount above which', { pin: { kind: 'above' } }],
  ])('sends nothing yet with %s', (_, change) => {
    expect(send(change)).toBeUndefined();
  });

  it('leaves out what is empty: null is refused', () => {
    const sent = send({
      balance_cap: undefined,
      daily_count: null,
      policy_pack: null,
      refund_days: 7,
    });
    expect(sent).not.toHaveProperty('balance_cap');
    expect(sent).not.toHaveProperty('daily_count');
    expect(sent).not.toHaveProperty('policy_pack');
    expect(sent?.refund_days).toBe(7);
    expect(send({ acceptance: { merchants: [], channels: ['web'] } })?.acceptance).toEqual({
      channels: ['web'],
    });
  });

  it('gives back the rules it was given', () => {
    const rules = {
      ...send({
        pin: { kind: 'above', amount: 500 },
        pin_issued: true,
        policy_pack: 'cn-beijing',
      })!,
      validity: { kind: 'until' as const, at: '2026-12-31T16:00:00.000Z' },
    };
    const program = {
      name: 'a',
      currency: 'CNY',
      number_prefix: '88',
      number_length: 16,
      rules,
    } as Program;
    expect(rulesOf(draftOf(program, days).rules, days)).toEqual(rules);
  });
});

describe('findings', () => {
  it('lead to the field that they are about', () => {
    expect(fieldOf('/rules/denominations/max')).toEqual(['rules', 'denominations', 'max']);
    expect(fieldOf('/rules/validity')).toEqual(['rules', 'validity', 'kind']);
    expect(fieldOf('/rules/validity/at')).toEqual(['rules', 'validity', 'last_day']);
    expect(fieldOf('/rules/balance_cap')).toEqual(['rules', 'balance_cap']);
    expect(ruleKey('/rules/denominations/amounts')).toBe('denominations_amounts');
  });
});

describe('lengths of time', () => {
  it.each([
    [900, 'minute', '15 minutes'],
    [86_400, 'day', '1 day'],
    [5400, 'minute', '90 minutes'],
    [61, 'second', '61 seconds'],
    [7200, 'hour', '2 hours'],
  ])('%d', (seconds, unit, text) => {
    expect(largestUnit(seconds)).toBe(unit);
    expect(formatDuration(seconds, 'en')).toBe(text);
  });
});
