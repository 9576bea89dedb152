// The log-in as a dialog over the page; it goes away only by logging in or by leaving.
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/shared/Dialog';
import LoginSteps from './LoginSteps';

interface Props {
  login: string;
  onDone: () => void;
  onLeave: () => void;
}

export default function LoginDialog({ login, onDone, onLeave }: Props) {
  // The texts of the steps too: what comes late into a dialog comes after the focus was set.
  const { t } = useTranslation(['common', 'login']);
  return (
    <Dialog
      open
      title={t('session.ended_title')}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={<Button onClick={onLeave}>{t('session.leave')}</Button>}
      width={400}
    >
      <p>{t('session.ended_hint')}</p>
      <LoginSteps login={login} onDone={onDone} />
    </Dialog>
  );
}
