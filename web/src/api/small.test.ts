import { expect, it } from 'vitest';
import { newIdempotencyKey } from './idempotency';
import { asProblem, isTransient, pointerToName } from './problem';

it('makes keys that are UUIDs of version 7 and grow with time', () => {
  const keys = Array.from({ length: 50 }, (_, index) =>
    newIdempotencyKey(1_800_000_000_000 + index),
  );
  for (const key of keys) {
    expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  expect([...keys].sort()).toEqual(keys);
  expect(new Set(Array.from({ length: 1000 }, () => newIdempotencyKey(5))).size).toBe(1000);
});

it('turns a pointer into the name of a field', () => {
  expect(pointerToName('/rules/balance_cap')).toEqual(['rules', 'balance_cap']);
  expect(pointerToName('/items/3/amount')).toEqual(['items', 3, 'amount']);
  expect(pointerToName('/a~1b/c~0d')).toEqual(['a/b', 'c~d']);
});

it('knows which errors may pass by themselves', () => {
  const problem = (status: number) => ({ code: 'x', status });
  expect([409, 429, 500, 503, 504].map((status) => isTransient(problem(status)))).toEqual([
    false,
    true,
    false,
    true,
    true,
  ]);
  expect(isTransient(new TypeError('network'))).toBe(true);
  expect(isTransient(new Error('page'))).toBe(false);
  expect(asProblem(new Error('page'))).toBeUndefined();
  expect(asProblem(null)).toBeUndefined();
});
