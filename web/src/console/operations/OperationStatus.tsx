// How an operation was decided; with the reason, if it was declined.
import { useTranslation } from 'react-i18next';
import { StatusTag } from '@/shared/StatusTag';
import type { Operation } from './query';

export function OperationStatus({
  operation,
}: {
  operation: Pick<Operation, 'status' | 'decline'>;
}) {
  const { t, i18n } = useTranslation(['operations', 'declines']);
  const code = operation.decline?.code;
  if (operation.status === 'approved')
    return <StatusTag tone="good">{t('statuses.approved')}</StatusTag>;
  const why = code && (i18n.exists(`declines:${code}`) ? t(`declines:${code}`) : code);
  return <StatusTag tone="bad">{why ?? t('statuses.declined')}</StatusTag>;
}
