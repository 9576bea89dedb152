import { describe, expect, it } from 'vitest';
import { addDays, dayOf, formatAge, formatDay, formatMoment, startOfDay } from './time';

describe('moments', () => {
  it('are shown in the zone of the issuer, whatever the browser', () => {
    const at = '2026-11-22T16:30:05Z';
    expect(formatMoment(at, 'zh-CN', 'Asia/Shanghai')).toBe('2026/11/23 00:30:05');
    expect(formatMoment(at, 'en', 'UTC')).toBe('11/22/2026, 16:30:05');
    expect(dayOf(new Date(at), 'Asia/Shanghai')).toBe('2026-11-23');
    expect(dayOf(new Date(at), 'America/New_York')).toBe('2026-11-22');
  });
});

describe('business dates', () => {
  it('are not moved by any zone', () => {
    expect(formatDay('2026-03-01', 'zh-CN')).toBe('2026/03/01');
    expect(formatDay('2026-03-01', 'en')).toBe('03/01/2026');
  });
  it('are counted over months and leap years', () => {
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
    expect(addDays('2026-03-01', -1)).toBe('2026-02-28');
  });
});

describe('the first moment of a day', () => {
  it.each([
    ['2026-11-23', 'Asia/Shanghai', '2026-11-22T16:00:00.000Z'],
    ['2026-11-23', 'UTC', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23', 'Asia/Kolkata', '2026-11-22T18:30:00.000Z'],
    // The clocks change on these days, after midnight.
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    ['2026-11-01', 'America/New_York', '2026-11-01T04:00:00.000Z'],
    ['2026-11-02', 'America/New_York', '2026-11-02T05:00:00.000Z'],
  ])('of %s in %s is %s', (date, zone, at) => {
    expect(startOfDay(date, zone)).toBe(at);
  });
});

it('says how old data is', () => {
  const now = Date.parse('2026-11-23T00:00:00Z');
  expect(formatAge('2026-11-22T23:59:55Z', now, 'en')).toBe('5 seconds ago');
  expect(formatAge('2026-11-22T23:59:55Z', now, 'zh-CN')).toBe('5秒钟前');
  expect(formatAge('2026-11-22T22:00:00Z', now, 'en')).toBe('2 hours ago');
});
