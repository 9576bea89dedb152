// People who may log in, and invitations: those that wait to be accepted, which can be withdrawn, and all there were.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Popconfirm, Segmented } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { Invitation, User } from '@/api/pending';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { ErrorBox } from '@/shared/ErrorBox';
import { useCursorList } from '@/shared/cursor-list';
import { useFilters } from '@/shared/filters';
import { Absent, Moment } from '@/shared/format';
import { EmptyState, Page } from '@/shared/page';
import { StatusTag } from '@/shared/StatusTag';
import { Named } from '../catalog/Named';
import { InviteDialog } from './InviteDialog';
import { useRoles } from './use-roles';

const SHOWN = ['users', 'open', 'invitations'] as const;

export function Component() {
  const { t } = useTranslation('users');
  const queries = useQueryClient();
  const [filters, setFilters] = useFilters(['show']);
  const [inviting, setInviting] = useState(false);
  const shown = SHOWN.find((name) => name === filters.show) ?? 'users';
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        <Button type="primary" onClick={() => setInviting(true)}>
          {t('invite.open')}
        </Button>
      }
    >
      <Segmented
        aria-label={t('show')}
        value={shown}
        onChange={(show) => setFilters({ show: show === 'users' ? undefined : show })}
        options={[
          { value: 'users', label: t('users') },
          { value: 'open', label: t('open_invitations') },
          { value: 'invitations', label: t('invitations') },
        ]}
        style={{ alignSelf: 'start' }}
      />
      {shown === 'users' ? <Users /> : <Invitations key={shown} onlyOpen={shown === 'open'} />}
      {inviting && (
        <InviteDialog
          onClose={() => {
            setInviting(false);
            void queries.invalidateQueries({ queryKey: ['invitations'] });
          }}
        />
      )}
    </Page>
  );
}

function Users() {
  const { t } = useTranslation(['users', 'common']);
  const { named } = useRoles();
  const list = useCursorList<User>(['users'], ({ limit, cursor, signal }) =>
    unwrap(client.GET('/v1/users', { params: { query: { limit, cursor } }, signal })),
  );
  const columns: Column<User>[] = [
    { title: t('name'), render: (_, user) => <Link to={`/users/${user.id}`}>{user.name}</Link> },
    { title: t('login'), render: (_, user) => user.login },
    { title: t('roles'), render: (_, user) => user.roles.map(named).join(', ') || <Absent /> },
    {
      title: t('bound_to'),
      render: (_, user) =>
        user.store ? (
          <Named kind="stores" id={user.store} />
        ) : user.merchant ? (
          <Named kind="merchants" id={user.merchant} />
        ) : (
          <Absent />
        ),
    },
    {
      title: t('second_factor'),
      render: (_, user) => (user.second_factor ? t('common:yes') : t('common:no')),
    },
    { title: t('status'), render: (_, user) => <UserStatus status={user.status} /> },
    { title: t('created_at'), render: (_, user) => <Moment at={user.created_at} /> },
  ];
  return (
    <CursorTable
      label={t('users')}
      list={list}
      columns={columns}
      rowKey={(user) => user.id}
      empty={<EmptyState title={t('empty')} hint={t('empty_hint')} />}
    />
  );
}

function Invitations({ onlyOpen }: { onlyOpen: boolean }) {
  const { t } = useTranslation('users');
  const withdraw = useWithdraw();
  const query = onlyOpen ? { status: 'open' as const } : {};
  const list = useCursorList<Invitation>(['invitations', query], ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/invitations', { params: { query: { ...query, limit, cursor } }, signal }),
    ),
  );
  const columns: Column<Invitation>[] = [
    { title: t('name'), render: (_, entry) => entry.name },
    { title: t('login'), render: (_, entry) => entry.login },
    { title: t('expires_at'), render: (_, entry) => <Moment at={entry.expires_at} /> },
    { title: t('status'), render: (_, entry) => <InvitationStatus entry={entry} now={list.at} /> },
    {
      title: t('withdraw.column'),
      render: (_, entry) =>
        invitationState(entry, list.at) === 'open' ? (
          <Popconfirm title={t('withdraw.sure')} onConfirm={() => withdraw.mutate(entry)}>
            <Button
              size="small"
              danger
              aria-label={t('withdraw.of', { name: entry.name })}
              loading={withdraw.isPending && withdraw.variables.id === entry.id}
            >
              {t('withdraw.open')}
            </Button>
          </Popconfirm>
        ) : (
          <Absent />
        ),
    },
  ];
  return (
    <>
      {withdraw.error && <ErrorBox error={withdraw.error} />}
      <CursorTable
        label={t(onlyOpen ? 'open_invitations' : 'invitations')}
        list={list}
        columns={columns}
        rowKey={(entry) => entry.id}
        empty={<EmptyState title={t('no_invitations')} hint={t('empty_hint')} />}
      />
    </>
  );
}

function useWithdraw() {
  const { t } = useTranslation('users');
  const queries = useQueryClient();
  const { message } = App.useApp();
  return useMutation({
    mutationFn: ({ id }: Invitation) =>
      unwrap(client.DELETE('/v1/invitations/{id}', { params: { path: { id } } })),
    onSuccess: () => void message.success(t('withdraw.done')),
    // Also where it failed: somebody accepted it in the meantime.
    onSettled: () => queries.invalidateQueries({ queryKey: ['invitations'] }),
  });
}

export function UserStatus({ status }: { status: User['status'] }) {
  const { t } = useTranslation('users');
  return (
    <StatusTag tone={status === 'active' ? 'good' : 'neutral'}>
      {t(`user_status.${status}`)}
    </StatusTag>
  );
}

function invitationState(
  entry: Invitation,
  now: number,
): 'accepted' | 'withdrawn' | 'expired' | 'open' {
  if (entry.accepted_at) return 'accepted';
  if (entry.withdrawn_at) return 'withdrawn';
  return Date.parse(entry.expires_at) < now ? 'expired' : 'open';
}

function InvitationStatus({ entry, now }: { entry: Invitation; now: number }) {
  const { t } = useTranslation('users');
  const state = invitationState(entry, now);
  const tone = {
    accepted: 'good',
    open: 'waiting',
    withdrawn: 'neutral',
    expired: 'neutral',
  } as const;
  return <StatusTag tone={tone[state]}>{t(`invitation_status.${state}`)}</StatusTag>;
}
