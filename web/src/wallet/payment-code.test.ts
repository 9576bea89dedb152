import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { grouped, importSecret, paymentCode, stepOf } from './payment-code';

interface Known {
  secret: string;
  tag: number;
  unix_seconds: number;
  code: string;
}
const file = new URL('../../../crates/wallet/tests/payment_codes.json', import.meta.url);
const { codes, period_s } = JSON.parse(readFileSync(file, 'utf8')) as {
  codes: Known[];
  period_s: number;
};
const bytes = (hex: string) =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

describe('payment codes', () => {
  it('are those that the server makes', async () => {
    expect(codes.length).toBeGreaterThan(9);
    for (const { secret, tag, unix_seconds, code } of codes) {
      const key = await importSecret(bytes(secret));
      expect(await paymentCode(key, tag, stepOf(unix_seconds * 1000, period_s))).toBe(code);
    }
  });

  it('come from a key that cannot be taken away', async () => {
    const key = await importSecret(bytes('00'.repeat(32)));
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
  });

  it('change with the time step only', () => {
    expect(stepOf(39_999, 20)).toBe(1);
    expect(stepOf(40_000, 20)).toBe(2);
    expect(grouped('28123456785756031756')).toBe('2812 3456 7857 5603 1756');
  });
});
