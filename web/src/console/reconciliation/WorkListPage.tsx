// The work list of reconciliation: every difference between others' files and own records, from found to settled
// by two people.
import { Drawer, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api, client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { useFilters } from '@/shared/filters';
import { Moment, Money } from '@/shared/format';
import { EmptyState, Loaded, Page, Panel } from '@/shared/page';
import { StatusTag, type Tone } from '@/shared/StatusTag';
import { AccountName } from '../catalog/AccountName';
import { DifferenceDetail } from './DifferenceDetail';

type Difference = components['schemas']['Difference'];

export const STATUS_TONES: Record<Difference['status'], Tone> = {
  open: 'bad',
  proposed: 'waiting',
  approved: 'good',
  cleared: 'good',
};
const STATUSES = ['open', 'proposed', 'approved', 'cleared'] as const;
const CLASSES = [
  'missing_here',
  'missing_there',
  'amount_differs',
  'duplicate',
  'status_differs',
  'late',
] as const;

export function Component() {
  const { t } = useTranslation('reconciliation');
  const [filters, setFilters] = useFilters(['status', 'class', 'reconciliation'] as const);
  const status = filters.status ?? 'open';
  const [open, setOpen] = useState<string>();
  const list = useCursorList<Difference>(['differences', filters], ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/reconciliation-differences', {
        params: {
          query: {
            limit,
            cursor,
            status: status as Difference['status'],
            class: filters.class as Difference['class'] | undefined,
            reconciliation: filters.reconciliation,
          },
        },
        signal,
      }),
    ),
  );
  const columns: Column<Difference>[] = [
    {
      title: t('reference'),
      render: (_, d) => (
        <a
          href={`#${d.id}`}
          onClick={(event) => {
            event.preventDefault();
            setOpen(d.id);
          }}
        >
          {d.reference || d.id}
        </a>
      ),
    },
    { title: t('class'), render: (_, d) => t(`classes.${d.class}`) },
    { title: t('account'), render: (_, d) => <AccountName account={d.account} /> },
    {
      title: t('here'),
      align: 'right',
      render: (_, d) => <Money amount={d.here} currency={d.currency} />,
    },
    {
      title: t('there'),
      align: 'right',
      render: (_, d) => <Money amount={d.there} currency={d.currency} />,
    },
    {
      title: t('difference'),
      align: 'right',
      render: (_, d) => <Money amount={d.there - d.here} currency={d.currency} />,
    },
    { title: t('at'), render: (_, d) => <Moment at={d.at} /> },
    {
      title: t('status'),
      render: (_, d) => (
        <StatusTag tone={STATUS_TONES[d.status]}>{t(`statuses.${d.status}`)}</StatusTag>
      ),
    },
  ];
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={<Link to="/reconciliation/files">{t('files.title')}</Link>}
    >
      <Ageing />
      <div className="filters">
        <label>
          {t('status')}
          <Select
            aria-label={t('status')}
            value={status}
            onChange={(value) => setFilters({ status: value })}
            options={STATUSES.map((value) => ({ value, label: t(`statuses.${value}`) }))}
            style={{ minWidth: 140 }}
          />
        </label>
        <label>
          {t('class')}
          <Select
            allowClear
            aria-label={t('class')}
            value={filters.class}
            onChange={(value) => setFilters({ class: value })}
            options={CLASSES.map((value) => ({ value, label: t(`classes.${value}`) }))}
            style={{ minWidth: 180 }}
          />
        </label>
      </div>
      <CursorTable
        label={t('title')}
        list={list}
        columns={columns}
        rowKey={(d) => d.id}
        empty={<EmptyState title={t(`empty.${status}`)} hint={t('empty_hint')} />}
      />
      <Drawer
        open={open !== undefined}
        onClose={() => setOpen(undefined)}
        title={t('difference')}
        size={560}
        destroyOnHidden
      >
        {open && <DifferenceDetail id={open} done={() => setOpen(undefined)} />}
      </Drawer>
    </Page>
  );
}

/** How long differences have been waiting: the older, the harder to clear. */
function Ageing() {
  const { t } = useTranslation('reconciliation');
  const query = api.useQuery('get', '/v1/reconciliation-ageing');
  return (
    <Panel title={t('ageing')}>
      <Loaded query={query}>
        {({ ages }) =>
          ages.length === 0 ? (
            <p>{t('nothing_open')}</p>
          ) : (
            <table className="arithmetic">
              <thead>
                <tr>
                  <th>{t('age')}</th>
                  <th>{t('count')}</th>
                  <th>{t('amount')}</th>
                </tr>
              </thead>
              <tbody>
                {ages.map((age) => (
                  <tr key={`${age.days}${age.currency}`}>
                    <th scope="row">{t(`days.${age.days}`)}</th>
                    <td>{age.count}</td>
                    <td>
                      <Money amount={age.amount} currency={age.currency} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </Panel>
  );
}
