// What the browser keeps of a reader's choices: language and theme. Apart from the hooks over them, because the
// first lines of a page need them before any library is there.

export type Language = 'zh' | 'en';
export type ThemeChoice = 'system' | 'light' | 'dark';

export const KEYS = { language: 'hexiao.language', theme: 'hexiao.theme' } as const;

export function readKept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage switched off: the browser's own language and theme are used
  }
}

/** The language that was chosen, or the browser's. */
export function keptLanguage(): Language {
  const kept = readKept(KEYS.language);
  if (kept === 'zh' || kept === 'en') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function keptTheme(): ThemeChoice {
  const kept = readKept(KEYS.theme);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}
