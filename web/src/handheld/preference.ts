// Small choices that a page remembers: the width of its receipts, the issuer of a wallet, whether
// somebody was signed in. Nothing about people,
// cards or money.
import { useState } from 'react';

const PREFIX = 'hexiao.choice.';
/** Everything that may be remembered: a name that is not here cannot be. */
export type Choice = 'receipt_width' | 'issuer' | 'partial' | 'signed_in';

function read(name: Choice): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name: Choice, value: string) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // storage switched off: the choice lasts as long as the page
  }
}

export const remembered = read;

export function useChoice<T extends string>(name: Choice, allowed: readonly T[], otherwise: T) {
  const [value, setValue] = useState<T>(
    () => allowed.find((one) => one === read(name)) ?? otherwise,
  );
  const choose = (chosen: T) => {
    remember(name, chosen);
    setValue(chosen);
  };
  return [value, choose] as const;
}
