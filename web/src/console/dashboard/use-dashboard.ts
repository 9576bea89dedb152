// The figures of the dashboard and how they stay fresh: the server sends a tick when something changed (SSE);
// without that connection the page asks every 15 seconds. In a hidden tab it does neither.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client, unwrap } from '@/api/client';
import { listen } from '@/shared/server-events';
import { readDashboard } from './read';

export type { Dashboard } from './read';

const KEY = ['dashboard'];
const POLL_MS = 15_000;
/** Even with ticks: figures that are no events (latency, due dates) are asked for again. */
const REFRESH_MS = 60_000;
const EVENTS = '/v1/dashboard/events';

function useTicks(enabled: boolean): boolean {
  const queries = useQueryClient();
  const [live, setLive] = useState(false);
  useEffect(() => {
    if (!enabled) return undefined;
    let stop = new AbortController();
    const follow = () => {
      stop.abort();
      if (document.visibilityState !== 'visible') return;
      stop = new AbortController();
      const listener = {
        onOpen: () => setLive(true),
        onClose: () => setLive(false),
        onEvent: () => void queries.invalidateQueries({ queryKey: KEY }),
      };
      void listen(EVENTS, listener, stop.signal);
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      stop.abort();
    };
  }, [queries, enabled]);
  return live;
}

/** Figures are an issuer's: who runs the platform has none. */
export function useDashboard(enabled: boolean) {
  const live = useTicks(enabled);
  const query = useQuery({
    queryKey: KEY,
    enabled,
    queryFn: async ({ signal }) =>
      readDashboard(await unwrap(client.GET('/v1/dashboard', { signal }))),
    staleTime: 1_000,
    refetchInterval: live ? REFRESH_MS : POLL_MS,
  });
  return { query, live };
}
