// How many approvals wait, beside the menu entry. It asks seldom: the inbox itself is live.
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';

const MOST = 50;

export function WaitingBadge() {
  const { t } = useTranslation();
  const { data } = useQuery({
    queryKey: ['approvals', 'waiting'],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/v1/approvals', {
          params: { query: { state: 'pending', limit: MOST } },
          signal,
        }),
      ),
    refetchInterval: 60_000,
    retry: false,
  });
  const count = data?.items.length ?? 0;
  if (count === 0) return null;
  return (
    <span className="count-badge" title={t('approvals_waiting', { count })}>
      {count < MOST ? count : `${MOST - 1}+`}
    </span>
  );
}
