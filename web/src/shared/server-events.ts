// Server-sent events over `fetch` rather than `EventSource`: only so can the request say that nobody's hand made it
// (X-Background), and a page left open does not keep a session alive.

const AGAIN_MS = 2_000;
const AGAIN_AFTER_FAILURE_MS = 30_000;

interface Listener {
  /** Something new; the stream's fields are not read. */
  onEvent: () => void;
  onOpen: () => void;
  onClose: () => void;
}

/** Listens until `signal` is aborted, and opens the stream again when it ends. */
export async function listen(url: string, listener: Listener, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const well = await once(url, listener, signal).catch(() => false);
    listener.onClose();
    if (signal.aborted) return;
    await pause(well ? AGAIN_MS : AGAIN_AFTER_FAILURE_MS, signal);
  }
}

async function once(url: string, listener: Listener, signal: AbortSignal): Promise<boolean> {
  const headers = { Accept: 'text/event-stream', 'X-Background': '1' };
  const response = await fetch(url, { headers, signal, credentials: 'same-origin' });
  if (!response.ok || !response.body) return false;
  listener.onOpen();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return true;
    const { events, rest: unread } = split(rest + value);
    rest = unread;
    if (events > 0) listener.onEvent();
  }
}

/** How many whole events a text has (comments, which keep the connection alive, are none), and what is unread. */
export function split(text: string): { events: number; rest: string } {
  const blocks = text.replaceAll('\r\n', '\n').split('\n\n');
  const rest = blocks.pop() ?? '';
  const events = blocks.filter((block) => /^data:/m.test(block)).length;
  return { events, rest };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
