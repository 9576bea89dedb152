// The quarterly report to the authority, ready to be entered in its system.
import { Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { Absent, Count, Day, Money, useFormat } from '@/shared/format';
import { Facts, Loaded, Panel } from '@/shared/page';
import { ScrollTable } from '@/shared/ScrollTable';
import { asJson, Controls, CsvButton, RulesName } from './parts';
import { recentQuarters } from './quarters';

type Line = components['schemas']['QuarterlyReport']['lines'][number];

export function Quarterly() {
  const { t } = useTranslation('reports');
  const { basisPoints } = useFormat();
  const quarters = recentQuarters(new Date(), 8);
  const [quarter, setQuarter] = useState(quarters[0]!);
  const query = api.useQuery('get', '/v1/reports/quarterly', { params: { query: { quarter } } });
  const money = (
    name: 'opening' | 'issued' | 'prepaid' | 'redeemed' | 'refunded' | 'other' | 'balance',
  ) => ({
    title: t(`quarterly.${name}`),
    align: 'right' as const,
    render: (_: unknown, line: Line) => <Money amount={line[name]} currency={line.currency} />,
  });
  return (
    <>
      <p className="lead">{t('quarterly.lead')}</p>
      <Controls>
        <label>
          {t('quarterly.quarter')}
          <Select
            value={quarter}
            onChange={setQuarter}
            aria-label={t('quarterly.quarter')}
            options={quarters.map((value) => ({ value, label: value }))}
          />
        </label>
        <CsvButton path="/v1/reports/quarterly" query={{ quarter }} />
      </Controls>
      <Loaded query={asJson(query)}>
        {(report) => (
          <Panel>
            <Facts
              rows={[
                [
                  t('quarterly.period'),
                  <span key="p">
                    <Day date={report.from} /> – <Day date={report.to} />
                  </span>,
                ],
                [
                  t('quarterly.due'),
                  <span key="d">
                    <Day date={report.due} />
                    {report.due_estimated && ` ${t('estimated')}`}
                  </span>,
                ],
                [t('quarterly.state'), t(report.ended ? 'quarterly.ended' : 'quarterly.running')],
                [t('rules'), <RulesName key="r" rules={report.rules} />],
              ]}
            />
            <ScrollTable<Line>
              aria-label={t('quarterly.title')}
              rowKey={(line) => line.currency}
              dataSource={report.lines}
              columns={[
                { title: t('currency'), dataIndex: 'currency' },
                {
                  title: t('quarterly.cards_issued'),
                  align: 'right',
                  render: (_, l) => <Count value={l.cards_issued} />,
                },
                money('opening'),
                money('issued'),
                money('prepaid'),
                money('redeemed'),
                money('refunded'),
                money('other'),
                money('balance'),
                {
                  title: t('quarterly.custody_balance'),
                  align: 'right',
                  render: (_, l) =>
                    l.custody_balance ? (
                      <>
                        <Money amount={l.custody_balance.amount} currency={l.currency} />
                        <div className="quiet">
                          <Day date={l.custody_balance.day} />
                        </div>
                      </>
                    ) : (
                      t('custody.not_entered')
                    ),
                },
                {
                  title: t('quarterly.custody'),
                  align: 'right',
                  render: (_, l) => (l.custody_bp == null ? <Absent /> : basisPoints(l.custody_bp)),
                },
              ]}
            />
          </Panel>
        )}
      </Loaded>
    </>
  );
}
