// What was asked for and not answered yet, kept over a reload: the key, the amount and when, so that the cashier
// can ask what became of it. Never a card number, payment code or PIN: those live in memory only.
import { useSyncExternalStore } from 'react';

export interface Unsettled {
  /** The Idempotency-Key of the request. */
  key: string;
  /** The key under which it is reversed, chosen with it so that reversing twice is reversing once. */
  reversalKey: string;
  kind: 'sale' | 'refund';
  amount: number;
  currency: string;
  last4?: string | undefined;
  /** When it was first sent, RFC 3339. */
  at: string;
  /** Whose key it is: nobody else can ask for it. */
  user: string;
  userName: string;
}

const PLACE = 'hexiao.till.unsettled';
/** A till that cannot settle this many has another problem; no further sale is begun. */
export const MAX_UNSETTLED = 20;

/** `localStorage`, or memory where it is switched off. */
export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

function isUnsettled(value: unknown): value is Unsettled {
  const entry = value as Partial<Unsettled> | null;
  const texts = [
    entry?.key,
    entry?.reversalKey,
    entry?.currency,
    entry?.at,
    entry?.user,
    entry?.userName,
  ];
  return (
    texts.every((text) => typeof text === 'string') &&
    Number.isSafeInteger(entry?.amount) &&
    (entry?.kind === 'sale' || entry?.kind === 'refund')
  );
}

export class Journal {
  #shelf: Shelf | undefined;
  #entries: readonly Unsettled[] = [];
  #listeners = new Set<() => void>();

  constructor(shelf: Shelf | undefined) {
    this.#shelf = shelf;
    this.reload();
  }

  /** Reads what another page, or this one before a reload, wrote. */
  reload() {
    try {
      const kept: unknown = JSON.parse(this.#shelf?.getItem(PLACE) ?? '[]');
      if (this.#shelf) this.#entries = Array.isArray(kept) ? kept.filter(isUnsettled) : [];
    } catch {
      this.#entries = [];
    }
    this.#listeners.forEach((listener) => listener());
  }

  get entries(): readonly Unsettled[] {
    return this.#entries;
  }

  /** `false` if it could not be kept: then the request must not be sent. */
  add(entry: Unsettled): boolean {
    this.reload();
    if (this.#entries.length >= MAX_UNSETTLED) return false;
    return this.#write([...this.#entries.filter((other) => other.key !== entry.key), entry]);
  }

  remove(key: string) {
    this.reload();
    this.#write(this.#entries.filter((entry) => entry.key !== key));
  }

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  #write(entries: Unsettled[]): boolean {
    try {
      // Each field by name: whatever else an object carries stays out of storage.
      const kept = entries.map(
        ({ key, reversalKey, kind, amount, currency, last4, at, user, userName }) => ({
          key,
          reversalKey,
          kind,
          amount,
          currency,
          last4,
          at,
          user,
          userName,
        }),
      );
      this.#shelf?.setItem(PLACE, JSON.stringify(kept));
      this.#entries = kept;
    } catch {
      return false;
    }
    this.#listeners.forEach((listener) => listener());
    return true;
  }
}

function shelf(): Shelf | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

export const journal = new Journal(typeof localStorage === 'undefined' ? undefined : shelf());

if (typeof addEventListener === 'function') {
  addEventListener('storage', (event) => {
    if (event.key === PLACE || event.key === null) journal.reload();
  });
}

export const useUnsettled = () => useSyncExternalStore(journal.subscribe, () => journal.entries);
