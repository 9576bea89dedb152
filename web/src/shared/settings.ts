// Language and theme: the only things kept in the browser. Nothing secret is ever written here.
import { useSyncExternalStore } from 'react';
import { KEYS, keptLanguage, keptTheme, type Language, type ThemeChoice } from './kept';

export type { Language, ThemeChoice } from './kept';

const listeners = new Set<() => void>();
const darkQuery =
  typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : undefined;
darkQuery?.addEventListener('change', () => listeners.forEach((listener) => listener()));

function write(key: string, value: string) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see `readKept`; the choice then lasts as long as the page
  }
  listeners.forEach((listener) => listener());
}

let language: Language = keptLanguage();
let theme: ThemeChoice = keptTheme();

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export const getLanguage = () => language;
export function setLanguage(value: Language) {
  language = value;
  write(KEYS.language, value);
}
export function setTheme(value: ThemeChoice) {
  theme = value;
  write(KEYS.theme, value);
}

/** The BCP 47 tag for `Intl` and for `<html lang>`. */
export const localeOf = (value: Language) => (value === 'zh' ? 'zh-CN' : 'en');

export const useLanguage = () => useSyncExternalStore(subscribe, getLanguage);
export const useThemeChoice = () => useSyncExternalStore(subscribe, () => theme);
export const useIsDark = () =>
  useSyncExternalStore(subscribe, () =>
    theme === 'system' ? (darkQuery?.matches ?? false) : theme === 'dark',
  );
