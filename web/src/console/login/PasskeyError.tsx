// What went wrong with a passkey: mostly that the person turned the browser's question down.
import { Alert } from 'antd';
import { useTranslation } from 'react-i18next';
import { ErrorBox } from '@/shared/ErrorBox';
import { wasDeclined, wasThere } from './passkey';

export function PasskeyError({ error }: { error: unknown }) {
  const { t } = useTranslation('login');
  if (!wasDeclined(error) && !wasThere(error)) return <ErrorBox error={error} />;
  const title = wasThere(error) ? t('passkey_there') : t('passkey_declined');
  return <Alert type="warning" showIcon role="alert" className="error-box" title={title} />;
}
