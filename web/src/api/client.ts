// The one way to the server: typed by the OpenAPI description, with the session's CSRF token on every
// unsafe request. A request that meets an expired session waits for the log-in dialog and is sent again, so
// that a filled-in form is never lost.
import createFetchClient from 'openapi-fetch';
import createQueryClient from 'openapi-react-query';
import { asProblem } from './problem';
import type { paths } from './schema';
import { csrfToken, loginAgain } from './session-state';

export type Paths = paths;

const TIMEOUT_MS = 30_000;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Steps of logging in: a session that ended here is begun again by the same form. */
const LOGGING_IN =
  /^\/v1\/(sessions(\/(current|second-factor.*|passkey.*))?|invitations\/accept|wallet\/.*)$/;
/** With these codes the session is over; other 401 are about what was typed. */
const SESSION_OVER = new Set(['session_ended', 'credentials_missing', 'credentials_invalid']);
/** Requests so long after the person's last input were made by the page itself. */
const BY_ITSELF_MS = 15_000;

let lastInput = Date.now();
for (const event of ['pointerdown', 'keydown']) {
  addEventListener(event, () => (lastInput = Date.now()), { capture: true, passive: true });
}

function send(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  const token = csrfToken();
  if (token && !SAFE.has(request.method)) headers.set('X-CSRF-Token', token);
  // What refreshes itself must not keep a session alive that nobody uses.
  if (Date.now() - lastInput > BY_ITSELF_MS) headers.set('X-Background', '1');
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return fetch(new Request(request, { headers, signal, credentials: 'same-origin' }));
}

async function isOver(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return SESSION_OVER.has(asProblem(problem)?.code ?? '');
}

/** `fetch` with the session: exported for the few answers that are files rather than JSON. */
export async function sessionFetch(request: Request): Promise<Response> {
  const again = request.clone(); // a body can be read only once
  const response = await send(request);
  if (LOGGING_IN.test(new URL(request.url).pathname) || !(await isOver(response))) return response;
  return (await loginAgain()) ? send(again) : response;
}

/** `client.GET('/v1/programs', …)`: for event handlers and mutations; see `unwrap`. */
export const client = createFetchClient<Paths>({ baseUrl: location.origin, fetch: sessionFetch });

/** `api.useQuery('get', '/v1/programs', …)`, `api.useMutation('post', …)`: for components. */
export const api = createQueryClient(client);

/** The data of an answer, or its problem thrown. */
export async function unwrap<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
) {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  throw error ?? new Error(`HTTP ${response.status}`);
}
