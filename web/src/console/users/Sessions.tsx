// Sessions of a person that are alive: one's own, or those of a user one looks after. Each can be ended.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { browserName } from '@/shared/browser-name';
import { ErrorBox } from '@/shared/ErrorBox';
import { Absent, Moment } from '@/shared/format';
import { Loaded } from '@/shared/page';

export function Sessions({ user }: { user?: string }) {
  const { t } = useTranslation('users');
  const queries = useQueryClient();
  const key = ['sessions', user ?? 'own'];
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      unwrap(client.GET('/v1/sessions', { params: { query: user ? { user } : {} }, signal })),
  });
  const end = useMutation({
    mutationFn: (id: string) =>
      unwrap(
        client.DELETE('/v1/sessions/{id}', {
          params: { path: { id }, query: user ? { user } : {} },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
  return (
    <Loaded query={query}>
      {({ items }) => (
        <>
          {end.error && <ErrorBox error={end.error} />}
          {items.length === 0 && <p>{t('no_sessions')}</p>}
          <ul className="rows">
            {items.map((session) => (
              <li key={session.id}>
                <div>
                  <div>
                    {session.current ? (
                      <strong>{t('this_session')}</strong>
                    ) : (
                      (session.address ?? <Absent />)
                    )}
                  </div>
                  {session.user_agent && (
                    <div className="row-note" title={session.user_agent}>
                      {browserName(session.user_agent)}
                    </div>
                  )}
                  <div className="row-note">
                    {t('last_seen')} <Moment at={session.last_seen_at} />
                  </div>
                </div>
                {!session.current && (
                  <Button
                    size="small"
                    loading={end.isPending && end.variables === session.id}
                    onClick={() => end.mutate(session.id)}
                  >
                    {t('end_session')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </Loaded>
  );
}
