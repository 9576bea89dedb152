// A page that failed to load or to draw. After an upgrade the old page's files are gone: loading anew mends it.
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useRouteError } from 'react-router';
import { EmptyState } from '@/shared/page';

export function Crashed() {
  const { t } = useTranslation();
  const error = useRouteError();
  return (
    <EmptyState
      title={t('crashed.title')}
      hint={
        <>
          {t('crashed.hint')}
          <br />
          <code className="error-detail">{error instanceof Error ? error.message : ''}</code>
        </>
      }
      action={<Button onClick={() => location.reload()}>{t('action.reload')}</Button>}
    />
  );
}
