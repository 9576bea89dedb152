// Logging in at the till: password, then the second factor where the account has one.
import { useState, type FormEvent } from 'react';
import { Button, Field, Notice, parts } from '@/handheld/parts';
import { useProblemText } from '@/handheld/problems';
import { giveSecondFactor, logIn, type LoginAnswer } from './session';
import { useWords } from './words';

type Step = 'password' | 'totp' | 'elsewhere';

function stepAfter(answer: LoginAnswer): Step | 'done' {
  if (answer.status === 'complete') return 'done';
  const byApp = answer.status === 'second_factor_needed' && answer.second_factors.includes('totp');
  return byApp ? 'totp' : 'elsewhere';
}

interface Props {
  onDone: () => void;
  /** What is still asked of somebody whom his company let in. */
  begun?: LoginAnswer | undefined;
}

export function Login({ onDone, begun }: Props) {
  const { t } = useWords();
  const after = begun && stepAfter(begun);
  const [step, setStep] = useState<Step>(after && after !== 'done' ? after : 'password');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const problem = useProblemText({ title: t('no_answer'), cure: t('no_answer_cure') });

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = new FormData(event.currentTarget);
    const text = (name: string) => String(typed.get(name) ?? '').trim();
    setBusy(true);
    setError(undefined);
    try {
      const answer =
        step === 'password'
          ? await logIn(text('login'), String(typed.get('password') ?? ''))
          : await giveSecondFactor(text('totp'));
      const next = stepAfter(answer);
      if (next === 'done') onDone();
      else setStep(next);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }

  if (step === 'elsewhere') {
    return (
      <Notice tone="warn" title={t('login_elsewhere')}>
        <p>{t('login_elsewhere_hint')}</p>
        <a className={parts.button} href="/">
          {t('login_console')}
        </a>
      </Notice>
    );
  }
  const wrong = error === undefined ? undefined : problem(error);
  return (
    <form className={parts.stack} onSubmit={(event) => void submit(event)}>
      {step === 'password' ? (
        <>
          <Field name="login" label={t('login')} autoComplete="username" required autoFocus />
          <Field
            name="password"
            type="password"
            label={t('password')}
            autoComplete="current-password"
            required
          />
        </>
      ) : (
        <Field
          key="totp"
          name="totp"
          label={t('totp')}
          hint={t('totp_hint')}
          inputMode="numeric"
          autoComplete="one-time-code"
          pattern="[0-9]{6}"
          maxLength={6}
          required
          autoFocus
        />
      )}
      {wrong && (
        <Notice tone="bad" title={wrong.title}>
          {wrong.cure}
        </Notice>
      )}
      <Button type="submit" look="primary" large wide disabled={busy}>
        {busy ? t('busy') : t('log_in')}
      </Button>
    </form>
  );
}
