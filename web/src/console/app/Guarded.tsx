// A page that the person may not see says so, rather than showing a row of refused requests.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '@/shared/page';
import { useCan, type Permission } from '@/shared/session';

export function Guarded({
  anyOf,
  children,
}: {
  anyOf: readonly Permission[];
  children: ReactNode;
}) {
  const { t } = useTranslation();
  if (useCan(...anyOf)) return children;
  return <EmptyState title={t('forbidden.title')} hint={t('forbidden.hint')} />;
}
