// Everything that happened to a card, newest first.
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { Absent, Money, Moment, useFormat } from '@/shared/format';
import { EmptyState } from '@/shared/page';
import { Named } from '../catalog/Named';
import { OperationDrawer } from '../operations/OperationDrawer';
import { OperationStatus } from '../operations/OperationStatus';
import { afterOn, signOn } from '../operations/sign';
import type { Operation } from './submission';

interface Props {
  card: string;
  currency: string;
  exponent: number;
  /** Something was done from here. */
  onDone: () => void;
}

const SIGNS = { '+': '+', '-': '−', '': '' };

export function Timeline({ card, currency, exponent, onDone }: Props) {
  const { t } = useTranslation(['cards', 'operations']);
  const { money } = useFormat();
  const [open, setOpen] = useState<Operation>();
  const list = useCursorList<Operation>(
    ['cards', card, 'operations'],
    ({ limit, cursor, signal }) =>
      unwrap(
        client.GET('/v1/cards/{id}/operations', {
          params: { path: { id: card }, query: { limit, cursor } },
          signal,
        }),
      ),
    { limit: 25 },
  );
  const columns: Column<Operation>[] = [
    { title: t('operations:at'), render: (_, row) => <Moment at={row.at} /> },
    {
      title: t('operations:kind'),
      render: (_, row) => (
        <Button type="link" size="small" className="link" onClick={() => setOpen(row)}>
          {t(`operations:kinds.${row.kind}`)}
        </Button>
      ),
    },
    { title: t('operations:status'), render: (_, row) => <OperationStatus operation={row} /> },
    {
      title: t('amount'),
      align: 'right',
      render: (_, row) => {
        const amount = row.status === 'approved' ? row.approved : row.requested;
        if (amount === 0) return <Absent />;
        const sign = row.status === 'approved' ? SIGNS[signOn(row, card)] : '';
        return <span className="money">{sign + money(amount, currency, exponent)}</span>;
      },
    },
    {
      title: t('balance_after'),
      align: 'right',
      render: (_, row) => {
        const after = row.status === 'approved' ? afterOn(row, card) : undefined;
        return after ? (
          <Money amount={after.balance} currency={currency} exponent={exponent} />
        ) : (
          <Absent />
        );
      },
    },
    {
      title: t('operations:place'),
      render: (_, row) =>
        row.store ? (
          <Named kind="stores" id={row.store} />
        ) : row.merchant ? (
          <Named kind="merchants" id={row.merchant} />
        ) : (
          (row.channel ?? <Absent />)
        ),
    },
    { title: t('reason'), render: (_, row) => row.reason ?? row.reference ?? <Absent /> },
  ];
  return (
    <>
      <CursorTable
        label={t('timeline')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        empty={<EmptyState title={t('timeline_none')} hint={t('timeline_none_hint')} />}
      />
      {open && (
        <OperationDrawer
          operation={open}
          onClose={() => setOpen(undefined)}
          onDone={() => {
            setOpen(undefined);
            list.refetch();
            onDone();
          }}
        />
      )}
    </>
  );
}
