// The steps of a log-in: name and password, the second factor, and its enrolment where the person has none yet.
// Used by the log-in page and by the dialog that comes when a session has ended.
import { useMutation } from '@tanstack/react-query';
import { Button, Form, Input, Skeleton } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { LoginAnswer } from '@/api/pending';
import { setCsrfToken } from '@/api/session-state';
import { ErrorBox } from '@/shared/ErrorBox';
import { PasskeyEnrolment, PasskeyLogin } from './PasskeyButton';
import { SecondFactor } from './SecondFactor';

const Enrolment = lazy(() =>
  import('./Enrolment').then((module) => ({ default: module.Enrolment })),
);

interface Props {
  /** In the dialog: who has to log in again. */
  login?: string;
  /** What is still asked of somebody whom an identity provider has named. */
  begun?: LoginAnswer;
  onDone: () => void;
}

export default function LoginSteps({ login, begun, onDone }: Props) {
  const [answer, setAnswer] = useState<LoginAnswer | undefined>(begun);
  const take = (next: LoginAnswer) => {
    setCsrfToken(next.csrf_token);
    if (next.status === 'complete') onDone();
    else setAnswer(next);
  };
  if (answer?.status === 'second_factor_needed') {
    return (
      <SecondFactor
        factors={answer.second_factors}
        onAnswer={take}
        onBack={() => setAnswer(undefined)}
      />
    );
  }
  if (answer?.status === 'second_factor_enrolment_needed') {
    return (
      <Suspense fallback={<Skeleton active />}>
        <Enrolment onDone={onDone} />
        <PasskeyEnrolment onDone={onDone} />
      </Suspense>
    );
  }
  return (
    <>
      <PasswordStep login={login} onAnswer={take} />
      <PasskeyLogin onAnswer={take} />
    </>
  );
}

function PasswordStep({
  login,
  onAnswer,
}: {
  login?: string;
  onAnswer: (answer: LoginAnswer) => void;
}) {
  const { t } = useTranslation('login');
  const send = useMutation({
    mutationFn: (body: { login: string; password: string }) =>
      // The description has two bodies of one name and gives the other one here.
      unwrap(client.POST('/v1/sessions', { body })),
    onSuccess: onAnswer,
  });
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      initialValues={{ login }}
      onFinish={(body: { login: string; password: string }) => send.mutate(body)}
    >
      {send.error && <ErrorBox error={send.error} />}
      <Form.Item
        name="login"
        label={t('login')}
        rules={[{ required: true, message: t('login_missing') }]}
      >
        <Input
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={200}
          readOnly={login !== undefined}
          autoFocus={login === undefined}
        />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('password')}
        rules={[{ required: true, message: t('password_missing') }]}
      >
        <Input.Password
          autoComplete="current-password"
          maxLength={200}
          autoFocus={login !== undefined}
        />
      </Form.Item>
      <Button type="primary" htmlType="submit" block loading={send.isPending}>
        {t('go_on')}
      </Button>
    </Form>
  );
}
