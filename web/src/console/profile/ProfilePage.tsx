// One's own account: password, second factors, sessions.
import { useTranslation } from 'react-i18next';
import { Facts, Page, Panel } from '@/shared/page';
import { useSession } from '@/shared/session';
import { Sessions } from '../users/Sessions';
import { Passkeys } from './Passkeys';
import { PasswordForm } from './PasswordForm';
import { Totp } from './Totp';

export function Component() {
  const { t, i18n } = useTranslation('profile');
  const { user, issuer, merchant, store, roles } = useSession();
  return (
    <Page title={t('title')}>
      <Panel>
        <Facts
          rows={[
            [t('name'), user.name],
            [t('login'), user.login],
            [t('issuer'), issuer?.name],
            [t('merchant'), merchant?.name],
            [t('store'), store?.name],
            [
              t('roles'),
              roles
                .map((role) => (i18n.language === 'zh' ? role.name_zh : role.name_en))
                .join(' · '),
            ],
          ]}
        />
      </Panel>
      <div className="profile-grid">
        <Panel title={t('password')}>
          <PasswordForm />
        </Panel>
        <Panel title={t('totp')}>
          <Totp />
        </Panel>
        <Panel title={t('passkeys')}>
          <Passkeys />
        </Panel>
        <Panel title={t('sessions')}>
          <Sessions />
        </Panel>
      </div>
    </Page>
  );
}
