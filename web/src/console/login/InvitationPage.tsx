// Acceptance of an invitation. The token comes in the fragment (`/invitation#token=…`), which browsers never send
// to a server; it is taken out of the address at once, so that it stays in no history.
import { useMutation } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, unwrap } from '@/api/client';
import { ErrorBox } from '@/shared/ErrorBox';
import { Alone } from './Alone';
import { NewPasswordFields } from './NewPasswordFields';
import { tokenOf } from './paths';

export function Component() {
  const { t } = useTranslation('login');
  const [token, setToken] = useState(() => tokenOf(location.hash));
  useEffect(() => {
    document.title = `${t('invitation_title')} · Hexiao`;
    if (location.hash) history.replaceState(history.state, '', location.pathname);
  }, [t]);
  const accept = useMutation({
    mutationFn: ({ password }: { password: string }) =>
      unwrap(client.POST('/v1/invitations/accept', { body: { token, password } })),
  });
  if (accept.isSuccess) {
    return (
      <Alone title={t('invitation_done')}>
        <p>{t('invitation_done_hint')}</p>
        <Link to="/login">{t('log_in')}</Link>
      </Alone>
    );
  }
  return (
    <Alone title={t('invitation_title')}>
      <p>{t('invitation_hint')}</p>
      <Form
        layout="vertical"
        requiredMark={false}
        onFinish={(values: { password: string }) => accept.mutate(values)}
      >
        {accept.error && <ErrorBox error={accept.error} />}
        {!token && (
          <Form.Item label={t('invitation_token')} extra={t('invitation_token_hint')}>
            <Input
              autoComplete="off"
              maxLength={200}
              onBlur={(event) => setToken(event.target.value.trim())}
            />
          </Form.Item>
        )}
        <NewPasswordFields />
        <Button type="primary" htmlType="submit" block loading={accept.isPending}>
          {t('invitation_accept')}
        </Button>
      </Form>
    </Alone>
  );
}
