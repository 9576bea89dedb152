// Asks the same person to log in again, over the page as it is. Requests that met the expired session wait for
// the answer (see api/session-state.ts) and are then sent again, so that a filled-in form is never lost.
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { onSessionEnd, setCsrfToken } from '@/api/session-state';
import type { CurrentSession } from '@/shared/session';
import { sessionQuery } from './session-query';

const LoginDialog = lazy(() => import('../login/LoginDialog'));

export function SessionDialog({ session, ended }: { session: CurrentSession; ended: boolean }) {
  const queries = useQueryClient();
  const [asked, setAsked] = useState(false);
  const answer = useRef<(again: boolean) => void>(undefined);

  useEffect(
    () =>
      onSessionEnd(
        () =>
          new Promise((resolve) => {
            answer.current = resolve;
            setAsked(true);
          }),
      ),
    [],
  );

  const finish = async () => {
    const fresh = await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
    if (!fresh) return;
    // Somebody else logged in: what the first person had open is not his to send.
    if (fresh.user.id !== session.user.id) return location.assign('/');
    setAsked(false);
    answer.current?.(true);
    answer.current = undefined;
    if (ended) await queries.invalidateQueries();
  };
  const giveUp = () => {
    answer.current?.(false);
    setCsrfToken(undefined);
    location.assign('/login');
  };

  if (!asked && !ended) return null;
  return (
    <Suspense>
      <LoginDialog login={session.user.login} onDone={() => void finish()} onLeave={giveUp} />
    </Suspense>
  );
}
