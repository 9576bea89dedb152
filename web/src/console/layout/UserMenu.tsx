// The person at the right of the top bar: who, in which roles, own settings, log-out.
import { UserOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { client, unwrap } from '@/api/client';
import { ErrorBox } from '@/shared/ErrorBox';
import { MenuButton } from '@/shared/MenuButton';
import { useSession } from '@/shared/session';

export function UserMenu() {
  const { t, i18n } = useTranslation();
  const { user, roles } = useSession();
  const navigate = useNavigate();
  const logOut = useMutation({
    mutationFn: () => unwrap(client.DELETE('/v1/sessions/current')),
    // A full load of the page: nothing that was on screen stays in memory.
    onSuccess: () => location.assign('/login'),
  });
  const roleNames = roles
    .map((role) => (i18n.language === 'zh' ? role.name_zh : role.name_en))
    .join(' · ');
  return (
    <>
      {logOut.error && (
        <div className="top-alert">
          <ErrorBox error={logOut.error} onRetry={() => logOut.mutate()} />
        </div>
      )}
      <MenuButton
        icon={<UserOutlined />}
        label={t('user.menu', { name: user.name })}
        head={
          <>
            <strong>{user.name}</strong>
            <div>{roleNames}</div>
          </>
        }
        items={[
          { key: 'profile', label: t('user.profile'), onSelect: () => void navigate('/profile') },
          { key: 'logout', label: t('user.logout'), onSelect: () => logOut.mutate() },
        ]}
      >
        <span className="wide-only">{user.name}</span>
      </MenuButton>
    </>
  );
}
