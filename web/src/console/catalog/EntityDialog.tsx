// Creates or changes a merchant, store or terminal. A change names the version it is based on, so that two people
// cannot overwrite each other unseen.
import { Alert, Form, Input, Radio } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/shared/Dialog';
import { ErrorBox } from '@/shared/ErrorBox';
import type { Entity } from './EntityPage';
import { CatalogSelect } from './Named';

export interface Change {
  version: number;
  name?: string;
  status?: 'active' | 'closed';
}

interface Props {
  kind: 'merchants' | 'stores' | 'terminals';
  entity?: Entity;
  parent?: 'merchants' | 'stores';
  create: (values: { name: string; parent?: string }) => Promise<unknown>;
  change: (id: string, change: Change) => Promise<unknown>;
  onClose: () => void;
  onDone: () => Promise<unknown>;
}

interface Values {
  name: string;
  parent?: string;
  status?: 'active' | 'closed';
}

export function EntityDialog({ kind, entity, parent, create, change, onClose, onDone }: Props) {
  const { t } = useTranslation(['catalog', 'common']);
  const [form] = Form.useForm<Values>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const closing = Form.useWatch('status', form) === 'closed' && entity?.status === 'active';
  const save = async ({ name, parent: under, status }: Values) => {
    setBusy(true);
    setError(undefined);
    try {
      if (entity) await change(entity.id, { version: entity.version, name, status });
      else await create({ name, parent: under });
      await onDone();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      title={t(entity ? `${kind}.edit` : `${kind}.new`)}
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
        initialValues={{ name: entity?.name, status: entity?.status }}
        onFinish={(values) => void save(values)}
        disabled={busy}
      >
        {!entity && parent && (
          <Form.Item
            name="parent"
            label={t(`parent.${parent}`)}
            rules={[{ required: true, message: t('required') }]}
          >
            <CatalogSelect kind={parent} active placeholder={t(`parent.${parent}`)} />
          </Form.Item>
        )}
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, whitespace: true, message: t('required') }]}
        >
          <Input maxLength={100} autoComplete="off" />
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
        {closing && <Alert type="warning" showIcon title={t(`${kind}.closing`)} />}
        {error !== undefined && <ErrorBox error={error} />}
      </Form>
    </Dialog>
  );
}
