// Roles: the built-in ones, which nobody changes, and the issuer's own.
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { Loaded, Page } from '@/shared/page';
import { StatusTag } from '@/shared/StatusTag';
import { useRoles } from './use-roles';

export function Component() {
  const { t } = useTranslation('users');
  const navigate = useNavigate();
  const { query, nameOf } = useRoles();
  return (
    <Page
      title={t('roles')}
      lead={t('roles_lead')}
      actions={
        <Button type="primary" onClick={() => void navigate('/roles/new')}>
          {t('role_new')}
        </Button>
      }
    >
      <Loaded query={query}>
        {({ items }) => (
          <ul className="rows panel">
            {items.map((role) => (
              <li key={role.id}>
                <div>
                  <Link to={`/roles/${role.id}`}>{nameOf(role)}</Link>
                  <div className="row-note">
                    <code>{role.code}</code> ·{' '}
                    {t('permission_count', { count: role.permissions.length })}
                  </div>
                </div>
                <StatusTag tone={role.built_in ? 'neutral' : 'good'}>
                  {role.built_in ? t('role_built_in') : t('role_own')}
                </StatusTag>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Page>
  );
}
