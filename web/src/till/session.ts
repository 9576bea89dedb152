// The cashier's session: who is at the till, for whom, and in which currencies.
import { createContext, use } from 'react';
import { setCsrfToken } from '@/api/session-state';
import { get, Refused, send } from '@/handheld/http';

interface Named {
  id: string;
  name: string;
}

export interface Session {
  user: Named;
  issuer?: Named & { time_zone: string; currency?: string | null };
  merchant?: Named;
  store?: Named;
  permissions: string[];
  csrf_token: string;
}

export interface LoginAnswer {
  status: 'complete' | 'second_factor_needed' | 'second_factor_enrolment_needed';
  second_factors: string[];
}

/** The session, or none if nobody is logged in. */
export async function currentSession(): Promise<Session | undefined> {
  try {
    const session = await get<Session>('/v1/sessions/current');
    setCsrfToken(session.csrf_token);
    return session;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return undefined;
    throw error;
  }
}

export const logIn = async (login: string, password: string) =>
  (await send<LoginAnswer>({ method: 'POST', path: '/v1/sessions', body: { login, password } }))
    .data;

export const giveSecondFactor = async (totp: string) =>
  (await send<LoginAnswer>({ method: 'POST', path: '/v1/sessions/second-factor', body: { totp } }))
    .data;

export async function logOut() {
  await send({ method: 'DELETE', path: '/v1/sessions/current' });
  setCsrfToken(undefined);
}

interface Programs {
  items: { currency: string; status: string }[];
}

/** The currencies a sale can be in: the issuer's, or those of its programs. */
export async function currenciesOf(session: Session): Promise<string[]> {
  const known = session.issuer?.currency;
  if (known) return [known];
  if (!session.permissions.includes('catalog_read')) return ['CNY'];
  const programs = await get<Programs>('/v1/programs?limit=200');
  const open = programs.items.filter((program) => program.status === 'active');
  const found = [...new Set(open.map((program) => program.currency))].sort();
  return found.length > 0 ? found : ['CNY'];
}

export interface Till {
  session: Session;
  currencies: string[];
  /** Called when the server no longer knows the session: asks for the log-in and keeps what is on screen. */
  onExpired: () => void;
}

export const TillContext = createContext<Till | undefined>(undefined);

export function useTill(): Till {
  const till = use(TillContext);
  if (!till) throw new Error('outside of the till');
  return till;
}

/** Whether an error says that the session ended. */
export const isExpired = (error: unknown) => error instanceof Refused && error.status === 401;
