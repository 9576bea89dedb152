// Texts of the light pages: one flat file a language. Both come with the page, because a file of its own would cost
// a phone a round trip, which is longer than the file. The console's translator would weigh more than the wallet's
// own code.
import { getLanguage, localeOf, setLanguage, useLanguage, type Language } from '@/shared/settings';

export type Values = Record<string, string | number>;
export type Translate<K extends string> = (key: K, values?: Values) => string;
/** Fills `{{name}}` in. */
export function fill(text: string, values: Values = {}): string {
  return text.replace(/{{(\w+)}}/g, (whole, name: string) => String(values[name] ?? whole));
}

export interface Texts<K extends string> {
  /** Before the first page is shown. */
  start: () => void;
  /** Shows the other language. */
  change: (language: Language) => void;
  /** The translator of the language that is shown, and its tag for `Intl`. */
  useTexts: () => {
    t: Translate<K>;
    has: (key: string) => key is K;
    locale: string;
    language: Language;
  };
}

export function texts<K extends string>(files: Record<Language, Record<K, string>>): Texts<K> {
  const name = (language: Language) => {
    document.documentElement.lang = localeOf(language);
  };
  return {
    start: () => name(getLanguage()),
    change: (language) => {
      name(language);
      setLanguage(language);
    },
    useTexts: () => {
      const language = useLanguage();
      const file = files[language];
      return {
        t: (key, values) => fill(file[key] ?? key, values),
        has: (key): key is K => Object.hasOwn(file, key),
        locale: localeOf(language),
        language,
      };
    },
  };
}
