// Words for what the server refused or the card's rules declined. The files are the console's own, loaded when
// the first of them is needed.
import { useEffect, useState } from 'react';
import { useLanguage, type Language } from '@/shared/settings';
import { Refused } from './http';

type Errors = Record<string, { title: string; cure: string } | undefined>;
type Declines = Record<string, string | undefined>;

const errorFiles: Record<Language, () => Promise<{ default: unknown }>> = {
  zh: () => import('@/locales/zh/errors.json'),
  en: () => import('@/locales/en/errors.json'),
};
const declineFiles: Record<Language, () => Promise<{ default: unknown }>> = {
  zh: () => import('@/locales/zh/declines.json'),
  en: () => import('@/locales/en/declines.json'),
};

const loginFiles: Record<Language, () => Promise<{ default: unknown }>> = {
  zh: () => import('@/locales/zh/login.json'),
  en: () => import('@/locales/en/login.json'),
};

function useFile<T>(files: Record<Language, () => Promise<{ default: unknown }>>): T | undefined {
  const language = useLanguage();
  const [file, setFile] = useState<{ language: Language; texts: T }>();
  useEffect(() => {
    let wanted = true;
    files[language]().then(
      (loaded) => wanted && setFile({ language, texts: loaded.default as T }),
      () => {}, // the server's own words are shown instead
    );
    return () => {
      wanted = false;
    };
  }, [files, language]);
  return file?.language === language ? file.texts : undefined;
}

/** Why the card's rules said no, in the reader's language; the code where there are no words for it. */
export function useDeclineText(): (code: string) => string {
  const texts = useFile<Declines>(declineFiles);
  return (code) => texts?.[code] ?? code;
}

export interface ProblemText {
  title: string;
  cure: string;
  requestId?: string | undefined;
}

/** What went wrong and what to do about it. `silence` words that nobody answered. */
export function useProblemText(silence: ProblemText): (error: unknown) => ProblemText {
  const texts = useFile<Errors>(errorFiles);
  return (error) => {
    if (!(error instanceof Refused)) return silence;
    const { code, title, detail, request_id: requestId } = error.problem;
    const known = texts?.[code];
    return { title: known?.title ?? title, cure: known?.cure ?? detail, requestId };
  };
}

interface Logins {
  turned_away: Record<string, string | undefined>;
  turned_away_cure: Record<string, string | undefined>;
}

/** Why somebody was not let in by his company; nothing while the words are on their way. */
export function useTurnedAwayText(): (why: string) => ProblemText | undefined {
  const texts = useFile<Logins>(loginFiles);
  return (why) => {
    const [title, cure] = [texts?.turned_away[why], texts?.turned_away_cure[why]];
    return title && cure ? { title, cure } : undefined;
  };
}
