// One person: roles and place, whether he is let in, his sessions, and help when the second factor is lost.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, Popconfirm } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { User } from '@/api/pending';
import { ErrorBox } from '@/shared/ErrorBox';
import { Moment } from '@/shared/format';
import { Id } from '@/shared/Id';
import { Facts, Loaded, Page, Panel } from '@/shared/page';
import { useCan, useSession } from '@/shared/session';
import { Sessions } from './Sessions';
import { UserStatus } from './UsersPage';
import { WhereAndWhat } from './WhereAndWhat';

export function Component() {
  const { t } = useTranslation('users');
  const { id = '' } = useParams();
  const query = useQuery({
    queryKey: ['users', id],
    queryFn: ({ signal }) =>
      unwrap(client.GET('/v1/users/{id}', { params: { path: { id } }, signal })),
  });
  return (
    <Page title={query.data?.name ?? t('user')} above={<Link to="/users">← {t('title')}</Link>}>
      <Loaded query={query}>{(user) => <Details key={user.version} user={user} />}</Loaded>
    </Page>
  );
}

function Details({ user }: { user: User }) {
  const { t } = useTranslation(['users', 'common']);
  const own = useSession().user.id === user.id;
  const mayAudit = useCan('audit_read');
  return (
    <>
      <Panel>
        <Facts
          rows={[
            [t('login'), user.login],
            [t('status'), <UserStatus key="status" status={user.status} />],
            [t('second_factor'), user.second_factor ? t('common:yes') : t('common:no')],
            [t('created_at'), <Moment key="at" at={user.created_at} />],
            [t('id'), <Id key="id" id={user.id} />],
            [
              t('trail'),
              mayAudit && (
                <Link key="trail" to={`/audit?user=${user.id}`}>
                  {t('trail_open')}
                </Link>
              ),
            ],
          ]}
        />
      </Panel>
      {own ? <p>{t('own_user')}</p> : <Change user={user} />}
      <Panel title={t('sessions')}>
        <Sessions user={user.id} />
      </Panel>
      {!own && <Help user={user} />}
    </>
  );
}

/** A change names the version it is based on, so that two administrators do not overwrite each other. */
function useChange(user: User) {
  const queries = useQueryClient();
  const { message } = App.useApp();
  const { t } = useTranslation('common');
  return useMutation({
    mutationFn: (body: Record<string, unknown>) =>
      unwrap(
        client.PATCH('/v1/users/{id}', {
          params: { path: { id: user.id } },
          body: { version: user.version, ...body },
        }),
      ),
    onSuccess: async () => {
      void message.success(t('saved'));
      await queries.invalidateQueries({ queryKey: ['users'] });
    },
  });
}

interface Values {
  name: string;
  roles: string[];
  merchant?: string;
  store?: string;
}

/** Only what differs: a change of rights ends sessions, a new name alone does not. `null` unbinds. */
function changed(user: User, values: Values): Record<string, unknown> {
  const same = (a: string[], b: string[]) => [...a].sort().join() === [...b].sort().join();
  const change: Record<string, unknown> = {};
  if (values.name !== user.name) change.name = values.name;
  if (!same(values.roles, user.roles)) change.roles = values.roles;
  if (values.merchant !== user.merchant) change.merchant = values.merchant ?? null;
  if (values.store !== user.store && values.merchant) change.store = values.store ?? null;
  return change;
}

function Change({ user }: { user: User }) {
  const { t } = useTranslation(['users', 'common']);
  const change = useChange(user);
  return (
    <Panel title={t('change')}>
      {change.error && <ErrorBox error={change.error} />}
      <Form
        layout="vertical"
        className="narrow-form"
        initialValues={{
          name: user.name,
          roles: user.roles,
          merchant: user.merchant ?? undefined,
          store: user.store ?? undefined,
        }}
        onFinish={(values: Values) => change.mutate(changed(user, values))}
      >
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, message: t('name_missing') }]}
        >
          <Input maxLength={100} autoComplete="off" />
        </Form.Item>
        <WhereAndWhat keep={user.roles} />
        <p className="lead">{t('change_ends_sessions')}</p>
        <Button type="primary" htmlType="submit" loading={change.isPending}>
          {t('common:action.save')}
        </Button>
      </Form>
    </Panel>
  );
}

function Help({ user }: { user: User }) {
  const { t } = useTranslation('users');
  const { message } = App.useApp();
  const change = useChange(user);
  const reset = useMutation({
    mutationFn: () =>
      unwrap(
        client.POST('/v1/users/{id}/reset-second-factor', { params: { path: { id: user.id } } }),
      ),
    onSuccess: () => void message.success(t('reset_done')),
  });
  const closed = user.status === 'closed';
  return (
    <Panel title={t('help')}>
      {(reset.error ?? change.error) && <ErrorBox error={reset.error ?? change.error} />}
      <div className="actions">
        <Popconfirm title={t('reset_sure')} onConfirm={() => reset.mutate()}>
          <Button loading={reset.isPending}>{t('reset')}</Button>
        </Popconfirm>
        <Popconfirm
          title={closed ? t('let_in_sure') : t('shut_out_sure')}
          onConfirm={() => change.mutate({ status: closed ? 'active' : 'closed' })}
        >
          <Button danger={!closed} loading={change.isPending}>
            {closed ? t('let_in') : t('shut_out')}
          </Button>
        </Popconfirm>
      </div>
    </Panel>
  );
}
