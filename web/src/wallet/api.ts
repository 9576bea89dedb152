// What the wallet asks the server for. Holders have a session in a cookie; what is not theirs is not there.
import { setCsrfToken } from '@/api/session-state';
import { get, Refused, send } from '@/handheld/http';

export interface Session {
  holder: { id: string; last4: string };
  issuer: { id: string; name: string; time_zone: string };
  csrf_token: string;
  server_time: string;
}

export interface Card {
  id: string;
  program_name: string;
  last4: string;
  state: string;
  currency: string;
  balance: number;
  held: number;
  available: number;
  claimable: number;
  /** Whether it can be reported lost. */
  registered: boolean;
  expires_at?: string | null;
  /** Value that ends within 30 days. */
  expiring: { amount: number; expires_at: string }[];
}

export interface CardOperation {
  id: string;
  kind: string;
  status: string;
  decline?: string;
  amount: number;
  currency?: string;
  balance_after?: number;
  merchant_name?: string;
  store_name?: string;
  at: string;
}

export interface Gift {
  id: string;
  direction: 'incoming' | 'outgoing';
  state: string;
  program_name: string;
  card_last4: string;
  other_last4: string;
  currency: string;
  available?: number | null;
  expires_at: string;
}

export interface Enrolment {
  device: string;
  /** Eight digits. */
  tag: string;
  /** Base64url of 32 bytes; shown this once. */
  secret: string;
  period_s: number;
  server_time: string;
}

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

const post = async <T>(path: string, body?: unknown) =>
  (await send<T>({ method: 'POST', path, body })).data;

function opened(session: Session): Session {
  setCsrfToken(session.csrf_token);
  return session;
}

export async function currentSession(started?: Promise<Response>): Promise<Session | undefined> {
  try {
    return opened(await get<Session>('/v1/wallet/session', undefined, started));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return undefined;
    throw error;
  }
}

export interface CodeSent {
  expires_in_seconds: number;
  again_in_seconds: number;
}

export const sendCode = (issuer: string, phone: string) =>
  post<CodeSent>('/v1/wallet/codes', { issuer, phone });

export const signIn = async (issuer: string, phone: string, code: string) =>
  opened(await post<Session>('/v1/wallet/sessions', { issuer, phone, code }));

export async function signOut() {
  await send({ method: 'DELETE', path: '/v1/wallet/session' });
  setCsrfToken(undefined);
}

export const cards = (started?: Promise<Response>) =>
  get<Page<Card>>('/v1/wallet/cards', undefined, started);
export const addCard = (number: string, pin: string) =>
  post<Card>('/v1/wallet/cards', { number, pin });
export const operations = (card: string, cursor?: string | null) => {
  const query = new URLSearchParams({ limit: '30', ...(cursor ? { cursor } : {}) });
  return get<Page<CardOperation>>(`/v1/wallet/cards/${card}/operations?${query}`);
};
export const reportLost = (card: string) => post<unknown>(`/v1/wallet/cards/${card}/report-lost`);
export const revoke = (device: string) =>
  send({ method: 'DELETE', path: `/v1/wallet/devices/${device}` });
export const enrol = (card: string) => post<Enrolment>(`/v1/wallet/cards/${card}/devices`);
export const give = (card: string, phone: string) =>
  post<Gift>(`/v1/wallet/cards/${card}/gifts`, { phone });
export const gifts = (signal?: AbortSignal) => get<Page<Gift>>('/v1/wallet/gifts', signal);
export const decideGift = (gift: string, decision: 'accept' | 'decline' | 'withdraw') =>
  post<Gift>(`/v1/wallet/gifts/${gift}/${decision}`);

/** Whether an error says that the session ended. */
export const isExpired = (error: unknown) => error instanceof Refused && error.status === 401;
