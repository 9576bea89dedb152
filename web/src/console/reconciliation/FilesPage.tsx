// Files of merchants, sales channels and banks that were reconciled, and sending the next one.
import { Alert, Button, Form, Input, Select, Upload, type UploadFile } from 'antd';
import { UploadOutlined } from '@ant-design/icons';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { client, sessionFetch, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { ErrorBox, useErrorText } from '@/shared/ErrorBox';
import { useCursorList } from '@/shared/cursor-list';
import { Dialog } from '@/shared/Dialog';
import { withQuery } from '@/shared/download';
import { markField } from '@/shared/forms';
import { Count, Day, Moment } from '@/shared/format';
import { EmptyState, Page } from '@/shared/page';
import { useCan } from '@/shared/session';
import { StatusTag } from '@/shared/StatusTag';
import { AccountName } from '../catalog/AccountName';

type Reconciliation = components['schemas']['Reconciliation'];

const FORMATS = ['csv', 'xlsx', 'camt.053', 'wechat', 'alipay'] as const;

export function Component() {
  const { t } = useTranslation('reconciliation');
  const mayWrite = useCan('reconciliation_write');
  const list = useCursorList<Reconciliation>(['reconciliations'], ({ limit, cursor, signal }) =>
    unwrap(client.GET('/v1/reconciliations', { params: { query: { limit, cursor } }, signal })),
  );
  const columns: Column<Reconciliation>[] = [
    {
      title: t('files.name'),
      render: (_, r) => <Link to={`/reconciliation/files/${r.id}`}>{r.file_name || r.id}</Link>,
    },
    { title: t('account'), render: (_, r) => <AccountName account={r.account} /> },
    { title: t('files.format'), render: (_, r) => t(`formats.${r.format.replace('.', '_')}`) },
    {
      title: t('files.period'),
      render: (_, r) => (
        <>
          <Day date={r.from.slice(0, 10)} /> – <Day date={r.to.slice(0, 10)} />
        </>
      ),
    },
    { title: t('files.lines'), align: 'right', render: (_, r) => <Count value={r.lines} /> },
    { title: t('files.matched'), align: 'right', render: (_, r) => <Count value={r.matched} /> },
    {
      title: t('files.differences'),
      align: 'right',
      render: (_, r) => <Count value={r.differences} />,
    },
    {
      title: t('status'),
      render: (_, r) => (
        <StatusTag tone={r.status === 'running' ? 'waiting' : r.differences === 0 ? 'good' : 'bad'}>
          {t(`file_status.${r.status}`)}
        </StatusTag>
      ),
    },
    { title: t('files.sent_at'), render: (_, r) => <Moment at={r.created_at} /> },
  ];
  return (
    <Page
      title={t('files.title')}
      lead={t('files.lead')}
      above={<Link to="/reconciliation">← {t('title')}</Link>}
      actions={mayWrite && <Send />}
    >
      <CursorTable
        label={t('files.title')}
        list={list}
        columns={columns}
        rowKey={(r) => r.id}
        empty={<EmptyState title={t('files.empty')} hint={t('files.empty_hint')} />}
      />
    </Page>
  );
}

interface Fields {
  account: string;
  format: (typeof FORMATS)[number];
  currency?: string;
  mapping?: string;
  match_on?: string;
}

function Send() {
  const { t } = useTranslation(['reconciliation', 'common']);
  const cache = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const [open, setOpen] = useState(false);
  const [file, setFile] = useState<File>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [result, setResult] = useState<Reconciliation>();
  const errorText = useErrorText();
  const format = Form.useWatch('format', form);
  const mapped = format === 'csv' || format === 'xlsx';
  const send = async (fields: Fields) => {
    if (!file) return;
    setBusy(true);
    setError(undefined);
    try {
      setResult(await upload(file, fields));
      // The dialog can be closed while the lists behind it are read again.
      void cache.invalidateQueries({ queryKey: ['reconciliations'] });
      void cache.invalidateQueries({ queryKey: ['differences'] });
    } catch (failure) {
      if (!markField(form, failure, errorText(failure).cure)) setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const shown: UploadFile[] = file ? [{ uid: file.name, name: file.name, status: 'done' }] : [];
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        {t('files.send')}
      </Button>
      <Dialog
        open={open}
        title={t('files.send')}
        okText={t('files.reconcile')}
        cancelText={t('common:action.close')}
        okButtonProps={{ disabled: !file }}
        confirmLoading={busy}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        afterClose={() => {
          setFile(undefined);
          setResult(undefined);
          setError(undefined);
        }}
        destroyOnHidden
      >
        <Form
          form={form}
          layout="vertical"
          initialValues={{ format: 'csv' }}
          onFinish={(f) => void send(f)}
        >
          <Form.Item
            name="account"
            label={t('account')}
            extra={t('files.account_hint')}
            rules={[{ required: true }]}
          >
            <Input placeholder="channel:store" maxLength={100} />
          </Form.Item>
          <Form.Item name="format" label={t('files.format')}>
            <Select
              options={FORMATS.map((value) => ({
                value,
                label: t(`formats.${value.replace('.', '_')}`),
              }))}
            />
          </Form.Item>
          {mapped && (
            <Form.Item name="mapping" label={t('files.mapping')} extra={t('files.mapping_hint')}>
              <Input.TextArea rows={3} maxLength={4000} spellCheck={false} />
            </Form.Item>
          )}
          <Form.Item name="match_on" label={t('files.match_on')}>
            <Select
              allowClear
              options={(['reference', 'operation', 'key'] as const).map((value) => ({
                value,
                label: t(`match_on.${value}`),
              }))}
            />
          </Form.Item>
          <Form.Item label={t('files.file')} required>
            <Upload
              maxCount={1}
              fileList={shown}
              onRemove={() => setFile(undefined)}
              beforeUpload={(chosen) => {
                setFile(chosen);
                return false;
              }}
            >
              <Button icon={<UploadOutlined />}>{t('files.choose')}</Button>
            </Upload>
          </Form.Item>
        </Form>
        {error !== undefined && <ErrorBox error={error} />}
        {result && (
          <Alert
            role="status"
            showIcon
            type={result.differences === 0 ? 'success' : 'warning'}
            title={t('files.result', {
              matched: result.matched,
              lines: result.lines,
              differences: result.differences,
            })}
            description={<Link to={`/reconciliation/files/${result.id}`}>{t('files.open')}</Link>}
          />
        )}
      </Dialog>
    </>
  );
}

/** The same file twice is the same reconciliation: the server knows it by its digest. */
async function upload(file: File, fields: Fields): Promise<Reconciliation> {
  const path = withQuery('/v1/reconciliations', {
    account: fields.account,
    format: fields.format,
    file_name: file.name,
    currency: fields.currency,
    mapping: fields.mapping,
    match_on: fields.match_on,
  });
  const response = await sessionFetch(
    new Request(new URL(path, location.origin), {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream' },
      body: file,
    }),
  );
  const answer: unknown = await response.json();
  if (!response.ok) throw answer;
  return answer as Reconciliation;
}
