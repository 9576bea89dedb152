import { describe, expect, it } from 'vitest';
import { cardOf, hasValidCheckDigit, last4Of, operationOf } from './scanned';

describe('what was scanned', () => {
  it('knows the check digit', () => {
    for (const valid of ['4111111111111111', '79927398713'])
      expect(hasValidCheckDigit(valid)).toBe(true);
    for (const wrong of ['4111111111111112', '79927398710'])
      expect(hasValidCheckDigit(wrong)).toBe(false);
  });

  it('tells card numbers from payment codes', () => {
    expect(cardOf('4111 1111 1111 1111')).toEqual({ number: '4111111111111111' });
    expect(cardOf('４１１１１１１１１１１１１１１１')).toEqual({ number: '4111111111111111' });
    expect(cardOf('28000000000000000004')).toEqual(undefined);
    const body = '2812345678901234567';
    const code = [...'0123456789'].map((digit) => body + digit).find(hasValidCheckDigit)!;
    expect(cardOf(code)).toEqual({ code });
  });

  it('refuses what cannot be a card', () => {
    for (const text of ['', '4111', '4111111111111112', 'op_00000003nqk8n', '411111111111111a']) {
      expect(cardOf(text)).toBeUndefined();
    }
  });

  it('shows four digits of a card and none of a code', () => {
    expect(last4Of({ number: '4111111111111111' })).toBe('1111');
    expect(last4Of({ code: '28123456789012345678' })).toBeUndefined();
  });

  it('reads receipts', () => {
    expect(operationOf('op_00000003nqk8n')).toBe('op_00000003nqk8n');
    expect(operationOf(' 00000003NQK8N ')).toBe('op_00000003nqk8n');
    for (const text of [
      'op_00000003nqk8',
      'card_00000003nqk8n',
      '80000003nqk8n0',
      'op_8000000000000',
    ]) {
      expect(operationOf(text)).toBeUndefined();
    }
  });
});
