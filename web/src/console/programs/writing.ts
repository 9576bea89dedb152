// How the preview writes amounts, days, names and times for the reader.
import { useMemo } from 'react';
import { useFormat } from '@/shared/format';
import { dayOf } from '@/shared/time';
import { useNames } from '../catalog/names';
import { formatDuration } from './duration';
import type { Writing } from './words';

/** The last whole day before a moment: where an end lies at midnight, the day before it. */
export function lastDayBefore(moment: string, timeZone: string): string {
  return dayOf(new Date(Date.parse(moment) - 1), timeZone);
}

export function useWriting(currency: string, exponent: number): Writing {
  const format = useFormat();
  const merchants = useNames('merchants');
  const stores = useNames('stores');
  return useMemo(() => {
    const list = (type: 'conjunction' | 'disjunction') => (items: string[]) =>
      new Intl.ListFormat(format.locale, { type }).format(items);
    return {
      money: (minor) => format.money(minor, currency, exponent),
      lastDay: (moment) => format.day(lastDayBefore(moment, format.timeZone)),
      either: list('disjunction'),
      all: list('conjunction'),
      name: (kind, id) => (kind === 'merchants' ? merchants : stores)(id) ?? id,
      duration: (seconds) => formatDuration(seconds, format.locale),
    };
  }, [format, currency, exponent, merchants, stores]);
}
