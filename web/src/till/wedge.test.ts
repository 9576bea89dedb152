import { describe, expect, it } from 'vitest';
import { BurstReader } from './wedge';

/** Types each text with 10 ms between its keys and the given pause before it, then Enter. */
function type(...runs: [pause: number, text: string][]): string[] {
  const reader = new BurstReader();
  let at = 1000;
  for (const [pause, text] of runs) {
    at += pause;
    for (const key of text) reader.take({ key, at: (at += 10) });
  }
  return reader.take({ key: 'Enter', at: at + 10 });
}

function typeSlowly(text: string, gap: number): string[] {
  const reader = new BurstReader();
  return [...text, 'Enter'].map((key, index) => reader.take({ key, at: index * gap })).at(-1)!;
}

describe('a scanner that types', () => {
  it('is told from a hand by its speed', () => {
    expect(typeSlowly('6221234567890123', 8)).toEqual(['6221234567890123']);
    expect(typeSlowly('6221234567890123', 120)).toEqual([]);
    expect(typeSlowly('6221234567890123', 400)).toEqual([]);
  });

  it('reads nothing from short bursts, such as a fast amount', () => {
    expect(type([0, '35.00'])).toEqual([]);
  });

  it('does not take what a hand typed before as part of the scan', () => {
    expect(type([0, '9'], [500, '2812345678901234567'])).toEqual(['2812345678901234567']);
    expect(type([0, '12.50'], [2500, '2812345678901234567'])).toEqual(['2812345678901234567']);
  });

  it('offers what a stall cut in two as a whole first', () => {
    expect(type([0, '95'], [300, '88003658860046777'])).toEqual([
      '9588003658860046777',
      '88003658860046777',
    ]);
    expect(type([0, '958800365886004'], [300, '6777'])).toEqual(['9588003658860046777']);
    expect(type([0, '95'], [300, '880036588600'], [200, '46777'])).toEqual(['9588003658860046777']);
  });

  it('begins anew after Enter', () => {
    const reader = new BurstReader();
    const keys = [...'12', 'Enter', ...'2812345678901234567', 'Enter'];
    const last = keys.map((key, index) => reader.take({ key, at: index * 10 })).at(-1);
    expect(last).toEqual(['2812345678901234567']);
  });

  it('ignores Shift between characters and forgets what is too long', () => {
    const reader = new BurstReader();
    const keys = ['o', 'p', 'Shift', '_', ...'0123456789abc', 'Enter'];
    expect(keys.map((key, index) => reader.take({ key, at: index * 5 })).at(-1)).toEqual([
      'op_0123456789abc',
    ]);
    expect(type([0, '1'.repeat(65)])).toEqual([]);
  });
});
