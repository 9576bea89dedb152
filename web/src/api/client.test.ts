// A session that ends in the middle of work, against a real server on loopback: the request waits for the log-in
// and is sent again with its body, its idempotency key and the new CSRF token.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { onSessionEnd, setCsrfToken } from './session-state';

interface Seen {
  url: string | undefined;
  csrf: string | undefined;
  key: string | undefined;
  body: string;
}

let server: Server;
let origin: string;
let valid: string;
let code: string;
let seen: Seen[];

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of request) body += String(part);
  return body;
}

beforeAll(async () => {
  server = createServer((request, response) => {
    void read(request).then((body) => {
      const csrf = request.headers['x-csrf-token'] as string | undefined;
      seen.push({
        url: request.url,
        csrf,
        key: request.headers['idempotency-key'] as string,
        body,
      });
      const ok = csrf === valid;
      response.writeHead(ok ? 201 : 401, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(ok ? { id: 'op_1' } : { code, status: 401 }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubGlobal('location', { origin });
  vi.stubGlobal('addEventListener', () => undefined);
});
afterAll(() => server.close());
beforeEach(() => {
  seen = [];
  valid = 'new';
  code = 'session_ended';
  setCsrfToken('old');
});

const post = async (path: string) => {
  const { sessionFetch } = await import('./client');
  const request = new Request(origin + path, {
    method: 'POST',
    headers: { 'Idempotency-Key': 'key-1', 'Content-Type': 'application/json' },
    body: '{"amount":5}',
  });
  return sessionFetch(request);
};

it('sends the same request again after logging in', async () => {
  const stop = onSessionEnd(() => {
    setCsrfToken('new');
    return Promise.resolve(true);
  });
  const response = await post('/v1/loads');
  stop();
  expect(response.status).toBe(201);
  expect(seen).toEqual([
    { url: '/v1/loads', csrf: 'old', key: 'key-1', body: '{"amount":5}' },
    { url: '/v1/loads', csrf: 'new', key: 'key-1', body: '{"amount":5}' },
  ]);
});

it('asks once for all requests that fail together', async () => {
  let asked = 0;
  const stop = onSessionEnd(async () => {
    asked += 1;
    await new Promise((later) => setTimeout(later, 100));
    setCsrfToken('new');
    return true;
  });
  const answers = await Promise.all([
    post('/v1/loads'),
    post('/v1/adjustments'),
    post('/v1/refunds'),
  ]);
  stop();
  expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201]);
  expect(asked).toBe(1);
});

it('gives the refusal back when the person leaves', async () => {
  const stop = onSessionEnd(() => Promise.resolve(false));
  const response = await post('/v1/loads');
  stop();
  expect(response.status).toBe(401);
  expect(seen).toHaveLength(1);
});

it.each([
  ['/v1/sessions', 'session_ended'],
  ['/v1/sessions/second-factor', 'session_ended'],
  ['/v1/sessions/current', 'credentials_missing'],
  ['/v1/invitations/accept', 'credentials_invalid'],
  ['/v1/me/password', 'login_failed'],
])('does not ask where what was typed is wrong: %s %s', async (path, problem) => {
  code = problem;
  const ask = vi.fn(() => Promise.resolve(true));
  const stop = onSessionEnd(ask);
  const response = await post(path);
  stop();
  expect(response.status).toBe(401);
  expect(ask).not.toHaveBeenCalled();
});

it('does not ask before anybody has logged in', async () => {
  setCsrfToken(undefined);
  const ask = vi.fn(() => Promise.resolve(true));
  const stop = onSessionEnd(ask);
  expect((await post('/v1/loads')).status).toBe(401);
  stop();
  expect(ask).not.toHaveBeenCalled();
});
