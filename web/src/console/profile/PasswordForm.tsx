// Changes one's own password; the server ends all other sessions with it.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { ErrorBox } from '@/shared/ErrorBox';
import { useSession } from '@/shared/session';
import { NewPasswordFields } from '../login/NewPasswordFields';

interface Values {
  current: string;
  password: string;
}

export function PasswordForm() {
  const { t } = useTranslation('profile');
  const { message } = App.useApp();
  const { user } = useSession();
  const queries = useQueryClient();
  const [form] = Form.useForm<Values>();
  const send = useMutation({
    mutationFn: ({ current, password }: Values) =>
      unwrap(client.POST('/v1/me/password', { body: { current, new: password } })),
    onSuccess: async () => {
      form.resetFields();
      void message.success(t('password_changed'));
      await queries.invalidateQueries();
    },
  });
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      onFinish={(values: Values) => send.mutate(values)}
    >
      {send.error && <ErrorBox error={send.error} />}
      {/* For password managers: whose password changes. */}
      <input type="text" autoComplete="username" value={user.login} readOnly hidden />
      <Form.Item
        name="current"
        label={t('current_password')}
        rules={[{ required: true, message: t('current_missing') }]}
      >
        <Input.Password autoComplete="current-password" maxLength={200} />
      </Form.Item>
      <NewPasswordFields />
      <Button htmlType="submit" loading={send.isPending}>
        {t('change_password')}
      </Button>
    </Form>
  );
}
