// Whether the server can be reached. The browser's own sign only knows of cables; so the server is asked, rarely
// while all is well and often while it is not.
import { useSyncExternalStore } from 'react';

const CALM_MS = 20_000;
const TROUBLED_MS = 4_000;
const PATIENCE_MS = 5_000;

let reachable = typeof navigator === 'undefined' || navigator.onLine;
let watching = false;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function say(value: boolean) {
  if (reachable === value) return;
  reachable = value;
  listeners.forEach((listener) => listener());
}

function askAfter(ms: number) {
  clearTimeout(timer);
  timer = setTimeout(() => void ask(), ms);
}

async function ask() {
  clearTimeout(timer);
  try {
    const response = await fetch('/healthz', {
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    say(response.ok);
  } catch {
    say(false);
  }
  askAfter(reachable ? CALM_MS : TROUBLED_MS);
}

function watch() {
  if (watching) return;
  watching = true;
  addEventListener('online', () => void ask());
  addEventListener('offline', () => {
    say(false);
    askAfter(TROUBLED_MS);
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void ask();
  });
  void ask();
}

/** To be told by whoever just met silence: asks at once instead of at the next turn. */
export function suspectSilence() {
  void ask();
}

export function useReachable(): boolean {
  return useSyncExternalStore(
    (listener) => {
      watch();
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    () => reachable,
  );
}
