// Logging in through the company: who can say who somebody is, and what they said of whoever comes back from there.
// `?issuer=` in the address names whose; without it the server says what everybody may see.
import { useEffect, useState } from 'react';
import { get, send } from '@/handheld/http';
import { Button, Notice } from '@/handheld/parts';
import { useProblemText, useTurnedAwayText } from '@/handheld/problems';
import { cameBack } from '@/shared/came-back';
import { useWords } from './words';

interface Provider {
  provider: string;
  name: string;
}

function useProviders(): Provider[] {
  const [providers, setProviders] = useState<Provider[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const issuer = new URLSearchParams(location.search).get('issuer');
    const path = `/v1/sign-in-options${issuer ? `?${new URLSearchParams({ issuer })}` : ''}`;
    get<{ identity_providers: Provider[] }>(path, stop.signal).then(
      (options) => setProviders(options.identity_providers),
      () => {}, // a password works in any case
    );
    return () => stop.abort();
  }, []);
  return providers;
}

export function TurnedAway() {
  const { turnedAway } = cameBack(new URLSearchParams(location.search));
  const wordsFor = useTurnedAwayText();
  const words = turnedAway && wordsFor(turnedAway);
  if (!words) return null;
  return (
    <Notice tone="bad" title={words.title}>
      {words.cure}
    </Notice>
  );
}

export function Companies() {
  const { t } = useWords();
  const providers = useProviders();
  const [going, setGoing] = useState(false);
  const [error, setError] = useState<unknown>();
  const problem = useProblemText({ title: t('no_answer'), cure: t('no_answer_cure') });

  async function go(provider: string) {
    setGoing(true);
    setError(undefined);
    try {
      const { data } = await send<{ authorize_url: string }>({
        method: 'POST',
        path: '/v1/sessions/openid',
        body: { provider, page: 'till' },
      });
      location.assign(data.authorize_url);
    } catch (failure) {
      setError(failure);
      setGoing(false);
    }
  }

  if (providers.length === 0) return null;
  const wrong = error === undefined ? undefined : problem(error);
  return (
    <>
      {wrong && (
        <Notice tone="bad" title={wrong.title}>
          {wrong.cure}
        </Notice>
      )}
      {providers.map(({ provider, name }) => (
        <Button key={provider} wide disabled={going} onClick={() => void go(provider)}>
          {t('by_company', { name })}
        </Button>
      ))}
    </>
  );
}
