// Sending something that moves value: once, whatever the network does. The key stays the same until an answer
// came; while it is not known what happened, nothing may be changed, only sent again.
import { useRef, useState } from 'react';
import { newIdempotencyKey } from '@/api/idempotency';
import { asProblem } from '@/api/problem';
import type { components } from '@/api/schema';

export type Operation = components['schemas']['Operation'];

/** What the server answers where a second person must agree. */
export interface Waiting {
  approval: { id: string };
}
export type Answer = Operation | Waiting;

export type Phase =
  | { name: 'editing' }
  | { name: 'sending' }
  | { name: 'unknown'; error: unknown }
  | { name: 'refused'; error: unknown }
  | { name: 'declined'; operation: Operation };

export const isWaiting = (answer: object): answer is Waiting => 'approval' in answer;

/** Whether the request may have been done all the same. */
export function mayHaveHappened(error: unknown): boolean {
  const problem = asProblem(error);
  return problem === undefined || problem.status >= 500 || problem.status === 408;
}

interface Done {
  onDone: (operation: Operation) => void;
  onWaiting: (approval: string) => void;
}

export function useSubmission<V>(send: (values: V, key: string) => Promise<Answer>, done: Done) {
  const [phase, setPhase] = useState<Phase>({ name: 'editing' });
  const pending = useRef<{ values: V; key: string } | undefined>(undefined);

  const run = async (request: { values: V; key: string }) => {
    pending.current = request;
    setPhase({ name: 'sending' });
    try {
      const answer = await send(request.values, request.key);
      pending.current = undefined;
      if (isWaiting(answer)) done.onWaiting(answer.approval.id);
      else if (answer.status === 'declined') setPhase({ name: 'declined', operation: answer });
      else done.onDone(answer);
    } catch (error) {
      const unknown = mayHaveHappened(error);
      if (!unknown) pending.current = undefined;
      setPhase(unknown ? { name: 'unknown', error } : { name: 'refused', error });
    }
  };
  return {
    phase,
    /** Sends these values under a new key; or, where the outcome is unknown, the same ones under the same key. */
    submit: (values: V) => void run(pending.current ?? { values, key: newIdempotencyKey() }),
    /** Whether fields may be changed. */
    editable: phase.name !== 'sending' && phase.name !== 'unknown',
  };
}
