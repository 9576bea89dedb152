// Payment codes, made on this device without a network. The server makes the same ones; both are held to
// crates/wallet/tests/payment_codes.json.
//
//   28 tttttttt ooooooooo c
//   the tag of the device, HMAC-SHA256(secret, time step) modulo 10^9, and a Luhn digit

const PREFIX = '28';
const TAG_DIGITS = 8;
const ONE_TIME_DIGITS = 9;
const ONE_TIME_PARTS = 10n ** 9n;

/** A key that this page can use and nobody, not even this page, can read. */
export const importSecret = (secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);

/** The digit that follows these. */
export function luhnDigit(digits: string): string {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return String((10 - (sum % 10)) % 10);
}

async function oneTimePart(key: CryptoKey, step: number): Promise<string> {
  const message = new DataView(new ArrayBuffer(8));
  message.setBigInt64(0, BigInt(step));
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, message.buffer));
  return (mac.getBigUint64(0) % ONE_TIME_PARTS).toString().padStart(ONE_TIME_DIGITS, '0');
}

/** The time step of a moment in milliseconds. */
export const stepOf = (at: number, periodSeconds: number) => Math.floor(at / 1000 / periodSeconds);

/** The code of a time step: 20 digits. */
export async function paymentCode(key: CryptoKey, tag: number, step: number): Promise<string> {
  const body = PREFIX + String(tag).padStart(TAG_DIGITS, '0') + (await oneTimePart(key, step));
  return body + luhnDigit(body);
}

/** Four by four, as people read them out. */
export const grouped = (code: string) => code.replace(/(.{4})(?=.)/g, '$1 ');
