// Amounts, moments and days on screen, in the reader's language and the issuer's time zone.
import { useMemo } from 'react';
import { formatBasisPoints, formatCount, formatMoney, formatMoneyShort } from './money';
import { useTimeZone } from './session';
import { localeOf, useLanguage } from './settings';
import { formatAge, formatDay, formatMoment, formatTime } from './time';

/** The same as text, for titles, charts and sentences. */
export function useFormat() {
  const locale = localeOf(useLanguage());
  const timeZone = useTimeZone();
  return useMemo(
    () => ({
      locale,
      timeZone,
      money: (minor: number, currency: string, exponent?: number) =>
        formatMoney(minor, currency, locale, exponent),
      moneyShort: (minor: number, currency: string, exponent?: number) =>
        formatMoneyShort(minor, currency, locale, exponent),
      count: (value: number) => formatCount(value, locale),
      basisPoints: (value: number) => formatBasisPoints(value, locale),
      moment: (at: string) => formatMoment(at, locale, timeZone),
      time: (at: string) => formatTime(at, locale, timeZone),
      day: (date: string) => formatDay(date, locale),
      age: (at: string, now: number) => formatAge(at, now, locale),
    }),
    [locale, timeZone],
  );
}

export function Money(props: { amount: number; currency: string; exponent?: number }) {
  const { money } = useFormat();
  return <span className="money">{money(props.amount, props.currency, props.exponent)}</span>;
}

/** A moment; its title gives the zone, so that nobody has to guess. */
export function Moment({ at }: { at: string | null | undefined }) {
  const { moment, timeZone } = useFormat();
  if (!at) return <Absent />;
  return (
    <time dateTime={at} title={`${timeZone} · ${at}`} className="figures">
      {moment(at)}
    </time>
  );
}

/** A business date. */
export function Day({ date }: { date: string | null | undefined }) {
  const { day } = useFormat();
  if (!date) return <Absent />;
  return (
    <time dateTime={date} className="figures">
      {day(date)}
    </time>
  );
}

export function Count({ value }: { value: number }) {
  const { count } = useFormat();
  return <span className="figures">{count(value)}</span>;
}

/** Where there is nothing to show. */
export function Absent() {
  return <span aria-hidden="true">–</span>;
}
