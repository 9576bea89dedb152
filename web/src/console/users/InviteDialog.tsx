// Invites a person: name, roles, and where he works. The link is shown once, to be handed over by a way of one's own.
import { useMutation } from '@tanstack/react-query';
import { Alert, Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { Dialog } from '@/shared/Dialog';
import { ErrorBox } from '@/shared/ErrorBox';
import { Moment } from '@/shared/format';
import { CopyButton } from '@/shared/Id';
import { WhereAndWhat } from './WhereAndWhat';

interface Values {
  login: string;
  name: string;
  roles: string[];
  merchant?: string;
  store?: string;
}

/** The token stands behind `#`, which browsers keep to themselves. */
export const linkOf = (token: string) =>
  `${location.origin}/invitation#token=${encodeURIComponent(token)}`;

export function InviteDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['users', 'common']);
  const [form] = Form.useForm<Values>();
  const invite = useMutation({
    mutationFn: ({ merchant, store, ...rest }: Values) =>
      unwrap(
        client.POST('/v1/invitations', {
          body: { ...rest, ...(merchant ? { merchant } : {}), ...(store ? { store } : {}) },
        }),
      ),
  });
  return (
    <Dialog
      open
      title={t('invite.title')}
      onCancel={onClose}
      mask={{ closable: false }}
      footer={
        invite.data ? (
          <Button type="primary" onClick={onClose}>
            {t('common:action.close')}
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>{t('common:action.cancel')}</Button>
            <Button type="primary" loading={invite.isPending} onClick={() => form.submit()}>
              {t('invite.send')}
            </Button>
          </>
        )
      }
    >
      {invite.data ? (
        <Made token={invite.data.token} expiresAt={invite.data.expires_at} />
      ) : (
        <Form form={form} layout="vertical" onFinish={(values: Values) => invite.mutate(values)}>
          {invite.error && <ErrorBox error={invite.error} />}
          <Form.Item
            name="name"
            label={t('name')}
            rules={[{ required: true, message: t('name_missing') }]}
          >
            <Input maxLength={100} autoFocus autoComplete="off" />
          </Form.Item>
          <Form.Item
            name="login"
            label={t('login')}
            extra={t('login_hint')}
            rules={[{ required: true, message: t('login_missing') }]}
          >
            <Input maxLength={100} autoComplete="off" autoCapitalize="none" spellCheck={false} />
          </Form.Item>
          <WhereAndWhat />
        </Form>
      )}
    </Dialog>
  );
}

function Made({ token, expiresAt }: { token: string; expiresAt: string }) {
  const { t } = useTranslation('users');
  const link = linkOf(token);
  return (
    <>
      <Alert type="warning" showIcon title={t('invite.once')} />
      <p className="secret-once">
        <code>{link}</code>
        <CopyButton text={link} />
      </p>
      <p>
        {t('expires_at')}: <Moment at={expiresAt} />
      </p>
    </>
  );
}
