// The explorer of operations: what was done, where, by whom, and how it was decided.
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { useFilters } from '@/shared/filters';
import { Absent, Money, Moment } from '@/shared/format';
import { EmptyState, Page } from '@/shared/page';
import { useTimeZone } from '@/shared/session';
import { Named } from '../catalog/Named';
import { ExportButton } from './ExportButton';
import { FilterBar } from './FilterBar';
import { OperationDrawer } from './OperationDrawer';
import { OperationStatus } from './OperationStatus';
import { FILTERS, queryOf, readPage, type Operation, type OperationFilters } from './query';
import { SavedViews } from './SavedViews';
import '../cards/cards.css';

function useColumns(open: (operation: Operation) => void): Column<Operation>[] {
  const { t } = useTranslation('operations');
  return [
    { title: t('at'), render: (_, row) => <Moment at={row.at} /> },
    {
      title: t('kind'),
      render: (_, row) => (
        <Button type="link" size="small" className="link" onClick={() => open(row)}>
          {t(`kinds.${row.kind}`)}
        </Button>
      ),
    },
    { title: t('status'), render: (_, row) => <OperationStatus operation={row} /> },
    {
      title: t('amount'),
      align: 'right',
      render: (_, row) =>
        row.currency && row.requested > 0 ? (
          <Money
            amount={row.status === 'approved' ? row.approved : row.requested}
            currency={row.currency}
          />
        ) : (
          <Absent />
        ),
    },
    {
      title: t('card'),
      render: (_, row) =>
        row.card ? <Link to={`/cards/${row.card.id}`}>•••• {row.card.last4}</Link> : <Absent />,
    },
    {
      title: t('merchant'),
      render: (_, row) =>
        row.merchant ? <Named kind="merchants" id={row.merchant} /> : <Absent />,
    },
    {
      title: t('store'),
      render: (_, row) => (row.store ? <Named kind="stores" id={row.store} /> : <Absent />),
    },
    { title: t('reference'), render: (_, row) => row.reference ?? row.reason ?? <Absent /> },
  ];
}

export function Component() {
  const { t } = useTranslation('operations');
  const timeZone = useTimeZone();
  const [filters, setFilters] = useFilters(FILTERS);
  const [open, setOpen] = useState<Operation>();
  const list = useCursorList<Operation>(['operations', filters], ({ limit, cursor, signal }) =>
    readPage({ ...queryOf(filters, timeZone), limit, cursor }, signal),
  );
  const columns = useColumns(setOpen);
  const choose = (chosen: OperationFilters) =>
    setFilters({ ...Object.fromEntries(FILTERS.map((name) => [name, undefined])), ...chosen });
  return (
    <Page title={t('title')} lead={t('lead')} actions={<ExportButton filters={filters} />}>
      <div className="filters">
        <SavedViews filters={filters} onChoose={choose} />
      </div>
      <FilterBar filters={filters} onChange={setFilters} />
      <CursorTable
        label={t('title')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        empty={<EmptyState title={t('empty')} hint={t('empty_hint')} />}
      />
      {open && (
        <OperationDrawer
          operation={open}
          onClose={() => setOpen(undefined)}
          onDone={() => {
            setOpen(undefined);
            list.refetch();
          }}
        />
      )}
    </Page>
  );
}
