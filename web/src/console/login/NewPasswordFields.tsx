// A new password and its repetition. Length is what counts (the server refuses common ones besides).
import { Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';

export const PASSWORD_MIN = 12;

export function NewPasswordFields() {
  const { t } = useTranslation('login');
  return (
    <>
      <Form.Item
        name="password"
        label={t('new_password')}
        extra={t('new_password_hint', { min: PASSWORD_MIN })}
        rules={[
          {
            required: true,
            min: PASSWORD_MIN,
            message: t('new_password_short', { min: PASSWORD_MIN }),
          },
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={128} />
      </Form.Item>
      <Form.Item
        name="repeated"
        label={t('repeat_password')}
        dependencies={['password']}
        rules={[
          { required: true, message: t('repeat_differs') },
          ({ getFieldValue }) => ({
            validator: (_rule, value) =>
              value === getFieldValue('password')
                ? Promise.resolve()
                : Promise.reject(new Error(t('repeat_differs'))),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={128} />
      </Form.Item>
    </>
  );
}
