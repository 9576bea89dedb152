// Log-in by passkey: instead of name and password, as the second factor, and as what is set up as one. Each is a
// button that is there only where this page has passkeys.
import { KeyOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { LoginAnswer } from '@/api/pending';
import { askPasskey, makePasskey } from './passkey';
import { usePasskeyPlace } from './passkey-place';
import { PasskeyError } from './PasskeyError';

interface Props<T> {
  text: string;
  isMain?: boolean;
  work: () => Promise<T>;
  onDone: (answer: T) => void;
}

function PasskeyButton<T>({ text, isMain, work, onDone }: Props<T>) {
  const run = useMutation({ mutationFn: work, onSuccess: onDone });
  if (!usePasskeyPlace()?.here) return null;
  return (
    <div className="login-passkey">
      {run.error && <PasskeyError error={run.error} />}
      <Button
        block
        type={isMain ? 'primary' : 'default'}
        icon={<KeyOutlined />}
        loading={run.isPending}
        onClick={() => run.mutate()}
      >
        {text}
      </Button>
    </div>
  );
}

/** Instead of name and password. */
export function PasskeyLogin({ onAnswer }: { onAnswer: (answer: LoginAnswer) => void }) {
  const { t } = useTranslation('login');
  const work = async () => {
    const { options } = await unwrap(client.POST('/v1/sessions/passkey-challenges'));
    const credential = await askPasskey(options);
    return unwrap(client.POST('/v1/sessions/passkeys', { body: { credential } }));
  };
  return <PasskeyButton text={t('passkey_login')} work={work} onDone={onAnswer} />;
}

/** As the second factor. */
export function PasskeyProof({
  isMain,
  onAnswer,
}: {
  isMain: boolean;
  onAnswer: (answer: LoginAnswer) => void;
}) {
  const { t } = useTranslation('login');
  const work = async () => {
    const { options } = await unwrap(client.POST('/v1/sessions/second-factor/challenges'));
    const passkey = await askPasskey(options);
    return unwrap(client.POST('/v1/sessions/second-factor', { body: { passkey } }));
  };
  return <PasskeyButton text={t('use_passkey')} isMain={isMain} work={work} onDone={onAnswer} />;
}

/** Instead of an authenticator app, where a second factor has to be set up. */
export function PasskeyEnrolment({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('login');
  const work = async () => {
    const { options } = await unwrap(client.POST('/v1/me/passkeys/challenges', { body: {} }));
    const credential = await makePasskey(options);
    const name = t('passkey_first_name');
    await unwrap(client.POST('/v1/me/passkeys', { body: { name, credential } }));
  };
  return <PasskeyButton text={t('passkey_instead')} work={work} onDone={onDone} />;
}
