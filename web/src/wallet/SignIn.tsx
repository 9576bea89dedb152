// Signing in: a phone number and the code that comes to it.
import { useEffect, useEffectEvent, useState, type FormEvent } from 'react';
import { get, Refused } from '@/handheld/http';
import { Button, Field, Notice, parts } from '@/handheld/parts';
import { Preferences } from '@/handheld/Preferences';
import { remember, remembered } from '@/handheld/preference';
import * as api from './api';
import { phoneTypedEarly, takeSentEarly } from './early';
import { Problem, usePreferenceLabels } from './Frame';
import { useWords, walletTexts } from './words';
import styles from './wallet.module.css';

const ISSUER = /^iss_[0-7][0-9a-hjkmnp-tv-z]{12}$/;
const PHONE = /^(1[3-9]\d{9}|\+[1-9]\d{6,14})$/;
const plainPhone = (text: string) => text.normalize('NFKC').replace(/[\s()-]/g, '');

/** The issuer is named by the link to the wallet, and remembered. */
function issuerOfPage(): string | undefined {
  const named = new URLSearchParams(location.search).get('issuer') ?? remembered('issuer') ?? '';
  return ISSUER.test(named) ? named : undefined;
}

interface Message {
  code: string;
}

/** In a demo the server shows what it would have sent; elsewhere there is no such route. */
async function demoCode(issuer: string, phone: string): Promise<string | undefined> {
  try {
    const query = new URLSearchParams({ issuer, phone });
    const { items } = await get<{ items: Message[] }>(`/v1/wallet/outbox?${query}`);
    return items[0]?.code;
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function useCountdown(): [number, (seconds: number) => void] {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return [left, setLeft];
}

export function SignIn({ onDone }: { onDone: (session: api.Session) => void }) {
  const { t } = useWords();
  const [issuer, setIssuer] = useState(issuerOfPage);
  const [typedIssuer, setTypedIssuer] = useState('');
  const [phone, setPhone] = useState(phoneTypedEarly);
  const [code, setCode] = useState('');
  const [sent, setSent] = useState(false);
  const [hint, setHint] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<'phone_form' | 'code_form' | 'issuer_form'>();
  const [error, setError] = useState<unknown>();
  const [wait, setWait] = useCountdown();
  const number = plainPhone(phone);

  async function doing(work: () => Promise<void>) {
    setBusy(true);
    setError(undefined);
    setWrong(undefined);
    try {
      await work();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }
  const askForCode = () =>
    doing(async () => {
      const of = issuer ?? typedIssuer.trim();
      if (!ISSUER.test(of)) return setWrong('issuer_form');
      if (!PHONE.test(number)) return setWrong('phone_form');
      const answer = await api.sendCode(of, number);
      setIssuer(of);
      remember('issuer', of);
      setSent(true);
      setWait(answer.again_in_seconds);
      setHint(await demoCode(of, number));
    });
  const enter = () =>
    doing(async () => {
      if (!/^\d{6}$/.test(code)) return setWrong('code_form');
      onDone(await api.signIn(issuer ?? '', number, code));
    });
  const askAtOnce = useEffectEvent(() => void askForCode());
  useEffect(() => {
    if (takeSentEarly()) queueMicrotask(askAtOnce);
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void (sent ? enter() : askForCode());
  };

  return (
    <main className={styles.door}>
      <h1>{t('title')}</h1>
      <form className={parts.stack} onSubmit={submit} noValidate>
        {sent ? (
          <>
            <p>{t('code_sent', { phone: number })}</p>
            {hint && (
              <Notice title={t('demo')}>
                {t('demo_code')} <strong>{hint}</strong>
              </Notice>
            )}
            <Field
              key="code"
              label={t('code')}
              wrong={wrong === 'code_form' ? t(wrong) : undefined}
              digits
              inputMode="numeric"
              autoComplete="one-time-code"
              maxLength={6}
              value={code}
              onChange={(event) => {
                // Here too: a letter changes nothing that the page would be drawn again for.
                event.target.value = event.target.value.replace(/\D/g, '');
                setCode(event.target.value);
              }}
              autoFocus
            />
          </>
        ) : (
          <>
            {!issuer && (
              <Field
                label={t('issuer')}
                hint={t('issuer_hint')}
                wrong={wrong === 'issuer_form' ? t(wrong) : undefined}
                value={typedIssuer}
                onChange={(event) => setTypedIssuer(event.target.value)}
                autoFocus
              />
            )}
            <Field
              key="phone"
              label={t('phone')}
              hint={t('phone_hint')}
              wrong={wrong === 'phone_form' ? t(wrong) : undefined}
              type="tel"
              inputMode="tel"
              autoComplete="tel"
              maxLength={24}
              value={phone}
              onChange={(event) => setPhone(event.target.value)}
              autoFocus={issuer !== undefined}
            />
          </>
        )}
        <Problem error={error} />
        <Button type="submit" look="primary" large wide disabled={busy}>
          {busy ? t('busy') : t(sent ? 'sign_in' : 'send_code')}
        </Button>
        {sent && (
          <div className={parts.row}>
            <Button disabled={busy || wait > 0} onClick={() => void askForCode()}>
              {wait > 0 ? t('send_again_in', { seconds: wait }) : t('send_again')}
            </Button>
            <Button
              onClick={() => {
                setSent(false);
                setCode('');
                setError(undefined);
              }}
            >
              {t('other_phone')}
            </Button>
          </div>
        )}
      </form>
      <Preferences labels={usePreferenceLabels()} onLanguage={walletTexts.change} />
    </main>
  );
}
