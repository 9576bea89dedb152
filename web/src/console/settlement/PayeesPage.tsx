// Bank accounts of merchants. The number is typed once; afterwards only its last four characters are shown.
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQueryClient } from '@tanstack/react-query';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { ErrorBox, useErrorText } from '@/shared/ErrorBox';
import { useCursorList } from '@/shared/cursor-list';
import { DateField } from '@/shared/DateField';
import { Dialog } from '@/shared/Dialog';
import { useFilters } from '@/shared/filters';
import { markField } from '@/shared/forms';
import { Absent, Day, Moment } from '@/shared/format';
import { MerchantName, MerchantSelect } from '@/shared/merchants';
import { EmptyState, Page } from '@/shared/page';
import { useCan, useSession, useTimeZone } from '@/shared/session';
import { dayOf } from '@/shared/time';
import { given } from './PayoutsPage';

type Payee = components['schemas']['Payee'];

export function Component() {
  const { t } = useTranslation('settlement');
  const [filters, setFilters] = useFilters(['merchant'] as const);
  const bound = useSession().merchant;
  const merchant = bound?.id ?? filters.merchant;
  const mayWrite = useCan('settlement_write') && !bound;
  return (
    <Page
      title={t('payees.title')}
      lead={t('payees.lead')}
      actions={mayWrite && <NewPayee merchant={merchant} />}
    >
      {!bound && (
        <div className="filters">
          <label>
            {t('merchant')}
            <MerchantSelect
              allowClear
              value={merchant}
              onChange={(chosen) => setFilters({ merchant: chosen })}
              aria-label={t('merchant')}
            />
          </label>
        </div>
      )}
      {merchant ? <Accounts merchant={merchant} /> : <EmptyState title={t('payees.choose')} />}
    </Page>
  );
}

function Accounts({ merchant }: { merchant: string }) {
  const { t } = useTranslation('settlement');
  const list = useCursorList<Payee>(['payees', merchant], ({ limit, cursor, signal }) =>
    unwrap(client.GET('/v1/payees', { params: { query: { limit, cursor, merchant } }, signal })),
  );
  const columns: Column<Payee>[] = [
    { title: t('merchant'), render: (_, p) => <MerchantName id={p.merchant} /> },
    { title: t('payee.holder_name'), dataIndex: 'holder_name' },
    { title: t('payee.account_number'), render: (_, p) => <code>{p.account_number}</code> },
    { title: t('payee.bank_name'), dataIndex: 'bank_name' },
    { title: t('payee.bic'), render: (_, p) => p.bic ?? p.clearing_code ?? <Absent /> },
    { title: t('agreement.effective_from'), render: (_, p) => <Day date={p.effective_from} /> },
    { title: t('agreement.created_at'), render: (_, p) => <Moment at={p.created_at} /> },
  ];
  return (
    <CursorTable
      label={t('payees.title')}
      list={list}
      columns={columns}
      rowKey={(p) => p.id}
      empty={<EmptyState title={t('payees.empty')} hint={t('payees.empty_hint')} />}
    />
  );
}

interface Fields {
  merchant: string;
  currency: Payee['currency'];
  holder_name: string;
  account_number: string;
  bank_name: string;
  bic?: string;
  clearing_code?: string;
  effective_from: string;
}

function NewPayee({ merchant }: { merchant?: string }) {
  const { t } = useTranslation(['settlement', 'common']);
  const zone = useTimeZone();
  const cache = useQueryClient();
  const currency = useSession().issuer?.currency ?? 'CNY';
  const [form] = Form.useForm<Fields>();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const errorText = useErrorText();
  const create = async (fields: Fields) => {
    setBusy(true);
    setError(undefined);
    try {
      await unwrap(client.POST('/v1/payees', { body: given(fields) }));
      setOpen(false);
      await cache.invalidateQueries({ queryKey: ['payees'] });
    } catch (failure) {
      if (!markField(form, failure, errorText(failure).cure)) setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const text = (name: keyof Fields, label: string, max: number, required = true) => (
    <Form.Item name={name} label={label} rules={[{ required }]}>
      <Input maxLength={max} autoComplete="off" />
    </Form.Item>
  );
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        {t('payees.new')}
      </Button>
      <Dialog
        open={open}
        title={t('payees.new')}
        okText={t('common:action.create')}
        cancelText={t('common:action.cancel')}
        confirmLoading={busy}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        {error !== undefined && <ErrorBox error={error} />}
        <Form
          form={form}
          layout="vertical"
          initialValues={{ merchant, currency, effective_from: dayOf(new Date(), zone) }}
          onFinish={(fields) => void create(fields)}
        >
          <Form.Item name="merchant" label={t('merchant')} rules={[{ required: true }]}>
            <MerchantSelect />
          </Form.Item>
          {text('holder_name', t('payee.holder_name'), 140)}
          {text('account_number', t('payee.account_number'), 34)}
          {text('bank_name', t('payee.bank_name'), 140)}
          {text('bic', t('payee.bic'), 11, false)}
          {text('clearing_code', t('payee.clearing_code'), 35, false)}
          {text('currency', t('agreement.currency'), 3)}
          <Form.Item
            name="effective_from"
            label={t('agreement.effective_from')}
            rules={[{ required: true }]}
          >
            <DateField needed />
          </Form.Item>
        </Form>
      </Dialog>
    </>
  );
}
