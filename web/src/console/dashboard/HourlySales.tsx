// Sales by hour, today over yesterday. The present hour is still growing, so it is the last point of today's line.
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { Chart } from '@/shared/Chart';
import { useFormat } from '@/shared/format';
import { Panel } from '@/shared/page';
import type { chartColours } from '@/shared/theme';
import type { CurrencyFigures } from './read';

type Colours = (typeof chartColours)['light'];

export function HourlySales({ figures }: { figures: CurrencyFigures }) {
  const { t } = useTranslation('dashboard');
  const { money, moneyShort } = useFormat();
  const { currency, exponent, hours } = figures;

  const lines = useCallback(
    (colours: Colours) => ({
      labels: hours.map((hour) => hour.label),
      of: t('hour'),
      value: (minor: number) => money(minor, currency, exponent),
      short: (minor: number) => moneyShort(Math.round(minor), currency, exponent),
      lines: [
        {
          name: t('yesterday'),
          values: hours.map((hour) => hour.yesterday),
          colour: colours.yesterday,
          faint: true,
        },
        {
          name: t('today'),
          values: hours.map((hour) => hour.today),
          colour: colours.today,
          faint: false,
        },
      ],
    }),
    [hours, currency, exponent, money, moneyShort, t],
  );

  const shown = (minor: number | null) => (minor === null ? '–' : money(minor, currency, exponent));
  return (
    <Panel title={t('by_hour')}>
      <Chart
        label={t('by_hour_label', { currency })}
        height={264}
        lines={lines}
        table={{
          head: [t('hour'), t('today'), t('yesterday')],
          rows: hours.map((hour) => [hour.label, shown(hour.today), shown(hour.yesterday)]),
        }}
      />
    </Panel>
  );
}
