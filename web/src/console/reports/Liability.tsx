// Liability roll-forward: what was owed to holders at the start, what changed it, what is owed at the end.
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { Money } from '@/shared/format';
import { EmptyState, Loaded } from '@/shared/page';
import { ScrollTable } from '@/shared/ScrollTable';
import { StatusTag } from '@/shared/StatusTag';
import { asJson, Controls, CsvButton, PeriodFields, ProgramName, usePeriod } from './parts';
import { type Figure, MOVEMENTS, type Row, withTotals } from './totals';

type Line = components['schemas']['LiabilityLine'];

export function Liability() {
  const { t } = useTranslation('reports');
  const [period, setPeriod] = usePeriod();
  const query = api.useQuery('get', '/v1/reports/liability', { params: { query: { ...period } } });
  return (
    <>
      <p className="lead">{t('liability.lead')}</p>
      <Controls>
        <PeriodFields period={period} onChange={setPeriod} />
        <CsvButton path="/v1/reports/liability" query={{ ...period }} />
      </Controls>
      <Loaded query={asJson(query)}>
        {({ items }) =>
          items.length === 0 ? <EmptyState title={t('empty')} /> : <Lines items={items} />
        }
      </Loaded>
    </>
  );
}

function Lines({ items }: { items: Line[] }) {
  const { t } = useTranslation('reports');
  const moved = MOVEMENTS.filter((name) => items.some((line) => line[name] !== 0));
  const amount = (name: Figure) => ({
    title: t(`liability.${name}`),
    align: 'right' as const,
    render: (_: unknown, row: Row) => <Money amount={row[name]} currency={row.currency} />,
  });
  return (
    <ScrollTable<Row>
      aria-label={t('liability.title')}
      rowKey={({ line, currency }) => `${line?.program}${line?.liability}${currency}`}
      rowClassName={({ line }) => (line ? '' : 'total')}
      dataSource={withTotals(items)}
      columns={[
        {
          title: t('program'),
          fixed: 'start',
          render: (_, { line, currency }) =>
            line ? (
              <>
                <ProgramName id={line.program} /> · {t(`liability.kinds.${line.liability}`)}
              </>
            ) : (
              t('liability.total', { currency })
            ),
        },
        amount('opening'),
        ...moved.map(amount),
        amount('closing'),
        {
          title: t('liability.check'),
          render: (_, row) =>
            row.difference === 0 ? (
              <StatusTag tone="good">{t('liability.agrees')}</StatusTag>
            ) : (
              <StatusTag tone="bad">
                <Money amount={row.difference} currency={row.currency} />
              </StatusTag>
            ),
        },
      ]}
    />
  );
}
