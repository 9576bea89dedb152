// The trial balance now or at a past moment: debits equal credits, and the page says so.
import { Alert } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { DateFilter } from '@/shared/DateField';
import { Money } from '@/shared/format';
import { EmptyState, Loaded, Page } from '@/shared/page';
import { ScrollTable } from '@/shared/ScrollTable';
import { useTimeZone } from '@/shared/session';
import { addDays, startOfDay } from '@/shared/time';
import { AccountName } from '../catalog/AccountName';

type Report = components['schemas']['TrialBalance'];
type Line = Report['lines'][number];

export function Component() {
  const { t } = useTranslation('reports');
  const zone = useTimeZone();
  const [day, setDay] = useState<string>();
  const at = day ? startOfDay(addDays(day, 1), zone) : undefined;
  const query = api.useQuery('get', '/v1/ledger/trial-balance', { params: { query: { at } } });
  return (
    <Page title={t('trial.title')} lead={t('trial.lead')}>
      <div className="filters">
        <DateFilter label={t('trial.end_of')} value={day} onChange={setDay} />
      </div>
      <Loaded query={query}>{(report) => <Balance report={report} />}</Loaded>
    </Page>
  );
}

function Balance({ report }: { report: Report }) {
  const { t } = useTranslation('reports');
  if (report.lines.length === 0) return <EmptyState title={t('trial.empty')} />;
  const money = (name: 'debits' | 'credits' | 'balance') => ({
    title: t(`trial.${name}`),
    align: 'right' as const,
    render: (_: unknown, line: Line) => <Money amount={line[name]} currency={line.currency} />,
  });
  return (
    <>
      <Alert
        showIcon
        type={report.balanced ? 'success' : 'error'}
        title={t(report.balanced ? 'trial.balanced' : 'trial.unbalanced')}
        description={report.totals.map((total) => (
          <p key={total.currency}>
            {t('trial.debits')} <Money amount={total.debits} currency={total.currency} /> ·{' '}
            {t('trial.credits')} <Money amount={total.credits} currency={total.currency} />
          </p>
        ))}
      />
      <ScrollTable<Line>
        aria-label={t('trial.title')}
        pagination={report.lines.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
        rowKey={(line) => line.account + line.currency}
        dataSource={report.lines}
        columns={[
          {
            title: t('trial.account'),
            render: (_, line) => <AccountName account={line.account} />,
          },
          money('debits'),
          money('credits'),
          money('balance'),
          { title: t('trial.side'), render: (_, line) => t(`trial.sides.${line.normal_side}`) },
        ]}
      />
    </>
  );
}
