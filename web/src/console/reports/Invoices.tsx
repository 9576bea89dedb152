// Invoice data: sales of cards (item 601, untaxed) for the invoicing system.
import { Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { Id } from '@/shared/Id';
import { useCursorList, type CursorPage } from '@/shared/cursor-list';
import { Absent, Day, Money } from '@/shared/format';
import { EmptyState } from '@/shared/page';
import { Controls, CsvButton, PeriodFields, ProgramName, usePeriod } from './parts';

type Line = components['schemas']['PageOf_InvoiceRow']['items'][number];

const KINDS = ['sale', 'load', 'reversal'] as const;

export function Invoices() {
  const { t } = useTranslation('reports');
  const [period, setPeriod] = usePeriod();
  const [kind, setKind] = useState<string>(KINDS[0]);
  const list = useCursorList<Line>(
    ['invoices', period, kind],
    ({ limit, cursor, signal }) =>
      unwrap(
        client.GET('/v1/reports/invoices', {
          params: { query: { ...period, kind, limit, cursor } },
          signal,
        }),
      ) as Promise<CursorPage<Line>>,
  );
  const columns: Column<Line>[] = [
    { title: t('day'), render: (_, line) => <Day date={line.day} /> },
    { title: t('invoices.item'), render: (_, line) => `${line.item_code} ${line.item_name}` },
    { title: t('program'), render: (_, line) => <ProgramName id={line.program} /> },
    {
      title: t('invoices.card'),
      render: (_, line) => (line.card_last4 ? `•••• ${line.card_last4}` : <Absent />),
    },
    {
      title: t('amount'),
      align: 'right',
      render: (_, line) => <Money amount={line.amount} currency={line.currency} />,
    },
    { title: t('invoices.reference'), render: (_, line) => line.reference ?? <Absent /> },
    {
      title: t('invoices.operation'),
      render: (_, line) => <Id id={line.operation} to={`/operations?open=${line.operation}`} />,
    },
  ];
  return (
    <>
      <p className="lead">{t('invoices.lead')}</p>
      <Controls>
        <PeriodFields period={period} onChange={setPeriod} />
        <label>
          {t('invoices.kind')}
          <Select
            value={kind}
            onChange={setKind}
            aria-label={t('invoices.kind')}
            options={KINDS.map((value) => ({ value, label: t(`invoices.kinds.${value}`) }))}
            style={{ minWidth: 160 }}
          />
        </label>
        <CsvButton path="/v1/reports/invoices" query={{ ...period, kind }} />
      </Controls>
      <CursorTable
        label={t('invoices.title')}
        list={list}
        columns={columns}
        rowKey={(line) => line.operation}
        empty={<EmptyState title={t('empty')} />}
      />
    </>
  );
}
