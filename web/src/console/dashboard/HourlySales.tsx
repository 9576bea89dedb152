// Sales by hour, today over yesterday. The present hour is still growing, so it is the last point of today's line.
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { Chart } from '@/shared/Chart';
import { useFormat } from '@/shared/format';
import { minorToDecimal } from '@/shared/money';
import { Panel } from '@/shared/page';
import type { chartColours } from '@/shared/theme';
import type { CurrencyFigures } from './read';

type Colours = (typeof chartColours)['light'];

export function HourlySales({ figures }: { figures: CurrencyFigures }) {
  const { t } = useTranslation('dashboard');
  const { money, moneyShort } = useFormat();
  const { currency, exponent, hours } = figures;

  const option = useCallback(
    (colours: Colours) => ({
      grid: { left: 64, right: 16, top: 40, bottom: 28 },
      legend: {
        data: [t('today'), t('yesterday')],
        top: 0,
        left: 0,
        itemWidth: 20,
        textStyle: { color: colours.text },
      },
      tooltip: {
        trigger: 'axis',
        renderMode: 'richText',
        valueFormatter: (value: unknown) =>
          typeof value === 'number'
            ? money(Math.round(value * 10 ** exponent), currency, exponent)
            : '–',
      },
      xAxis: {
        type: 'category',
        boundaryGap: false,
        data: hours.map((hour) => hour.label),
        axisLine: { lineStyle: { color: colours.grid } },
        axisTick: { show: false },
        axisLabel: { color: colours.text },
      },
      yAxis: {
        type: 'value',
        splitNumber: 4,
        splitLine: { lineStyle: { color: colours.grid } },
        axisLabel: {
          color: colours.text,
          formatter: (value: number) =>
            moneyShort(Math.round(value * 10 ** exponent), currency, exponent),
        },
      },
      series: [
        {
          name: t('yesterday'),
          type: 'line',
          data: hours.map((hour) => toMajor(hour.yesterday, exponent)),
          symbol: 'none',
          lineStyle: { color: colours.yesterday, width: 2, type: 'dashed' },
          itemStyle: { color: colours.yesterday },
        },
        {
          name: t('today'),
          type: 'line',
          data: hours.map((hour) => toMajor(hour.today, exponent)),
          symbol: 'circle',
          symbolSize: 5,
          showAllSymbol: true,
          lineStyle: { color: colours.today, width: 2 },
          itemStyle: { color: colours.today },
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
        option={option}
        table={{
          head: [t('hour'), t('today'), t('yesterday')],
          rows: hours.map((hour) => [hour.label, shown(hour.today), shown(hour.yesterday)]),
        }}
      />
    </Panel>
  );
}

/** Only for drawing: a pixel is coarser than the rounding. */
const toMajor = (minor: number | null, exponent: number) =>
  minor === null ? null : Number(minorToDecimal(minor, exponent));
