// One role: its names, what it lets do, and up to which amounts without a second person. Built-in ones are shown
// only; a new one may begin as a copy of another (`/roles/new?from=role_…`).
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Checkbox, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { Role } from '@/api/pending';
import { ErrorBox } from '@/shared/ErrorBox';
import { Loaded, Page, Panel } from '@/shared/page';
import { useSession } from '@/shared/session';
import { LimitFields, LIMIT_KINDS, NO_LIMITS } from './LimitFields';
import { ROLES, useRoles } from './use-roles';

type Draft = Pick<Role, 'code' | 'name_zh' | 'name_en' | 'permissions' | 'limits'>;
const NEW: Draft = { code: '', name_zh: '', name_en: '', permissions: [], limits: NO_LIMITS };

export function Component() {
  const { t } = useTranslation('users');
  const { id = '' } = useParams();
  const [params] = useSearchParams();
  const isNew = id === 'new';
  const from = isNew ? params.get('from') : id;
  const { nameOf } = useRoles();
  const query = useQuery({
    queryKey: [...ROLES, from],
    enabled: Boolean(from),
    queryFn: ({ signal }) =>
      unwrap(client.GET('/v1/roles/{id}', { params: { path: { id: from! } }, signal })),
  });
  const above = <Link to="/roles">← {t('roles')}</Link>;
  if (isNew && !from) {
    return (
      <Page title={t('role_new')} above={above}>
        <RoleForm draft={NEW} />
      </Page>
    );
  }
  return (
    <Page title={isNew ? t('role_new') : query.data ? nameOf(query.data) : t('role')} above={above}>
      <Loaded query={query}>
        {(role) =>
          isNew ? (
            <RoleForm key="copy" draft={{ ...role, code: '', name_zh: '', name_en: '' }} />
          ) : (
            <RoleForm key={`${role.id}${role.version}`} draft={role} role={role} />
          )
        }
      </Loaded>
    </Page>
  );
}

function useSave(role: Role | undefined) {
  const { t } = useTranslation('common');
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  return useMutation({
    mutationFn: (draft: Draft) => {
      if (!role) return unwrap(client.POST('/v1/roles', { body: { ...draft } }));
      return unwrap(
        client.PUT('/v1/roles/{id}', {
          params: { path: { id: role.id } },
          body: { ...draft, code: role.code, version: role.version },
        }),
      );
    },
    onSuccess: async (saved) => {
      void message.success(t('saved'));
      await queries.invalidateQueries({ queryKey: ROLES });
      if (!role) await navigate(`/roles/${saved.id}`, { replace: true });
    },
  });
}

function RoleForm({ draft, role }: { draft: Draft; role?: Role }) {
  const { t } = useTranslation(['users', 'common']);
  const navigate = useNavigate();
  const save = useSave(role);
  const fixed = role?.built_in ?? false;
  const { issuer } = useSession();
  return (
    <Form
      layout="vertical"
      disabled={fixed}
      initialValues={draft}
      className="page"
      onFinish={(values: Draft) =>
        save.mutate({ ...values, limits: { ...NO_LIMITS, ...values.limits } })
      }
    >
      {save.error && <ErrorBox error={save.error} />}
      <Panel>
        <div className="narrow-form">
          <Form.Item
            name="name_zh"
            label={t('name_zh')}
            rules={[{ required: true, message: t('name_missing') }]}
          >
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item
            name="name_en"
            label={t('name_en')}
            rules={[{ required: true, message: t('name_missing') }]}
          >
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item
            name="code"
            label={t('code')}
            extra={t('code_hint')}
            rules={[{ required: true, pattern: /^[a-z][a-z0-9_]{1,39}$/, message: t('code_hint') }]}
          >
            <Input maxLength={40} disabled={fixed || role !== undefined} />
          </Form.Item>
        </div>
      </Panel>
      <Panel title={t('permissions')}>
        <p className="lead">{t('permissions_hint')}</p>
        <Form.Item name="permissions" noStyle>
          <Permissions kept={draft.permissions} />
        </Form.Item>
      </Panel>
      <Panel title={t('limits')}>
        <p className="lead">{t('limits_hint')}</p>
        {LIMIT_KINDS.map((kind) => (
          <LimitFields
            key={kind}
            kind={kind}
            currency={issuer?.currency ?? 'CNY'}
            disabled={fixed}
          />
        ))}
      </Panel>
      <div className="actions">
        {!fixed && (
          <Button type="primary" htmlType="submit" loading={save.isPending}>
            {t('common:action.save')}
          </Button>
        )}
        {role && (
          <Button disabled={false} onClick={() => void navigate(`/roles/new?from=${role.id}`)}>
            {t('role_copy')}
          </Button>
        )}
      </div>
    </Form>
  );
}

/** Only permissions that the person has himself can be given; those the role has already stay visible. */
function Permissions({
  kept,
  value,
  onChange,
}: {
  kept: string[];
  value?: string[];
  onChange?: (to: string[]) => void;
}) {
  const { t, i18n } = useTranslation('catalog');
  const own: readonly string[] = useSession().permissions;
  const offered = [...new Set([...own, ...kept])].sort();
  const label = (name: string) =>
    i18n.exists(`catalog:scope.${name}`) ? t(`scope.${name}`) : name;
  return (
    <Checkbox.Group
      className="permission-grid"
      value={value}
      onChange={onChange}
      options={offered.map((name) => ({
        value: name,
        label: label(name),
        disabled: !own.includes(name),
      }))}
    />
  );
}
