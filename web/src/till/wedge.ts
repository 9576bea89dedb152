// Scanners that are plugged in type what they read, faster than any hand, and press Enter. Such a burst counts
// as a scan wherever the focus is, and the field that it fell into gets its former content back.
import { useEffect, useEffectEvent } from 'react';

/** The shortest thing that is scanned here: the id of a receipt without its prefix. */
const MIN_LENGTH = 13;
const MAX_LENGTH = 64;
/** Hands need longer for each key, on average; slow scanners about 20 ms. */
const MAX_MEAN_MS = 45;
/** A busy browser hands single keys over late; a pause as long as this is a hand's, or a stall. */
const MAX_GAP_MS = 150;
/** What comes later than this has nothing to do with what came before. */
const MAX_STALL_MS = 2_000;

export interface Key {
  key: string;
  at: number;
}

interface Run {
  text: string;
  began: number;
}

/**
 * Follows keys and says when a burst is complete. A machine's keys can stall on their way: what came before the
 * pause may then be the beginning of the same scan, whose rest alone could be another card's number.
 */
export class BurstReader {
  /** Runs of keys without a pause between them: the last one, and those before it that only a stall cut off. */
  #runs: Run[] = [];
  #last = -Infinity;

  /** Whether the next key begins a run. */
  isFresh(at: number): boolean {
    return this.#runs.length === 0 || at - this.#last > MAX_GAP_MS;
  }

  /** Whether the next key's run can be the rest of what stands before it. */
  isRest(at: number): boolean {
    const run = this.#runs.at(-1);
    if (!run || at - this.#last > MAX_STALL_MS) return false;
    return run.text.length > 1 && this.#last - run.began <= run.text.length * MAX_MEAN_MS;
  }

  /** What this key completes: the last run, after everything that may belong to it. */
  take({ key, at }: Key): string[] {
    if (this.isFresh(at)) {
      this.#runs = [...(this.isRest(at) ? this.#runs : []), { text: '', began: at }];
    }
    this.#last = at;
    const run = this.#runs.at(-1)!;
    if (key === 'Enter') {
      const fast = at - run.began <= run.text.length * MAX_MEAN_MS;
      const whole = this.#runs.map(({ text }) => text).join('');
      this.#runs = [];
      if (!fast) return [];
      return [...new Set([whole, run.text])].filter((text) => text.length >= MIN_LENGTH);
    }
    if (key.length !== 1) return []; // Shift and the like
    run.text += key;
    if (this.#runs.reduce((length, { text }) => length + text.length, 0) > MAX_LENGTH) {
      this.#runs = [];
    }
    return [];
  }
}

type Restore = () => void;

/** Keeps what a field holds, in a way that React notices when it is put back. */
function remember(element: Element | null): Restore {
  if (!(element instanceof HTMLInputElement)) return () => {};
  const { value } = element;
  return () => {
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set;
    set?.call(element, value);
    element.dispatchEvent(new Event('input', { bubbles: true }));
  };
}

/** The field that codes are typed into by hand is marked with this. */
export const ENTRY = { 'data-entry': 'code' };

/**
 * Calls back with what a plugged-in scanner reads; the answer says whether it was something. What was nothing may
 * be the end of what a hurried hand typed into the field for codes, which then takes it as a whole.
 */
export function useScannerKeys(onScan: (text: string) => boolean) {
  const scanned = useEffectEvent(onScan);
  useEffect(() => {
    const reader = new BurstReader();
    /** Of the first run, and of the last one. */
    let restore: [Restore, Restore] = [() => {}, () => {}];
    const listen = (event: KeyboardEvent) => {
      if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
      const at = event.timeStamp;
      if (reader.isFresh(at)) {
        const now = remember(document.activeElement);
        restore = [reader.isRest(at) ? restore[0] : now, now];
      }
      const texts = reader.take({ key: event.key, at });
      if (texts.length === 0) return;
      const byHand =
        document.activeElement instanceof HTMLElement && 'entry' in document.activeElement.dataset;
      const taken = texts.findIndex((text) => scanned(text));
      if (taken < 0 && byHand) return;
      event.preventDefault();
      event.stopPropagation();
      restore[taken > 0 ? 1 : 0]();
    };
    // Before the page's own handlers: the Enter of a scan must not press a button.
    addEventListener('keydown', listen, { capture: true });
    return () => removeEventListener('keydown', listen, { capture: true });
  }, []);
}
