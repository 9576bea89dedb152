// Filters that a person keeps under a name. They are the person's own, kept at the server.
import { DeleteOutlined, SaveOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, client, unwrap } from '@/api/client';
import { ActionButton } from '@/shared/ActionButton';
import { Dialog } from '@/shared/Dialog';
import { ErrorBox } from '@/shared/ErrorBox';
import { filtersOf, filterText, type OperationFilters } from './query';

export const PAGE = 'operations';

interface View {
  id: string;
  name: string;
  page: string;
  query: string;
}

function SaveDialog({
  query,
  onClose,
  onDone,
}: {
  query: string;
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation(['operations', 'common']);
  const [form] = Form.useForm<{ name: string }>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const save = async ({ name }: { name: string }) => {
    setBusy(true);
    setError(undefined);
    try {
      await unwrap(client.POST('/v1/views', { body: { name, page: PAGE, query } }));
      onDone();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      title={t('view_save')}
      okText={t('common:action.save')}
      cancelText={t('common:action.cancel')}
      confirmLoading={busy}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form form={form} layout="vertical" disabled={busy} onFinish={(values) => void save(values)}>
        <Form.Item
          name="name"
          label={t('view_name')}
          rules={[{ required: true, whitespace: true, message: t('required') }]}
        >
          <Input maxLength={100} autoComplete="off" autoFocus />
        </Form.Item>
        {error !== undefined && <ErrorBox error={error} />}
      </Form>
    </Dialog>
  );
}

interface Props {
  filters: OperationFilters;
  onChoose: (filters: OperationFilters) => void;
}

export function SavedViews({ filters, onChoose }: Props) {
  const { t } = useTranslation('operations');
  const queries = useQueryClient();
  const [saving, setSaving] = useState(false);
  const all = api.useQuery(
    'get',
    '/v1/views',
    { params: { query: { page: PAGE } } },
    { retry: false },
  );
  const views: View[] = all.data?.items ?? [];
  const query = filterText(filters);
  const current = views.find((view) => filterText(filtersOf(view.query)) === query && query !== '');
  const refresh = () => queries.invalidateQueries({ queryKey: ['get', '/v1/views'] });
  // Not offered where views cannot be kept, e.g. to a caller that is no person.
  if (all.error) return null;
  return (
    <>
      <label>
        {t('view')}
        <Select
          value={current?.id}
          placeholder={t('view_none')}
          className="filter"
          loading={all.isPending}
          notFoundContent={t('view_empty')}
          options={views.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(id) => onChoose(filtersOf(views.find((view) => view.id === id)?.query ?? ''))}
        />
      </label>
      {query !== '' && !current && (
        <Button icon={<SaveOutlined />} onClick={() => setSaving(true)}>
          {t('view_save')}
        </Button>
      )}
      {current && (
        <ActionButton
          icon={<DeleteOutlined />}
          title={t('view_delete', { name: current.name })}
          consequence={<p>{t('view_delete_consequence')}</p>}
          run={async () => {
            await unwrap(client.DELETE('/v1/views/{id}', { params: { path: { id: current.id } } }));
            await refresh();
          }}
        >
          {t('view_delete_short')}
        </ActionButton>
      )}
      {saving && (
        <SaveDialog
          query={query}
          onClose={() => setSaving(false)}
          onDone={() => {
            setSaving(false);
            void refresh();
          }}
        />
      )}
    </>
  );
}
