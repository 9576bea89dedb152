// The session as the server knows it; asked for at the start, after log-in and when the window comes back.
import { queryOptions } from '@tanstack/react-query';
import { client, unwrap } from '@/api/client';
import { asProblem } from '@/api/problem';
import { setCsrfToken } from '@/api/session-state';
import type { CurrentSession } from '@/shared/session';

/** `null`: nobody is logged in. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<CurrentSession | null> => {
    try {
      const session = await unwrap(client.GET('/v1/sessions/current', { signal }));
      setCsrfToken(session.csrf_token);
      return session;
    } catch (error) {
      if (asProblem(error)?.status === 401) return null; // also while logging in is not finished
      throw error;
    }
  },
  staleTime: 60_000,
});
