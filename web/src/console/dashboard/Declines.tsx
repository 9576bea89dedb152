// Why sales were declined today, the most frequent reason first.
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Chart } from '@/shared/Chart';
import { useFormat } from '@/shared/format';
import { Panel } from '@/shared/page';
import type { chartColours } from '@/shared/theme';
import type { Dashboard } from './read';

type Colours = (typeof chartColours)['light'];
const SHOWN = 8;

export function Declines({ declines }: { declines: Dashboard['declined'] }) {
  const { t, i18n } = useTranslation(['dashboard', 'declines']);
  const { count } = useFormat();
  const bars = useMemo(
    () =>
      declines.slice(0, SHOWN).map((entry) => ({
        name: i18n.exists(`declines:${entry.code}`) ? t(`declines:${entry.code}`) : entry.code,
        count: entry.count,
      })),
    [declines, t, i18n],
  );
  const option = useCallback(
    (colours: Colours) => {
      return {
        grid: { left: 8, right: 48, top: 4, bottom: 4, containLabel: true },
        tooltip: { trigger: 'item', renderMode: 'richText' },
        xAxis: { type: 'value', show: false },
        yAxis: {
          type: 'category',
          inverse: true,
          data: bars.map((bar) => bar.name),
          axisLine: { show: false },
          axisTick: { show: false },
          axisLabel: { color: colours.text, width: 152, overflow: 'truncate' },
        },
        series: [
          {
            type: 'bar',
            data: bars.map((bar) => bar.count),
            barMaxWidth: 16,
            itemStyle: { color: colours.bad },
            label: { show: true, position: 'right', color: colours.text },
          },
        ],
      };
    },
    [bars],
  );
  return (
    <Panel title={t('declined')}>
      {bars.length === 0 ? (
        <p className="quiet">{t('declined_none')}</p>
      ) : (
        <Chart
          label={t('declined_label')}
          height={Math.max(96, bars.length * 32 + 8)}
          option={option}
          table={{
            head: [t('reason'), t('times')],
            rows: bars.map((bar) => [bar.name, count(bar.count)]),
          }}
        />
      )}
    </Panel>
  );
}
