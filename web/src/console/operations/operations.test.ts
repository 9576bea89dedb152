// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { percentDone } from '../batches/progress';
import { csvLines } from './csv';
import { HEAD, rowOf } from './export';
import { filtersOf, filterText, queryOf, type Operation } from './query';
import { afterOn, refundable, signOn } from './sign';

const operation = (change: Partial<Operation>) =>
  ({
    id: 'op_1',
    kind: 'redemption',
    status: 'approved',
    requested: 100,
    approved: 100,
    ...change,
  }) as Operation;
const side = (id: string) => ({
  id,
  last4: '1234',
  balance: 1,
  available: 1,
  held: 0,
  state: 'active' as const,
});

describe('csv', () => {
  it('quotes what needs it and never begins a formula', () => {
    expect(csvLines([['a,b', 'say "hi"', 'two\nlines', 7, undefined, null, '']])).toBe(
      '"a,b","say ""hi""","two\nlines",7,,,\r\n',
    );
    expect(csvLines([['=1+1', '+1', '-1', '@x', 'a=b']])).toBe("'=1+1,'+1,'-1,'@x,a=b\r\n");
  });

  it('writes amounts in the currency of the operation', () => {
    const row = rowOf(operation({ currency: 'JPY', requested: 1500, approved: 1500 }));
    expect(row[HEAD.indexOf('approved')]).toBe('1500');
    const yuan = rowOf(
      operation({ currency: 'CNY', requested: 1500, approved: 5, card: side('card_1') }),
    );
    expect(yuan[HEAD.indexOf('requested')]).toBe('15.00');
    expect(yuan[HEAD.indexOf('approved')]).toBe('0.05');
    expect(yuan[HEAD.indexOf('balance_after')]).toBe('0.01');
    expect(yuan).toHaveLength(HEAD.length);
  });
});

describe('filters', () => {
  it('turn days of the issuer into moments', () => {
    expect(
      queryOf({ kind: 'load', from: '2026-11-23', to: '2026-11-23' }, 'Asia/Shanghai'),
    ).toEqual({
      kind: 'load',
      from: '2026-11-22T16:00:00.000Z',
      to: '2026-11-23T16:00:00.000Z',
    });
  });
  it('are the same after being saved', () => {
    const filters = { status: 'declined', merchant: 'mer_1', from: '2026-01-01' };
    expect(filtersOf(filterText(filters))).toEqual(filters);
    expect(filtersOf('status=declined&number=9588005278473491282')).toEqual({ status: 'declined' });
  });
});

describe('on a card', () => {
  it.each<[Partial<Operation>, string]>([
    [{ kind: 'load' }, '+'],
    [{ kind: 'redemption' }, '-'],
    [{ kind: 'adjustment', direction: 'debit' }, '-'],
    [{ kind: 'adjustment', direction: 'credit' }, '+'],
    [{ kind: 'transfer', card: side('card_1'), to: side('card_2') }, '-'],
    [{ kind: 'transfer', card: side('card_2'), to: side('card_1') }, '+'],
    [{ kind: 'freeze' }, ''],
    [{ kind: 'reversal' }, ''],
  ])('%j is %s', (change, sign) => {
    expect(signOn(operation(change), 'card_1')).toBe(sign);
  });
  it('shows the side that was asked for', () => {
    const moved = operation({ kind: 'merge', card: side('card_1'), to: side('card_2') });
    expect(afterOn(moved, 'card_2')?.id).toBe('card_2');
    expect(afterOn(moved, 'card_1')?.id).toBe('card_1');
    expect(afterOn(moved, 'card_3')).toBeUndefined();
  });
  it('only approved sales are given back', () => {
    expect(refundable(operation({}))).toBe(true);
    expect(refundable(operation({ status: 'declined' }))).toBe(false);
    expect(refundable(operation({ kind: 'load' }))).toBe(false);
  });
});

describe('progress of a batch', () => {
  it.each([
    [{ status: 'running', count: 10, issued: 5, activated: 0, activate: false }, 50],
    [{ status: 'running', count: 10, issued: 10, activated: 5, activate: true }, 75],
    [{ status: 'running', count: 10, issued: 10, activated: 10, activate: true }, 99],
    [{ status: 'complete', count: 10, issued: 10, activated: 0, activate: false }, 100],
    [{ status: 'running', count: 1_000_000, issued: 1, activated: 0, activate: false }, 0],
  ] as const)('%j', (batch, percent) => {
    expect(percentDone(batch)).toBe(percent);
  });
});
