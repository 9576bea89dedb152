// The fields that an invitation and a user have in common: roles, merchant, store.
import { Form, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useSession } from '@/shared/session';
import { CatalogSelect } from '../catalog/Named';
import { useGrantable, useRoles } from './use-roles';

export function WhereAndWhat({ keep = [] }: { keep?: string[] }) {
  const { t } = useTranslation('users');
  const { merchant: own } = useSession();
  const { roles, nameOf, query } = useRoles();
  const grantable = useGrantable(roles);
  const offered =
    roles?.filter((role) => grantable.includes(role) || keep.includes(role.code)) ?? [];
  const form = Form.useFormInstance();
  const merchant = Form.useWatch<string | undefined>('merchant', form) ?? own?.id;
  return (
    <>
      <Form.Item
        name="roles"
        label={t('roles')}
        extra={t('roles_hint')}
        rules={[{ required: true, message: t('roles_missing') }]}
      >
        <Select
          mode="multiple"
          loading={query.isLoading}
          showSearch={{ optionFilterProp: 'label' }}
          options={offered.map((role) => ({ value: role.code, label: nameOf(role) }))}
        />
      </Form.Item>
      {!own && (
        <Form.Item name="merchant" label={t('merchant')} extra={t('merchant_hint')}>
          <CatalogSelect
            kind="merchants"
            placeholder={t('staff')}
            allowClear
            onChange={(id) => form.setFieldsValue({ merchant: id, store: undefined })}
          />
        </Form.Item>
      )}
      {merchant && (
        <Form.Item name="store" label={t('store')} extra={t('store_hint')}>
          <CatalogSelect kind="stores" parent={merchant} allowClear />
        </Form.Item>
      )}
    </>
  );
}
