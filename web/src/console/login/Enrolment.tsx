// Enrolment of an authenticator app: its key as a picture and as text, a first code as proof, and the recovery
// codes, which are shown this once.
import { useMutation } from '@tanstack/react-query';
import { Button, Form, Input, QRCode, Skeleton } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { ErrorBox } from '@/shared/ErrorBox';
import { CopyButton } from '@/shared/Id';

export function Enrolment({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('login');
  const [codes, setCodes] = useState<string[]>();
  const begin = useMutation({ mutationFn: () => unwrap(client.POST('/v1/me/totp')) });
  const { mutate } = begin;
  useEffect(() => mutate(), [mutate]);
  const confirm = useMutation({
    mutationFn: ({ code }: { code: string }) =>
      unwrap(client.POST('/v1/me/totp/confirm', { body: { code: code.replace(/\s/g, '') } })),
    onSuccess: (answer) =>
      answer?.recovery_codes?.length ? setCodes(answer.recovery_codes) : onDone(),
  });

  if (codes) return <RecoveryCodes codes={codes} onDone={onDone} />;
  if (begin.error) return <ErrorBox error={begin.error} onRetry={() => begin.mutate()} />;
  if (!begin.data) return <Skeleton active />;
  return (
    <div className="enrolment">
      <p>{t('enrol_hint')}</p>
      {/* The key below says the same in text. */}
      <div aria-hidden="true">
        <QRCode value={begin.data.otpauth_uri} size={192} type="svg" bgColor="#fff" color="#000" />
      </div>
      <p>
        {t('enrol_by_hand')} <code>{begin.data.secret}</code>
        <CopyButton text={begin.data.secret} />
      </p>
      <Form
        layout="vertical"
        requiredMark={false}
        onFinish={(values: { code: string }) => confirm.mutate(values)}
      >
        {confirm.error && <ErrorBox error={confirm.error} />}
        <Form.Item
          name="code"
          label={t('totp')}
          rules={[{ required: true, message: t('code_missing') }]}
        >
          <Input autoComplete="one-time-code" inputMode="numeric" maxLength={10} />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={confirm.isPending}>
          {t('enrol_confirm')}
        </Button>
      </Form>
    </div>
  );
}

export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { t } = useTranslation('login');
  return (
    <div className="enrolment">
      <p>{t('recovery_keep')}</p>
      <ul className="recovery-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <CopyButton text={codes.join('\n')} />
      <Button type="primary" block onClick={onDone}>
        {t('recovery_kept')}
      </Button>
    </div>
  );
}
