// Passkeys: kept by the device or a security key, bound to this site, never typed.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input, Popconfirm } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { asProblem } from '@/api/problem';
import { ErrorBox } from '@/shared/ErrorBox';
import { Moment } from '@/shared/format';
import { Loaded } from '@/shared/page';
import { sessionQuery } from '../app/session-query';
import { makePasskey } from '../login/passkey';
import { usePasskeyPlace } from '../login/passkey-place';
import { PasskeyError } from '../login/PasskeyError';

const KEY = ['passkeys'];

export function Passkeys() {
  const { t } = useTranslation('profile');
  const queries = useQueryClient();
  const place = usePasskeyPlace();
  const reload = async () => {
    await queries.invalidateQueries({ queryKey: KEY });
    await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
  };
  const query = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => unwrap(client.GET('/v1/me/passkeys', { signal })),
  });
  const remove = useMutation({
    mutationFn: (id: string) =>
      unwrap(client.DELETE('/v1/me/passkeys/{id}', { params: { path: { id } } })),
    onSuccess: reload,
  });
  return (
    <>
      <p className="lead">{t('passkeys_hint')}</p>
      {remove.error && <ErrorBox error={remove.error} />}
      <Loaded query={query}>
        {({ items }) => (
          <ul className="rows">
            {items.map((passkey) => (
              <li key={passkey.id}>
                <div>
                  {passkey.name}
                  <div className="row-note">
                    {t('made_at')} <Moment at={passkey.created_at} />
                    {passkey.last_used_at && (
                      <>
                        {' · '}
                        {t('passkey_used_at')} <Moment at={passkey.last_used_at} />
                      </>
                    )}
                  </div>
                </div>
                <Popconfirm
                  title={t('passkey_remove_sure')}
                  onConfirm={() => remove.mutate(passkey.id)}
                >
                  <Button size="small" aria-label={`${t('passkey_remove')} ${passkey.name}`}>
                    {t('passkey_remove')}
                  </Button>
                </Popconfirm>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {place?.here && <Add onDone={() => void reload()} />}
      {place && !place.here && (
        <p>
          {place.elsewhere
            ? t('passkeys_elsewhere', { origin: place.elsewhere })
            : t('passkeys_unsupported')}
        </p>
      )}
    </>
  );
}

interface Fields {
  name: string;
  password?: string;
}

function Add({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('profile');
  const [form] = Form.useForm<Fields>();
  const add = useMutation({
    mutationFn: async ({ name, password }: Fields) => {
      const { options } = await unwrap(
        client.POST('/v1/me/passkeys/challenges', { body: password ? { password } : {} }),
      );
      const credential = await makePasskey(options);
      return unwrap(client.POST('/v1/me/passkeys', { body: { name, credential } }));
    },
    onSuccess: () => {
      form.resetFields();
      onDone();
    },
  });
  // Who has been logged in for a while shows once more that it is he.
  const code = asProblem(add.error)?.code;
  const asksPassword = code === 'password_needed' || code === 'password_wrong';
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      onFinish={(f: Fields) => add.mutate(f)}
    >
      {add.error && <PasskeyError error={add.error} />}
      <Form.Item
        name="name"
        label={t('passkey_name')}
        rules={[{ required: true, message: t('passkey_name_missing') }]}
      >
        <Input maxLength={60} placeholder={t('passkey_name_hint')} autoComplete="off" />
      </Form.Item>
      {asksPassword && (
        <Form.Item
          name="password"
          label={t('current_password')}
          rules={[{ required: true, message: t('current_missing') }]}
        >
          <Input.Password autoComplete="current-password" maxLength={128} autoFocus />
        </Form.Item>
      )}
      <Button htmlType="submit" loading={add.isPending}>
        {t('passkey_add')}
      </Button>
    </Form>
  );
}
