// Lets only a person with a session through. Nobody logged in: to the log-in page and back afterwards. A session
// that ends while pages are open leaves them as they are: the dialog asks for the log-in in place.
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState, type ReactNode } from 'react';
import { Navigate, useLocation } from 'react-router';
import { ErrorBox } from '@/shared/ErrorBox';
import { SessionProvider, type CurrentSession } from '@/shared/session';
import { SessionDialog } from './SessionDialog';
import { sessionQuery } from './session-query';
import { Starting } from './Starting';

export function SessionGate({ children }: { children: ReactNode }) {
  const query = useQuery(sessionQuery);
  const location = useLocation();
  const [known, setKnown] = useState<CurrentSession>();
  // In small pieces, as the dashboard: the whole frame is drawn when the session is known.
  const data = useDeferredValue(query.data);
  if (data && data !== known) setKnown(data);

  const session = data ?? known;
  if (session) {
    return (
      <SessionProvider value={session}>
        {children}
        <SessionDialog session={session} ended={data === null} />
      </SessionProvider>
    );
  }
  if (query.error) {
    return (
      <div className="alone">
        <ErrorBox error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  if (data === null) {
    const back = location.pathname + location.search;
    return (
      <Navigate to={back === '/' ? '/login' : `/login?to=${encodeURIComponent(back)}`} replace />
    );
  }
  return <Starting />;
}
