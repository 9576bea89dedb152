// What became of a request that was not answered: asked by its key, or made certain by reversing it.
import { Refused, send, type Request } from '@/handheld/http';
import type { Unsettled } from './journal';
import { sendUntilAnswered, waitOrOnline, type Operation, type Outcome } from './persist';

export type Found = { type: 'stored'; operation: Operation } | { type: 'not_stored' };

/** Asks the server. "Not stored" holds for now only: what is still on its way can arrive. */
export async function lookUp(entry: Unsettled): Promise<Found> {
  try {
    const request = {
      method: 'POST' as const,
      path: '/v1/operations/lookup',
      body: { key: entry.key },
    };
    return { type: 'stored', operation: (await send<Operation>(request)).data };
  } catch (error) {
    if (error instanceof Refused && error.code === 'operation_unknown')
      return { type: 'not_stored' };
    throw error;
  }
}

/** Undoes it if it was stored, and keeps it from ever counting if it arrives later. */
export function reverse(entry: Unsettled, signal: AbortSignal): Promise<Outcome> {
  const request: Request = {
    method: 'POST',
    path: '/v1/reversals',
    key: entry.reversalKey,
    body: { original_key: entry.key },
  };
  return sendUntilAnswered(
    request,
    { send: (sent) => send<Operation>(sent), wait: waitOrOnline },
    signal,
  );
}

/** The name under which the page that is sending a request holds a lock, so that no other page calls it lost. */
export const lockName = (key: string) => `hexiao.till.${key}`;

/** Runs while the lock of a key is held; without locks, it just runs. */
export function whileSending<T>(key: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request(lockName(key), work) as Promise<T>) : work();
}

/** The keys that some page is sending right now. */
export async function keysUnderWay(): Promise<Set<string>> {
  const held = (await navigator.locks?.query())?.held ?? [];
  const prefix = lockName('');
  const names = held.map((lock) => lock.name ?? '').filter((name) => name.startsWith(prefix));
  return new Set(names.map((name) => name.slice(prefix.length)));
}
