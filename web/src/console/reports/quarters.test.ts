import { expect, test } from 'vitest';
import { recentQuarters } from './quarters';

test('quarters go back across the year', () => {
  expect(recentQuarters(new Date(2026, 1, 15), 3)).toEqual(['2026-Q1', '2025-Q4', '2025-Q3']);
});
