// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { actionsFor, type Card, type Program } from './actions';
import { readCardName } from './card-name';
import { fundingOf, given } from './requests';
import { isWaiting, mayHaveHappened } from './submission';

const ALL = ['load', 'cards_manage', 'adjust', 'holder_refund'];
const card = (change: Partial<Card>) =>
  ({
    state: 'active',
    balance: 500,
    held: 0,
    available: 500,
    pin_locked: false,
    ...change,
  }) as Card;
const program = (rules: Partial<Program['rules']>) => ({ rules }) as Program;

describe('what may be done with a card', () => {
  it.each<[string, Partial<Card>, Partial<Program['rules']>, string[]]>([
    ['in stock', { state: 'stocked', balance: 0 }, {}, ['activate', 'bind', 'close']],
    [
      'active',
      {},
      { reloadable: false, registered: false },
      ['bind', 'freeze', 'replace', 'adjust'],
    ],
    [
      'active, of a member',
      { member: 'm' },
      { reloadable: true, registered: true },
      ['load', 'freeze', 'report_lost', 'replace', 'adjust'],
    ],
    [
      'empty',
      { balance: 0, member: 'm' },
      { reloadable: false, registered: false },
      ['freeze', 'replace', 'adjust', 'close'],
    ],
    [
      'locked by wrong PINs',
      { pin_locked: true, member: 'm' },
      { reloadable: false, registered: false },
      ['unfreeze', 'freeze', 'replace', 'adjust'],
    ],
    [
      'under a policy pack',
      { member: 'm' },
      { reloadable: false, registered: false, policy_pack: 'cn-beijing' },
      ['freeze', 'replace', 'adjust', 'holder_refund'],
    ],
    ['lost', { state: 'lost' }, {}, ['replace']],
    ['expired', { state: 'expired' }, { residual: 'keep_claimable' }, ['reactivate', 'exchange']],
    ['expired, exchanged only', { state: 'expired' }, { residual: 'exchange' }, ['exchange']],
    ['expired, reactivated only', { state: 'expired' }, { residual: 'reactivate' }, ['reactivate']],
    ['closed', { state: 'closed', balance: 0 }, {}, []],
  ])('%s', (_, changed, rules, expected) => {
    expect(actionsFor(card(changed), program(rules), ALL)).toEqual(expected);
  });

  it('is nothing without permission', () => {
    expect(actionsFor(card({}), program({ reloadable: true }), ['cards_read'])).toEqual([]);
    expect(actionsFor(card({}), program({ reloadable: true }), ['load'])).toEqual(['load']);
  });
});

describe('a card by name', () => {
  it('takes numbers as people type them, and ids', () => {
    expect(readCardName('9588 0052 7847 3491 282')).toEqual({ number: '9588005278473491282' });
    expect(readCardName('９５８８００５２７８４７３４９１')).toEqual({
      number: '9588005278473491',
    });
    expect(readCardName(' card_0am7nfa10000a ')).toEqual({ id: 'card_0am7nfa10000a' });
  });
  it.each(['', '123', 'card_', 'op_0am7nfa10000a', '95880052784734912829', 'card_0am7nfa10000aa'])(
    'refuses %j',
    (text) => {
      expect(readCardName(text)).toBeUndefined();
    },
  );
});

describe('sending once', () => {
  const problem = (status: number) => ({ code: 'x', status });
  it('does not know what became of what was not answered', () => {
    expect(mayHaveHappened(new TypeError('network'))).toBe(true);
    expect(mayHaveHappened(new DOMException('', 'TimeoutError'))).toBe(true);
    expect([500, 503, 504, 408].map((status) => mayHaveHappened(problem(status)))).not.toContain(
      false,
    );
  });
  it('knows that a refusal did nothing', () => {
    expect(
      [400, 403, 404, 409, 429].map((status) => mayHaveHappened(problem(status))),
    ).not.toContain(true);
  });
  it('tells an approval from an operation', () => {
    expect(isWaiting({ approval: { id: 'appr_1' } })).toBe(true);
    expect(isWaiting({ id: 'op_1', status: 'approved' })).toBe(false);
  });
});

describe('bodies', () => {
  it('leave out what was left empty, and keep what is false or zero', () => {
    expect(given({ a: '', b: undefined, c: null, d: 0, e: false, f: 'x' })).toEqual({
      d: 0,
      e: false,
      f: 'x',
    });
  });
  it('carry the facts of a payment only if they are complete', () => {
    expect(fundingOf({ funding: { kind: 'person', payment: 'cash' } })).toBeUndefined();
    expect(
      fundingOf({ funding: { kind: 'person', payment: 'cash', face_to_face: false } }),
    ).toEqual({
      kind: 'person',
      payment: 'cash',
      face_to_face: false,
    });
  });
});
