import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { EmptyState } from '@/shared/page';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <EmptyState
      title={t('not_found.title')}
      hint={t('not_found.hint')}
      action={<Link to="/dashboard">{t('not_found.home')}</Link>}
    />
  );
}
