// Creates or changes an API client: what it may do, for whom, and how fast.
import { Alert, Checkbox, Form, Input, InputNumber, Radio } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { Dialog } from '@/shared/Dialog';
import { ErrorBox } from '@/shared/ErrorBox';
import { useSession } from '@/shared/session';
import { CatalogSelect } from './Named';

type ApiClient = components['schemas']['Client'];
type WithSecret = components['schemas']['ClientWithSecret'];
type Scope = components['schemas']['Scope'];

interface Values {
  name: string;
  merchant?: string;
  scopes: Scope[];
  rate_per_second?: number | null;
  status?: ApiClient['status'];
}
interface Props {
  entity?: ApiClient;
  onClose: () => void;
  /** With the key, where one was made. */
  onDone: (made?: WithSecret) => void;
}

async function save(values: Values, entity?: ApiClient): Promise<WithSecret | undefined> {
  const { name, merchant, scopes, status } = values;
  const rate = values.rate_per_second ?? undefined;
  if (!entity) {
    const body = {
      name,
      scopes,
      ...(merchant ? { merchant } : {}),
      ...(rate ? { rate_per_second: rate } : {}),
    };
    return unwrap(client.POST('/v1/clients', { body }));
  }
  const body = {
    version: entity.version,
    name,
    scopes,
    status,
    ...(rate ? { rate_per_second: rate } : {}),
  };
  await unwrap(client.PATCH('/v1/clients/{id}', { params: { path: { id: entity.id } }, body }));
}

/** Scopes that the person has: nobody gives what he does not have himself. */
function useScopes(entity?: ApiClient): Scope[] {
  const { permissions } = useSession();
  return [...new Set([...permissions, ...(entity?.scopes ?? [])])].sort() as Scope[];
}

export function ClientDialog({ entity, onClose, onDone }: Props) {
  const { t, i18n } = useTranslation(['catalog', 'common']);
  const [form] = Form.useForm<Values>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const scopes = useScopes(entity);
  const closing = Form.useWatch('status', form) === 'closed' && entity?.status === 'active';
  const submit = async (values: Values) => {
    setBusy(true);
    setError(undefined);
    try {
      onDone(await save(values, entity));
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  // Not `required`: a group of checkboxes has no such attribute, only its own message.
  const some = {
    validator: (_: unknown, chosen?: Scope[]) =>
      chosen && chosen.length > 0
        ? Promise.resolve()
        : Promise.reject(new Error(t('clients.scopes_required'))),
  };
  const label = (scope: string) =>
    i18n.exists(`catalog:scope.${scope}`) ? t(`scope.${scope}`) : scope;
  return (
    <Dialog
      open
      width={640}
      title={t(entity ? 'clients.edit' : 'clients.new')}
      okText={t(entity ? 'common:action.save' : 'common:action.create')}
      cancelText={t('common:action.cancel')}
      okButtonProps={{ danger: closing }}
      confirmLoading={busy}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form<Values>
        form={form}
        layout="vertical"
        disabled={busy}
        initialValues={{
          ...entity,
          merchant: entity?.merchant ?? undefined,
          scopes: entity?.scopes ?? [],
        }}
        onFinish={(values) => void submit(values)}
      >
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, whitespace: true, message: t('required') }]}
        >
          <Input maxLength={100} autoComplete="off" />
        </Form.Item>
        {!entity && (
          <Form.Item
            name="merchant"
            label={t('clients.merchant')}
            extra={t('clients.merchant_hint')}
          >
            <CatalogSelect
              kind="merchants"
              allowClear
              active
              placeholder={t('clients.no_merchant')}
            />
          </Form.Item>
        )}
        <Form.Item
          name="scopes"
          label={t('clients.scopes')}
          extra={t('clients.scopes_hint')}
          rules={[some]}
        >
          <Checkbox.Group
            className="scopes"
            options={scopes.map((scope) => ({ value: scope, label: label(scope) }))}
          />
        </Form.Item>
        <Form.Item name="rate_per_second" label={t('clients.rate')} extra={t('clients.rate_hint')}>
          <InputNumber min={1} max={1_000_000} precision={0} />
        </Form.Item>
        {entity && (
          <Form.Item name="status" label={t('status.title')}>
            <Radio.Group
              options={(['active', 'closed'] as const).map((value) => ({
                value,
                label: t(`status.${value}`),
              }))}
            />
          </Form.Item>
        )}
        {closing && <Alert type="warning" showIcon title={t('clients.closing')} />}
        {error !== undefined && <ErrorBox error={error} />}
      </Form>
    </Dialog>
  );
}
