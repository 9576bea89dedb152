// The frame of every page: where one is, the way back, and the settings.
import { useState, type ReactNode } from 'react';
import { Button, Dialog, parts } from '@/handheld/parts';
import { Preferences } from '@/handheld/Preferences';
import { useProblemText } from '@/handheld/problems';
import { Notice } from '@/handheld/parts';
import { follow, paths } from './route';
import { useWords, walletTexts } from './words';
import styles from './wallet.module.css';

export function useSilence() {
  const { t } = useWords();
  return useProblemText({ title: t('no_answer'), cure: t('no_answer_cure') });
}

export function Problem({ error }: { error: unknown }) {
  const text = useSilence()(error);
  if (error === undefined) return null;
  return (
    <Notice tone="bad" title={text.title}>
      {text.cure}
    </Notice>
  );
}

export function usePreferenceLabels() {
  const { t } = useWords();
  return {
    language: t('language'),
    theme: t('theme'),
    system: t('theme_system'),
    light: t('theme_light'),
    dark: t('theme_dark'),
  };
}

function Settings({
  onClose,
  onSignOut,
}: {
  onClose: () => void;
  onSignOut?: (() => void) | undefined;
}) {
  const { t } = useWords();
  return (
    <Dialog title={t('settings')} onClose={onClose}>
      <Preferences labels={usePreferenceLabels()} onLanguage={walletTexts.change} />
      {onSignOut && (
        <>
          <Button look="danger" wide onClick={onSignOut}>
            {t('sign_out')}
          </Button>
          <p className={parts.hint}>{t('sign_out_hint')}</p>
        </>
      )}
      <Button look="primary" wide onClick={onClose}>
        {t('close')}
      </Button>
    </Dialog>
  );
}

interface FrameProps {
  title: string;
  /** Where "back" leads; the first page has none. */
  back?: string;
  broad?: boolean;
  onSignOut?: (() => void) | undefined;
  children: ReactNode;
}

export function Frame({ title, back, broad, onSignOut, children }: FrameProps) {
  const { t } = useWords();
  const [settings, setSettings] = useState(false);
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        {back && (
          <a
            className={`${parts.button} ${parts.quiet}`}
            href={back}
            onClick={follow}
            aria-label={t('back')}
          >
            <svg className={styles.icon} viewBox="0 0 24 24" aria-hidden="true">
              <path
                d="M15 5l-7 7 7 7"
                fill="none"
                stroke="currentColor"
                strokeWidth="2.5"
                strokeLinecap="round"
              />
            </svg>
          </a>
        )}
        <h1>{title}</h1>
        {!back && (
          <Button look="quiet" aria-label={t('settings')} onClick={() => setSettings(true)}>
            <svg className={styles.icon} viewBox="0 0 24 24" aria-hidden="true">
              <path
                d="M4 7h16M4 12h16M4 17h16"
                stroke="currentColor"
                strokeWidth="2"
                strokeLinecap="round"
              />
            </svg>
          </Button>
        )}
      </header>
      <main className={broad ? `${styles.body} ${styles.broad}` : styles.body}>{children}</main>
      {settings && <Settings onClose={() => setSettings(false)} onSignOut={onSignOut} />}
    </div>
  );
}

export const HOME = paths.home;
