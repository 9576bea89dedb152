// Amounts are whole minor units on the wire. Nothing here computes with fractions: text is made and read digit
// by digit, so that what is shown and sent is exact up to the largest amount the server takes.

/** Decimal places of a currency's minor unit where the server does not say: 2 for CNY, 0 for JPY, 3 for KWD. */
export function currencyExponent(currency: string): number {
  const options = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  return options.maximumFractionDigits ?? 2;
}

/** 123456 with exponent 2 → "1234.56". */
export function minorToDecimal(minor: number, exponent: number): string {
  if (!Number.isSafeInteger(minor))
    throw new RangeError('an amount is a whole number of minor units');
  const sign = minor < 0 ? '-' : '';
  const digits = Math.abs(minor)
    .toString()
    .padStart(exponent + 1, '0');
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, options);
    formats.set(key, format);
  }
  return format;
}

/** Formats an exact decimal text; `Intl` reads it digit by digit, though its type only says number. */
function formatDecimal(format: Intl.NumberFormat, decimal: string): string {
  return format.format(decimal as unknown as number);
}

/** 123456 CNY → "¥1,234.56" in Chinese, "CN¥1,234.56" in English. */
export function formatMoney(
  minor: number,
  currency: string,
  locale: string,
  exponent = currencyExponent(currency),
): string {
  const format = numberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
  return formatDecimal(format, minorToDecimal(minor, exponent));
}

/** For axes and tight places: "¥1.2万", "CN¥12.3K". */
export function formatMoneyShort(
  minor: number,
  currency: string,
  locale: string,
  exponent = currencyExponent(currency),
): string {
  const format = numberFormat(locale, {
    style: 'currency',
    currency,
    notation: 'compact',
    minimumFractionDigits: 0,
    maximumFractionDigits: 1,
  });
  return formatDecimal(format, minorToDecimal(minor, exponent));
}

export function formatCount(count: number, locale: string): string {
  return numberFormat(locale, {}).format(count);
}

/** Basis points → "12.34 %". */
export function formatBasisPoints(points: number, locale: string): string {
  const format = numberFormat(locale, { style: 'percent', maximumFractionDigits: 2 });
  return formatDecimal(format, minorToDecimal(points, 4));
}

export type ParsedMoney =
  { minor: number } | { wrong: 'not_a_number' | 'too_precise' | 'too_large' };

/** Reads what a person typed: "1,234.5", "１２３４．５", "¥12". Full-width digits come from Chinese keyboards. */
export function parseMoney(text: string, exponent: number): ParsedMoney {
  const plain = text
    .normalize('NFKC')
    .replaceAll('。', '.')
    .replace(/[\s,，'¥$€£￥]/g, '');
  const match = /^(\d*)(?:\.(\d*))?$/.exec(plain);
  const [, whole = '', fraction = ''] = match ?? [];
  if (!match || whole + fraction === '') return { wrong: 'not_a_number' };
  const kept = fraction.replace(/0+$/, '');
  if (kept.length > exponent) return { wrong: 'too_precise' };
  const minor = Number(whole + kept.padEnd(exponent, '0'));
  return Number.isSafeInteger(minor) ? { minor } : { wrong: 'too_large' };
}
