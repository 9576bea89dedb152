// Payouts on their way from proposal to the bank's confirmation. Who proposed one cannot approve it; the server
// sees to that, and the page says so.
import { Form, Input, Segmented, Button, type FormInstance } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type Key, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { ActionButton } from '@/shared/ActionButton';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { ErrorBox, useErrorText } from '@/shared/ErrorBox';
import { useCursorList } from '@/shared/cursor-list';
import { DateField } from '@/shared/DateField';
import { Dialog } from '@/shared/Dialog';
import { download } from '@/shared/download';
import { useFilters } from '@/shared/filters';
import { markField } from '@/shared/forms';
import { Money, useFormat } from '@/shared/format';
import { MerchantName } from '@/shared/merchants';
import { EmptyState, Page } from '@/shared/page';
import { useCan, useSession, useTimeZone } from '@/shared/session';
import { dayOf } from '@/shared/time';
import { DueDay, PayoutStatus } from './parts';

type Payout = components['schemas']['Payout'];
type Status = Payout['status'];

const STATUSES: Status[] = ['proposed', 'approved', 'sent', 'confirmed', 'returned', 'rejected'];

export function Component() {
  const { t } = useTranslation('settlement');
  const [filters, setFilters] = useFilters(['status'] as const);
  const status = (filters.status as Status | undefined) ?? 'proposed';
  const [chosen, setChosen] = useState<Key[]>([]);
  const bound = useSession().merchant;
  const list = useCursorList<Payout>(['payouts', status], ({ limit, cursor, signal }) =>
    unwrap(client.GET('/v1/payouts', { params: { query: { limit, cursor, status } }, signal })),
  );
  const choose = (next: string) => {
    setChosen([]);
    setFilters({ status: next });
  };
  const items = list.items?.filter((payout) => chosen.includes(payout.id)) ?? [];
  const columns: Column<Payout>[] = [
    { title: t('merchant'), render: (_, p) => <MerchantName id={p.merchant} /> },
    {
      title: t('amount'),
      align: 'right',
      render: (_, p) => <Money amount={p.amount} currency={p.currency} />,
    },
    { title: t('due'), render: (_, p) => <DueDay date={p.due_on} estimated={p.due_estimated} /> },
    { title: t('status'), render: (_, p) => <PayoutStatus status={p.status} /> },
    {
      title: t('statement.title'),
      render: (_, p) => (
        <Link to={`/statements/${p.statement}`}>
          <code>{p.statement}</code>
        </Link>
      ),
    },
    { title: t('payout.reason'), dataIndex: 'reason' },
  ];
  return (
    <Page title={t('payouts.title')} lead={t('payouts.lead')}>
      <Segmented
        aria-label={t('status')}
        value={status}
        onChange={choose}
        options={STATUSES.map((value) => ({ value, label: t(`payout_status.${value}`) }))}
      />
      {!bound && <Steps status={status} items={items} done={() => setChosen([])} />}
      <CursorTable
        label={t('payouts.title')}
        list={list}
        columns={columns}
        rowKey={(p) => p.id}
        selection={bound ? undefined : { keys: chosen, onChange: setChosen }}
        empty={<EmptyState title={t(`payouts.empty.${status}`)} hint={t('payouts.empty_hint')} />}
      />
    </Page>
  );
}

/** What can be done with the chosen payouts in this state. */
function Steps({ status, items, done }: { status: Status; items: Payout[]; done: () => void }) {
  const { t } = useTranslation('settlement');
  const cache = useQueryClient();
  const mayApprove = useCan('payouts_approve');
  const maySend = useCan('settlement_write');
  const payouts = items.map((payout) => payout.id);
  const none = payouts.length === 0;
  const finish = async () => {
    await cache.invalidateQueries({ queryKey: ['payouts'] });
    done();
  };
  const shared = { disabled: none };
  const buttons: ReactNode[] = [];
  if (status === 'proposed' && mayApprove) {
    buttons.push(
      <ActionButton
        key="approve"
        type="primary"
        {...shared}
        consequence={<Total items={items} text={t('payouts.approve_consequence')} />}
        run={async () => {
          await unwrap(client.POST('/v1/payouts/approve', { body: { payouts } }));
          await finish();
        }}
      >
        {t('payouts.approve')}
      </ActionButton>,
      <WithReason
        key="reject"
        {...shared}
        label={t('payouts.reject')}
        explain={t('payouts.reject_consequence')}
        run={async (reason) => {
          await unwrap(client.POST('/v1/payouts/reject', { body: { payouts, reason } }));
          await finish();
        }}
      />,
    );
  }
  if ((status === 'approved' || status === 'sent') && maySend) {
    buttons.push(<BankFile key="file" items={items} again={status === 'sent'} done={finish} />);
  }
  if (status === 'sent' && maySend) {
    buttons.push(
      <ActionButton
        key="confirm"
        type="primary"
        {...shared}
        consequence={<Total items={items} text={t('payouts.confirm_consequence')} />}
        run={async () => {
          await unwrap(client.POST('/v1/payouts/confirm', { body: { payouts } }));
          await finish();
        }}
      >
        {t('payouts.confirm')}
      </ActionButton>,
    );
  }
  if ((status === 'sent' || status === 'confirmed') && maySend) {
    buttons.push(
      <WithReason
        key="return"
        {...shared}
        label={t('payouts.return')}
        explain={t('payouts.return_consequence')}
        run={async (reason) => {
          await unwrap(client.POST('/v1/payouts/return', { body: { payouts, reason } }));
          await finish();
        }}
      />,
    );
  }
  if (buttons.length === 0) return null;
  return (
    <div className="actions" role="group" aria-label={t('payouts.steps')}>
      {buttons}
      <span aria-live="polite">{none ? t('payouts.choose') : <Total items={items} />}</span>
    </div>
  );
}

