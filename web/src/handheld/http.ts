// Requests of the light pages. An answer is one of three things: data, a refusal that the server worded, or
// silence. Who moves value must tell the last two apart, so they are types of their own.
import { csrfToken } from '@/api/session-state';
import type { Problem } from '@/api/problem';

/** The server refused, and said why. */
export class Refused extends Error {
  override name = 'Refused';
  constructor(
    readonly problem: Problem,
    readonly retryAfterSeconds: number | undefined,
  ) {
    super(problem.code);
  }
  get code(): string {
    return this.problem.code;
  }
  get status(): number {
    return this.problem.status;
  }
}

/** Nobody answered, or something that is not the server did: what was asked may have been done. */
export class Unanswered extends Error {
  override name = 'Unanswered';
}

export interface Request {
  method?: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  /** Idempotency-Key. */
  key?: string;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** What is already on its way: this page was asked for it before its scripts were there. */
  started?: Promise<Response> | undefined;
}

export interface Answer<T> {
  status: number;
  data: T;
}

const ANSWER_TIMEOUT_MS = 15_000;

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'status' in body;
}

function headersOf(request: Request): Headers {
  const headers = new Headers({ Accept: 'application/json' });
  const token = csrfToken();
  if (request.body !== undefined) headers.set('Content-Type', 'application/json');
  if (request.key) headers.set('Idempotency-Key', request.key);
  if (token && (request.method ?? 'GET') !== 'GET') headers.set('X-CSRF-Token', token);
  return headers;
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  return Number.isFinite(seconds) ? Math.min(seconds, 60) : undefined;
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

/** Sends one request once. Throws {@link Refused} or {@link Unanswered}. */
export async function send<T>(request: Request): Promise<Answer<T>> {
  const limit = AbortSignal.timeout(request.timeoutMs ?? ANSWER_TIMEOUT_MS);
  try {
    const response = await (request.started ??
      fetch(request.path, {
        method: request.method ?? 'GET',
        headers: headersOf(request),
        body: request.body === undefined ? null : JSON.stringify(request.body),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: request.signal ? AbortSignal.any([request.signal, limit]) : limit,
      }));
    const body = await bodyOf(response);
    if (response.ok) return { status: response.status, data: body as T };
    if (isProblem(body)) throw new Refused(body, retryAfter(response));
    throw new Unanswered(`HTTP ${response.status}`);
  } catch (error) {
    if (error instanceof Refused || error instanceof Unanswered) throw error;
    throw new Unanswered(error instanceof Error ? error.name : 'no answer');
  }
}

/** The data of a request for which silence and refusal are the same: reading. */
export async function get<T>(
  path: string,
  signal?: AbortSignal,
  started?: Promise<Response>,
): Promise<T> {
  return (await send<T>({ path, signal, started })).data;
}
