import { describe, expect, it } from 'vitest';
import { Refused, Unanswered, type Request } from '@/handheld/http';
import { sendUntilAnswered, type Means, type Operation } from './persist';

const request: Request = { method: 'POST', path: '/v1/redemptions', key: 'k', body: { amount: 1 } };
const operation = { id: 'op_00000003nqk8n', status: 'approved' } as Operation;

const refused = (status: number, code: string, after?: number) =>
  new Refused({ status, code, title: '', detail: '', type: '', request_id: '' } as never, after);

/** Answers in turn, and keeps what was sent and how long was waited. */
function means(...answers: (unknown | 'operation' | 'approval')[]) {
  const sent: Request[] = [];
  const waits: number[] = [];
  const it: Means = {
    send: async (request) => {
      sent.push(request);
      const answer = answers.shift();
      if (answer === 'operation') return { status: 201, data: operation };
      if (answer === 'approval') return { status: 202, data: operation };
      throw answer;
    },
    wait: async (ms) => void waits.push(ms),
  };
  return { it, sent, waits };
}

const send = (used: Means) => sendUntilAnswered(request, used, new AbortController().signal);

describe('sending until answered', () => {
  it('sends the same key and body again until there is an answer', async () => {
    const used = means(
      new Unanswered(),
      new Unanswered(),
      refused(504, 'outcome_unknown'),
      'operation',
    );
    expect(await send(used.it)).toEqual({ type: 'answered', operation });
    expect(used.sent).toEqual([request, request, request, request]);
    expect(used.waits).toEqual([500, 1000, 2000]);
  });

  it('waits as long as the server asks for', async () => {
    const used = means(refused(429, 'rate_limited', 3), 'operation');
    await send(used.it);
    expect(used.waits).toEqual([3000]);
  });

  it('takes a first refusal as final: nothing was stored', async () => {
    const refusal = refused(404, 'card_unknown');
    expect(await send(means(refusal).it)).toEqual({ type: 'refused', refusal });
    const busyBefore = means(refused(503, 'busy'), refusal);
    expect(await send(busyBefore.it)).toEqual({ type: 'refused', refusal });
  });

  it.each([401, 403, 404, 409])(
    'never takes a %i after silence as proof of anything',
    async (status) => {
      const used = means(new Unanswered(), refused(status, 'whatever'));
      expect(await send(used.it)).toEqual({ type: 'in_doubt' });
    },
  );

  it('leaves doubt when the cashier stops waiting', async () => {
    const stop = new AbortController();
    const used = means(new Unanswered(), new Unanswered());
    const outcome = sendUntilAnswered(request, used.it, stop.signal, () => stop.abort());
    expect(await outcome).toEqual({ type: 'in_doubt' });
    expect(used.sent).toHaveLength(1);
  });

  it('knows that a second person may have to agree', async () => {
    expect(await send(means('approval').it)).toEqual({ type: 'awaiting_approval' });
  });
});
