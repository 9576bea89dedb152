import { describe, expect, it } from 'vitest';
import {
  currencyExponent,
  formatBasisPoints,
  formatMoney,
  formatMoneyShort,
  minorToDecimal,
  parseMoney,
} from './money';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('minorToDecimal', () => {
  it.each([
    [0, 2, '0.00'],
    [1, 2, '0.01'],
    [123456, 2, '1234.56'],
    [-5, 2, '-0.05'],
    [500, 0, '500'],
    [1234, 3, '1.234'],
    [9007199254740991, 2, '90071992547409.91'],
    [-9007199254740991, 3, '-9007199254740.991'],
  ])('%d with %d places is %s', (minor, exponent, text) => {
    expect(minorToDecimal(minor, exponent)).toBe(text);
  });
  it('refuses what is no whole number of minor units', () => {
    expect(() => minorToDecimal(1.5, 2)).toThrow(RangeError);
    expect(() => minorToDecimal(2 ** 53, 2)).toThrow(RangeError);
  });
});

describe('formatMoney', () => {
  it.each([
    [123456, 'CNY', 'zh-CN', '¥1,234.56'],
    [123456, 'CNY', 'en', 'CN¥1,234.56'],
    [500, 'JPY', 'zh-CN', 'JP¥500'],
    [1234, 'KWD', 'en', 'KWD 1.234'],
    [-123456, 'CNY', 'en', '-CN¥1,234.56'],
    // Exact where a floating-point number would not be.
    [9007199254740991, 'CNY', 'en', 'CN¥90,071,992,547,409.91'],
  ])('%d %s in %s is %s', (minor, currency, locale, text) => {
    expect(plain(formatMoney(minor, currency, locale))).toBe(text);
  });
  it('takes the exponent that the server says', () => {
    expect(formatMoney(5, 'CNY', 'en', 0)).toBe('CN¥5');
  });
  it('shortens for axes', () => {
    expect(formatMoneyShort(1234500, 'CNY', 'zh-CN')).toBe('¥1.2万');
    expect(formatMoneyShort(1234500, 'CNY', 'en')).toBe('CN¥12.3K');
  });
  it('knows exponents', () => {
    expect(['CNY', 'JPY', 'KWD'].map(currencyExponent)).toEqual([2, 0, 3]);
  });
  it('writes basis points as per cent', () => {
    expect(plain(formatBasisPoints(1234, 'en'))).toBe('12.34%');
    expect(plain(formatBasisPoints(30, 'zh-CN'))).toBe('0.3%');
  });
});

describe('parseMoney', () => {
  it.each([
    ['12', 2, { minor: 1200 }],
    ['12.5', 2, { minor: 1250 }],
    ['1,234.56', 2, { minor: 123456 }],
    ['¥ 1，234.56', 2, { minor: 123456 }],
    ['１２．５', 2, { minor: 1250 }],
    ['12。5', 2, { minor: 1250 }],
    ['.5', 2, { minor: 50 }],
    ['5.', 2, { minor: 500 }],
    ['1.500', 2, { minor: 150 }],
    ['0.1', 3, { minor: 100 }],
    ['500', 0, { minor: 500 }],
    ['0.29', 2, { minor: 29 }],
    ['1.115', 3, { minor: 1115 }],
    ['90071992547409.91', 2, { minor: 9007199254740991 }],
    ['90071992547409.92', 2, { wrong: 'too_large' }],
    ['1.005', 2, { wrong: 'too_precise' }],
    ['1.5', 0, { wrong: 'too_precise' }],
    ['', 2, { wrong: 'not_a_number' }],
    ['.', 2, { wrong: 'not_a_number' }],
    ['-5', 2, { wrong: 'not_a_number' }],
    ['1e3', 2, { wrong: 'not_a_number' }],
    ['1.2.3', 2, { wrong: 'not_a_number' }],
    ['abc', 2, { wrong: 'not_a_number' }],
  ])('%j with %d places', (text, exponent, result) => {
    expect(parseMoney(text, exponent)).toEqual(result);
  });
  it('reads back what is shown', () => {
    for (const minor of [0, 1, 99, 100, 123456, 9007199254740991]) {
      expect(parseMoney(minorToDecimal(minor, 2), 2)).toEqual({ minor });
    }
  });
});
