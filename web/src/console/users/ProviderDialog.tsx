// Enters an identity provider, or changes one. The secret is only ever sent.
import { useMutation } from '@tanstack/react-query';
import { Button, Checkbox, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { Dialog } from '@/shared/Dialog';
import { ErrorBox } from '@/shared/ErrorBox';
import { CopyButton } from '@/shared/Id';
import type { Provider } from './ProvidersPage';

interface Values {
  name: string;
  issuer_url: string;
  client_id: string;
  client_secret?: string;
  trusted_second_factor?: boolean;
}

interface Props {
  /** The one to change. */
  provider?: Provider;
  onClose: () => void;
}

/** What differs, or the server would take an address that did not change for another one. */
function changes(provider: Provider, values: Values) {
  const { name, issuer_url, client_id, client_secret, trusted_second_factor = false } = values;
  return {
    version: provider.version,
    ...(name !== provider.name ? { name } : {}),
    ...(issuer_url !== provider.issuer_url ? { issuer_url } : {}),
    ...(client_id !== provider.client_id ? { client_id } : {}),
    ...(client_secret ? { client_secret } : {}),
    ...(trusted_second_factor !== provider.trusted_second_factor ? { trusted_second_factor } : {}),
  };
}

export function ProviderDialog({ provider, onClose }: Props) {
  const { t } = useTranslation(['users', 'common']);
  const [form] = Form.useForm<Values>();
  const save = useMutation({
    mutationFn: ({ client_secret = '', ...rest }: Values) =>
      provider
        ? unwrap(
            client.PATCH('/v1/identity-providers/{id}', {
              params: { path: { id: provider.id } },
              body: changes(provider, { ...rest, client_secret }),
            }),
          )
        : unwrap(client.POST('/v1/identity-providers', { body: { ...rest, client_secret } })),
    onSuccess: onClose,
  });
  const back = `${location.origin}/v1/sessions/openid/callback`;
  const shown = provider?.redirect_uri ?? back;
  return (
    <Dialog
      open
      title={t(provider ? 'provider.change' : 'provider.add')}
      onCancel={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>
            {t('common:action.save')}
          </Button>
        </>
      }
    >
      <Form
        form={form}
        layout="vertical"
        initialValues={provider}
        onFinish={(values: Values) => save.mutate(values)}
      >
        {save.error && <ErrorBox error={save.error} />}
        <p>
          {t('provider.redirect_uri')}: <code>{shown}</code>
          <CopyButton text={shown} />
        </p>
        <Form.Item
          name="name"
          label={t('provider.name')}
          extra={t('provider.name_hint')}
          rules={[{ required: true, message: t('name_missing') }]}
        >
          <Input maxLength={100} autoFocus autoComplete="off" />
        </Form.Item>
        <Form.Item
          name="issuer_url"
          label={t('provider.issuer_url')}
          extra={t('provider.issuer_url_hint')}
          rules={[{ required: true, message: t('provider.issuer_url_missing') }]}
        >
          <Input maxLength={500} autoComplete="off" inputMode="url" spellCheck={false} />
        </Form.Item>
        <Form.Item
          name="client_id"
          label={t('provider.client_id')}
          rules={[{ required: true, message: t('provider.client_id_missing') }]}
        >
          <Input maxLength={200} autoComplete="off" spellCheck={false} />
        </Form.Item>
        <Form.Item
          name="client_secret"
          label={t('provider.client_secret')}
          extra={provider && t('provider.client_secret_hint')}
          rules={[{ required: !provider, message: t('provider.client_secret_missing') }]}
        >
          <Input.Password maxLength={500} autoComplete="new-password" visibilityToggle={false} />
        </Form.Item>
        <Form.Item
          name="trusted_second_factor"
          valuePropName="checked"
          extra={t('provider.trust_hint')}
        >
          <Checkbox>{t('provider.trust')}</Checkbox>
        </Form.Item>
      </Form>
    </Dialog>
  );
}
