// One thing that a button does: busy meanwhile, and what went wrong afterwards.
import { useState } from 'react';
import { isExpired } from './api';
import { useWallet } from './context';

export function useAction() {
  const { onExpired } = useWallet();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  async function run(work: () => Promise<void>) {
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (failure) {
      if (isExpired(failure)) onExpired();
      setError(failure);
    } finally {
      setBusy(false);
    }
  }
  return { busy, error, run: (work: () => Promise<void>) => void run(work) };
}
