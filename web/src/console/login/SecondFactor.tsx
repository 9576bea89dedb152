// The second factor: a code from an app, a passkey, or a recovery code kept for the day both are lost.
import { useMutation } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { LoginAnswer } from '@/api/pending';
import { ErrorBox } from '@/shared/ErrorBox';
import { PasskeyProof } from './PasskeyButton';

type Factor = LoginAnswer['second_factors'][number];

interface Props {
  factors: Factor[];
  onAnswer: (answer: LoginAnswer) => void;
  onBack: () => void;
}

export function SecondFactor({ factors, onAnswer, onBack }: Props) {
  const { t } = useTranslation('login');
  const [useRecovery, setUseRecovery] = useState(
    !factors.includes('totp') && !factors.includes('passkey'),
  );
  return (
    <>
      {factors.includes('passkey') && (
        <PasskeyProof isMain={!factors.includes('totp')} onAnswer={onAnswer} />
      )}
      {useRecovery ? (
        <CodeForm key="recovery" kind="recovery_code" onAnswer={onAnswer} />
      ) : (
        factors.includes('totp') && <CodeForm key="totp" kind="totp" onAnswer={onAnswer} />
      )}
      <div className="login-other">
        <Button type="link" onClick={() => setUseRecovery(!useRecovery)}>
          {useRecovery ? t('use_totp') : t('use_recovery')}
        </Button>
        <Button type="link" onClick={onBack}>
          {t('back')}
        </Button>
      </div>
    </>
  );
}

function CodeForm({
  kind,
  onAnswer,
}: {
  kind: 'totp' | 'recovery_code';
  onAnswer: Props['onAnswer'];
}) {
  const { t } = useTranslation('login');
  const send = useMutation({
    mutationFn: ({ code }: { code: string }) =>
      unwrap(
        client.POST('/v1/sessions/second-factor', { body: { [kind]: code.replace(/\s/g, '') } }),
      ),
    onSuccess: onAnswer,
  });
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      onFinish={(values: { code: string }) => send.mutate(values)}
    >
      {send.error && <ErrorBox error={send.error} />}
      <Form.Item
        name="code"
        label={t(kind)}
        extra={t(`${kind}_hint`)}
        rules={[{ required: true, message: t('code_missing') }]}
      >
        <Input
          autoFocus
          autoComplete="one-time-code"
          inputMode={kind === 'totp' ? 'numeric' : 'text'}
          maxLength={40}
        />
      </Form.Item>
      <Button type="primary" htmlType="submit" block loading={send.isPending}>
        {t('log_in')}
      </Button>
    </Form>
  );
}