function Total({ items, text }: { items: Payout[]; text?: string }) {
  const { t } = useTranslation('settlement');
  const { money } = useFormat();
  const sums = new Map<string, number>();
  for (const { amount, currency } of items) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  const total = [...sums].map(([currency, amount]) => money(amount, currency)).join(' + ');
  return (
    <>
      <strong className="figures">{t('payouts.total', { count: items.length, total })}</strong>
      {text && <p>{text}</p>}
    </>
  );
}

interface ReasonProps {
  label: string;
  explain: string;
  disabled: boolean;
  run: (reason: string) => Promise<void>;
}

function WithReason({ label, explain, disabled, run }: ReasonProps) {
  const { t } = useTranslation('settlement');
  const [reason, setReason] = useState('');
  return (
    <ActionButton
      danger
      disabled={disabled}
      title={label}
      consequence={
        <>
          <p>{explain}</p>
          <label className="stacked">
            {t('payout.reason')}
            <Input
              value={reason}
              maxLength={200}
              onChange={(event) => setReason(event.target.value)}
            />
          </label>
        </>
      }
      run={async () => {
        await run(reason);
        setReason('');
      }}
    >
      {label}
    </ActionButton>
  );
}

interface PayerFields {
  execution: string;
  holder_name: string;
  account_number: string;
  bic?: string;
  clearing_code?: string;
}

/** The file for the bank. Asking again gives the same file and posts nothing twice. */
function BankFile({
  items,
  again,
  done,
}: {
  items: Payout[];
  again: boolean;
  done: () => Promise<void>;
}) {
  const { t } = useTranslation(['settlement', 'common']);
  const zone = useTimeZone();
  const [form] = Form.useForm<PayerFields>();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const errorText = useErrorText();
  const send = async ({ execution, ...payer }: PayerFields) => {
    setBusy(true);
    setError(undefined);
    try {
      await download('/v1/payouts/export', 'payouts.xml', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ execution, payer: given(payer), payouts: items.map((p) => p.id) }),
      });
      setOpen(false);
      await done();
    } catch (failure) {
      if (!markField(form as FormInstance, failure, errorText(failure).cure)) setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button
        type={again ? 'default' : 'primary'}
        disabled={items.length === 0}
        onClick={() => setOpen(true)}
      >
        {again ? t('payouts.file_again') : t('payouts.file')}
      </Button>
      <Dialog
        open={open}
        title={t('payouts.file')}
        okText={t('common:action.download')}
        cancelText={t('common:action.cancel')}
        confirmLoading={busy}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
      >
        <Total items={items} text={t('payouts.file_explain')} />
        {error !== undefined && <ErrorBox error={error} />}
        <Form
          form={form}
          layout="vertical"
          initialValues={{ execution: dayOf(new Date(), zone) }}
          onFinish={(values) => void send(values)}
        >
          <Form.Item name="execution" label={t('payouts.execution')} rules={[{ required: true }]}>
            <DateField needed />
          </Form.Item>
          <Form.Item name="holder_name" label={t('payee.holder_name')} rules={[{ required: true }]}>
            <Input autoComplete="organization" maxLength={140} />
          </Form.Item>
          <Form.Item
            name="account_number"
            label={t('payee.account_number')}
            rules={[{ required: true }]}
          >
            <Input autoComplete="off" maxLength={34} />
          </Form.Item>
          <Form.Item name="bic" label={t('payee.bic')}>
            <Input autoComplete="off" maxLength={11} />
          </Form.Item>
          <Form.Item name="clearing_code" label={t('payee.clearing_code')}>
            <Input autoComplete="off" maxLength={35} />
          </Form.Item>
        </Form>
      </Dialog>
    </>
  );
}

/** Without the fields that were left empty: the server takes what is absent, not what is empty. */
export function given<T extends object>(values: T): T {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== '' && value != null),
  ) as T;
}
