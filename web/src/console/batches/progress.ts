// How far a batch is, in whole per cent: made, and activated where that was asked for.
import type { components } from '@/api/schema';

export type Batch = components['schemas']['Batch'];

export function percentDone(
  batch: Pick<Batch, 'activate' | 'activated' | 'count' | 'issued' | 'status'>,
): number {
  if (batch.status === 'complete') return 100;
  const steps = batch.activate ? 2 : 1;
  const done = batch.issued + (batch.activate ? batch.activated : 0);
  // Never full before the server says that it is complete.
  return Math.min(99, Math.floor((done * 100) / (batch.count * steps)));
}

/** How often a page asks while something is being made. */
export const ASK_MS = 1500;
export const isRunning = (batch: Pick<Batch, 'status'>) => batch.status === 'running';
