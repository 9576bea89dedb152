// A card as people name it: by its number, typed with or without spaces, or by its id.
import type { components } from '@/api/schema';

export type CardName = components['schemas']['CardName'];

const ID = /^card_[0-7][0-9a-hjkmnp-tv-z]{12}$/;
const NUMBER = /^[0-9]{16,19}$/;

/** Undefined if it is neither. Full-width digits come from Chinese keyboards. */
export function readCardName(text: string): CardName | undefined {
  const plain = text.normalize('NFKC').replace(/[\s-]/g, '');
  if (NUMBER.test(plain)) return { number: plain };
  const id = text.trim().toLowerCase();
  return ID.test(id) ? { id } : undefined;
}
