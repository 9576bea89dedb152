// Sending a request that moves value until it is answered: the same key and the same body every time, so that
// however often it arrives, it counts once.
//
// Invariant: after one attempt that nobody answered, only an operation settles the request. A refusal then
// proves nothing, because the attempt before it may have been stored, or may still arrive.
import { Refused, Unanswered, type Answer, type Request } from '@/handheld/http';
import type { components } from '@/api/schema';

export type Operation = components['schemas']['Operation'];

export type Outcome =
  | { type: 'answered'; operation: Operation }
  /** A second person has to agree first. */
  | { type: 'awaiting_approval' }
  /** Nothing happened, and nothing will. */
  | { type: 'refused'; refusal: Refused }
  /** Not known; ask for the key later. */
  | { type: 'in_doubt' };

export interface Means {
  send: (request: Request) => Promise<Answer<Operation>>;
  /** Resolves after the time, or earlier when the network comes back. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;
/** The server is there but cannot take the request now; it stored nothing. */
const LATER = new Set([429, 503]);
/** Whether the server stored something is not known. */
const UNKNOWN = new Set([500, 504]);

type Attempt = Outcome | { type: 'again'; afterMs?: number | undefined; silent: boolean };

function judged(error: unknown): Attempt {
  if (error instanceof Unanswered) return { type: 'again', silent: true };
  if (!(error instanceof Refused)) throw error;
  const afterMs =
    error.retryAfterSeconds === undefined ? undefined : error.retryAfterSeconds * 1000;
  if (UNKNOWN.has(error.status)) return { type: 'again', afterMs, silent: true };
  if (LATER.has(error.status)) return { type: 'again', afterMs, silent: false };
  return { type: 'refused', refusal: error };
}

async function attempt(request: Request, means: Means): Promise<Attempt> {
  try {
    const { status, data } = await means.send(request);
    if (status === 202) return { type: 'awaiting_approval' };
    return { type: 'answered', operation: data };
  } catch (error) {
    return judged(error);
  }
}

/** Sends until answered, or until `signal` says that nobody waits any more. */
export async function sendUntilAnswered(
  request: Request,
  means: Means,
  signal: AbortSignal,
  onSilence: (attempts: number) => void = () => {},
): Promise<Outcome> {
  let mayBeStored = false;
  let waitMs = FIRST_WAIT_MS;
  for (let attempts = 1; ; attempts++) {
    // The request itself is not torn off when nobody waits any more: its answer may be on the way.
    const result = await attempt(request, means);
    if (result.type === 'refused') return mayBeStored ? { type: 'in_doubt' } : result;
    if (result.type !== 'again') return result;
    mayBeStored ||= result.silent;
    onSilence(attempts);
    if (!signal.aborted) await means.wait(result.afterMs ?? waitMs, signal);
    if (signal.aborted) return { type: 'in_doubt' };
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** A wait that ends early when the network comes back or nobody waits any more. */
export function waitOrOnline(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener('online', done);
    signal.addEventListener('abort', done);
  });
}
