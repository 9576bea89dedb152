// Who is logged in, and what he may do. Screens ask `useCan('catalog_write')` and leave out what is forbidden;
// the server decides in any case.
import { createContext, useContext } from 'react';
import type { components } from '@/api/schema';
import type { CurrentSession } from '@/api/pending';

export type { CurrentSession };
/** The scopes that the server describes, and those that are on their way. */
export type Permission =
  | components['schemas']['Scope']
  | 'users'
  | 'audit_read'
  | 'approve_issue'
  | 'approve_adjust'
  | 'approve_refund'
  | 'approve_terms'
  | 'service_read';

const SessionContext = createContext<CurrentSession | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

/** The session; only below the layout, where there is one. */
export function useSession(): CurrentSession {
  const session = useContext(SessionContext);
  if (!session) throw new Error('no session: this component belongs below the console layout');
  return session;
}

export function allows(session: CurrentSession, anyOf: readonly Permission[]): boolean {
  return anyOf.length === 0 || anyOf.some((permission) => session.permissions.includes(permission));
}

/** `useCan('cards_write')`; with several: any of them. */
export function useCan(...anyOf: Permission[]): boolean {
  return allows(useSession(), anyOf);
}

/** The zone of business dates; the platform's own staff, who belong to no issuer, see their browser's. */
export function useTimeZone(): string {
  return (
    useContext(SessionContext)?.issuer?.time_zone ??
    Intl.DateTimeFormat().resolvedOptions().timeZone
  );
}
