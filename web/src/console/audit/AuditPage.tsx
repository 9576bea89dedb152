// The audit trail: who did what, from where, with which outcome. Nothing here can be changed or removed.
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { AuditEvent } from '@/api/pending';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { DateFilter } from '@/shared/DateField';
import { useFilters } from '@/shared/filters';
import { Absent, Moment } from '@/shared/format';
import { EmptyState, Page } from '@/shared/page';
import { useCan, useTimeZone } from '@/shared/session';
import { StatusTag } from '@/shared/StatusTag';
import { addDays, startOfDay } from '@/shared/time';
import { UserFilter } from './UserFilter';

/** What is asked for most; any other action can be typed into the address. */
const ACTIONS = [
  'POST /v1/sessions',
  'POST /v1/sessions/second-factor',
  'DELETE /v1/sessions/current',
  'POST /v1/me/password',
  'POST /v1/invitations',
  'PATCH /v1/users/{id}',
  'POST /v1/users/{id}/reset-second-factor',
  'POST /v1/roles',
  'PUT /v1/roles/{id}',
  'POST /v1/batches',
  'POST /v1/batches/{id}/export',
  'POST /v1/adjustments',
  'POST /v1/refunds',
  'POST /v1/approvals/{id}/approve',
  'POST /v1/payouts/approve',
];
const FILTERS = ['user', 'action', 'from', 'to'] as const;

export function Component() {
  const { t, i18n } = useTranslation(['audit', 'errors']);
  const zone = useTimeZone();
  const [filters, setFilters] = useFilters(FILTERS);
  const mayNameUsers = useCan('users');
  const errorTitle = (event: AuditEvent) =>
    i18n.exists(`errors:${event.code}.title`)
      ? t(`errors:${event.code}.title`)
      : (event.code ?? event.outcome);
  const list = useCursorList<AuditEvent>(['audit-events', filters], ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/audit-events', {
        params: {
          query: {
            limit,
            cursor,
            user: filters.user,
            action: filters.action,
            from: filters.from && startOfDay(filters.from, zone),
            to: filters.to && startOfDay(addDays(filters.to, 1), zone),
          },
        },
        signal,
      }),
    ),
  );
  const columns: Column<AuditEvent>[] = [
    { title: t('at'), render: (_, event) => <Moment at={event.at} /> },
    {
      title: t('user'),
      render: (_, event) => event.user?.name ?? <Absent />,
    },
    { title: t('action'), render: (_, event) => <code>{event.action}</code> },
    {
      title: t('object'),
      render: (_, event) => (event.object ? <code>{event.object}</code> : <Absent />),
    },
    { title: t('address'), render: (_, event) => event.address ?? <Absent /> },
    {
      title: t('outcome'),
      render: (_, event) => (
        <StatusTag tone={event.outcome === 'succeeded' ? 'good' : 'bad'}>
          {event.outcome === 'succeeded' ? t('succeeded') : errorTitle(event)}
        </StatusTag>
      ),
    },
  ];
  return (
    <Page title={t('title')} lead={t('lead')}>
      <div className="filters">
        <DateFilter
          label={t('from')}
          value={filters.from}
          onChange={(from) => setFilters({ from })}
        />
        <DateFilter label={t('to')} value={filters.to} onChange={(to) => setFilters({ to })} />
        {mayNameUsers && (
          <UserFilter value={filters.user} onChange={(user) => setFilters({ user })} />
        )}
        <label>
          {t('action')}
          <Select
            allowClear
            showSearch
            value={filters.action}
            onChange={(action) => setFilters({ action })}
            options={ACTIONS.map((value) => ({ value, label: value }))}
            popupMatchSelectWidth={false}
            style={{ minWidth: 224 }}
          />
        </label>
      </div>
      <CursorTable
        label={t('title')}
        list={list}
        columns={columns}
        rowKey={(event) => event.id}
        empty={<EmptyState title={t('empty')} hint={t('empty_hint')} />}
      />
    </Page>
  );
}
