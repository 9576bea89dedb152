// The figures at the top: one row, plain, each with what it is compared with.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/shared/format';
import { change, type CurrencyFigures, type Dashboard } from './read';

export function Figures({
  figures,
  latency,
}: {
  figures: CurrencyFigures;
  latency: Dashboard['latency'];
}) {
  const { t } = useTranslation('dashboard');
  const { money, count } = useFormat();
  const { currency, exponent, today, yesterdaySoFar } = figures;
  const amount = (minor: number) => money(minor, currency, exponent);
  return (
    <dl className="board-figures">
      <Figure
        name={t('sales')}
        value={amount(today.sales)}
        note={
          <Against
            now={today.sales}
            before={yesterdaySoFar.sales}
            text={amount(yesterdaySoFar.sales)}
          />
        }
      />
      <Figure
        name={t('count')}
        value={count(today.count)}
        note={
          <Against
            now={today.count}
            before={yesterdaySoFar.count}
            text={count(yesterdaySoFar.count)}
          />
        }
      />
      <Figure
        name={t('refunds')}
        value={amount(today.refunds)}
        note={t('refund_count', { count: today.refundCount })}
      />
      {figures.liability !== undefined && (
        <Figure
          name={t('liability')}
          value={amount(figures.liability)}
          note={t('liability_note')}
        />
      )}
      {latency && (
        <Figure
          name={t('latency')}
          value={milliseconds(latency.p99)}
          note={t('latency_note', { p50: milliseconds(latency.p50) })}
        />
      )}
    </dl>
  );
}

function milliseconds(micros: number): string {
  return `${(micros / 1000).toFixed(1)} ms`;
}

function Figure({ name, value, note }: { name: string; value: ReactNode; note: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="figure-value figures">{value}</dd>
      <dd className="figure-note">{note}</dd>
    </div>
  );
}

/** "+12 % against yesterday at this time (¥900.00)": an arrow as well as a sign, no colour of its own. */
function Against({ now, before, text }: { now: number; before: number; text: string }) {
  const { t } = useTranslation('dashboard');
  const { locale } = useFormat();
  const rise = change(now, before);
  if (rise === undefined) return <>{t('no_comparison')}</>;
  const percent = new Intl.NumberFormat(locale, {
    style: 'percent',
    maximumFractionDigits: 1,
    signDisplay: 'exceptZero',
  }).format(rise);
  return <>{t('against', { percent, before: text })}</>;
}
