import { expect, it } from 'vitest';
import { fromBase64url, toBase64url } from './passkey';
import { safePath, tokenOf } from './paths';

it.each([
  ['/cards?state=active', '/cards?state=active'],
  ['//elsewhere.example', '/dashboard'],
  ['/\\elsewhere.example', '/dashboard'],
  ['https://elsewhere.example', '/dashboard'],
  ['javascript:alert(1)', '/dashboard'],
  ['', '/dashboard'],
  [null, '/dashboard'],
])('goes on to %j only within the console', (to, path) => {
  expect(safePath(to)).toBe(path);
});

it.each([
  ['#token=abc_-9', 'abc_-9'],
  ['#abc', 'abc'],
  ['', ''],
])('reads the token of an invitation from %j', (hash, token) => {
  expect(tokenOf(hash)).toBe(token);
});

it('carries bytes as base64url there and back', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const text = toBase64url(bytes.buffer);
  expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(new Uint8Array(fromBase64url(text))).toEqual(bytes);
  expect(toBase64url(new Uint8Array([255, 254]).buffer)).toBe('__4');
});
