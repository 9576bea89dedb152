// What a scanner or a hand brought: a payment code, a card number, or a receipt.

export type CardName = { number: string } | { code: string };

/** A payment code of the wallet: 20 digits that begin with 28. No card number is that long. */
const PAYMENT_CODE = /^28\d{18}$/;
const CARD_NUMBER = /^\d{16,19}$/;
const OPERATION = /^(?:op_)?([0-7][0-9a-hjkmnp-tv-z]{12})$/i;

/** The last digit makes the sum of all digits, every second one doubled, a multiple of ten. */
export function hasValidCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Digits as people and devices write them: with spaces or hyphens, and full-width from Chinese keyboards. */
export function plain(text: string): string {
  return text.normalize('NFKC').replace(/[\s-]/g, '');
}

export function cardOf(text: string): CardName | undefined {
  const digits = plain(text);
  if (!hasValidCheckDigit(digits)) return undefined;
  if (PAYMENT_CODE.test(digits)) return { code: digits };
  return CARD_NUMBER.test(digits) ? { number: digits } : undefined;
}

/** The last four digits, to recognise a card by. A payment code has none that mean anything. */
export function last4Of(card: CardName): string | undefined {
  return 'number' in card ? card.number.slice(-4) : undefined;
}

/** The id of a sale from its receipt: whole, or only what stands after `op_`. */
export function operationOf(text: string): string | undefined {
  const found = OPERATION.exec(text.normalize('NFKC').trim());
  return found ? `op_${found[1]!.toLowerCase()}` : undefined;
}
