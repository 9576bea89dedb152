// The quiet moment before the first page: no logo that jumps, only a sign for screen readers and a bar.
import { useTranslation } from 'react-i18next';

export function Starting() {
  const { t } = useTranslation();
  return (
    <div className="starting" role="status">
      <span className="visually-hidden">{t('loading')}</span>
    </div>
  );
}
