// One request that moves value, from the moment it is kept in the journal until it is settled.
import { useEffect, useRef, useState } from 'react';
import { newIdempotencyKey } from '@/api/idempotency';
import { send, type Request } from '@/handheld/http';
import { suspectSilence } from '@/handheld/online';
import { whileSending } from './doubt';
import { journal, type Unsettled } from './journal';
import { sendUntilAnswered, waitOrOnline, type Operation, type Outcome } from './persist';
import { useTill } from './session';

export type Sending =
  | { step: 'idle' }
  | { step: 'under_way'; entry: Unsettled; silences: number }
  | { step: 'over'; entry: Unsettled; outcome: Outcome }
  /** It could not be noted down, so it was not sent. */
  | { step: 'not_begun' };

export type Draft = Pick<Unsettled, 'kind' | 'amount' | 'currency' | 'last4'>;

const IDLE: Sending = { step: 'idle' };

/** Leaving the page while something is unanswered is asked about. */
function useLeaveWarning(active: boolean) {
  useEffect(() => {
    if (!active) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [active]);
}

export function useSending() {
  const { session } = useTill();
  const [state, setState] = useState<Sending>(IDLE);
  const stopper = useRef<AbortController | undefined>(undefined);
  useLeaveWarning(state.step === 'under_way');

  async function begin(draft: Draft, request: Omit<Request, 'key'>) {
    const entry: Unsettled = {
      ...draft,
      key: newIdempotencyKey(),
      reversalKey: newIdempotencyKey(),
      at: new Date().toISOString(),
      user: session.user.id,
      userName: session.user.name,
    };
    if (!journal.add(entry)) return setState({ step: 'not_begun' });
    const stop = new AbortController();
    stopper.current = stop;
    setState({ step: 'under_way', entry, silences: 0 });
    const means = { send: (sent: Request) => send<Operation>(sent), wait: waitOrOnline };
    const onSilence = (silences: number) => {
      suspectSilence();
      setState((now) => (isOf(now, entry) ? { step: 'under_way', entry, silences } : now));
    };
    const sent = { ...request, key: entry.key };
    const outcome = await whileSending(entry.key, () =>
      sendUntilAnswered(sent, means, stop.signal, onSilence),
    );
    // Settled even if the cashier has gone on meanwhile.
    if (outcome.type !== 'in_doubt') journal.remove(entry.key);
    setState((now) => (isOf(now, entry) ? { step: 'over', entry, outcome } : now));
  }

  /** Waits no longer: the request stays in the journal. */
  function giveUp() {
    stopper.current?.abort();
    setState((now) =>
      now.step === 'under_way'
        ? { step: 'over', entry: now.entry, outcome: { type: 'in_doubt' } }
        : now,
    );
  }

  return { state, begin, giveUp, clear: () => setState(IDLE) };
}

function isOf(state: Sending, entry: Unsettled): boolean {
  return 'entry' in state && state.entry.key === entry.key;
}
