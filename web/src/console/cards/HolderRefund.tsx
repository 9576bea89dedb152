// Refunds a card to its holder (返还预付款): first the calculation line by line, as the server would decide it now;
// then, with the facts of the payment, the refund itself, which closes the card.
import { Alert, App, Button, Checkbox, Form, Input, InputNumber, Radio } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { DateField } from '@/shared/DateField';
import { Dialog } from '@/shared/Dialog';
import { ErrorBox } from '@/shared/ErrorBox';
import { LawSource } from '@/shared/LawSource';
import type { Card } from './actions';
import { useWaitingMessage } from './ActionDialog';
import { AmountField } from './fields';
import { Outcome } from './Outcome';
import { RefundLines } from './refund-lines';
import { given } from './requests';
import { useSubmission, type Answer } from './submission';

type Quote = components['schemas']['Quote'];
type Payout = components['schemas']['HolderPayout'];

interface Values {
  cause: components['schemas']['RefundCause'];
  rescinded_on?: string;
  rate_percent?: number | null;
  cost?: number;
  payout?: Partial<Payout>;
}
interface Props {
  card: Card;
  exponent: number;
  onClose: () => void;
  onDone: () => void;
}

/** What both the quote and the refund are asked with. */
function terms(values: Values) {
  const { cause, rescinded_on, cost, rate_percent } = values;
  const rate = rate_percent == null ? undefined : Math.round(rate_percent * 100);
  return given({ cause, rescinded_on, cost, rate_basis_points: rate });
}

function payoutOf(values: Values): Payout | undefined {
  return values.payout?.payment ? (given(values.payout) as Payout) : undefined;
}

function useQuote(card: Card) {
  const [quote, setQuote] = useState<Quote>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const ask = async (values: Values) => {
    setBusy(true);
    setError(undefined);
    setQuote(undefined);
    try {
      const params = { path: { id: card.id } };
      const body = terms(values);
      setQuote(await unwrap(client.POST('/v1/cards/{id}/holder-refund-quotes', { params, body })));
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return { quote, error, busy, ask, forget: () => setQuote(undefined) };
}

function TermsFields({ card, exponent }: { card: Card; exponent: number }) {
  const { t } = useTranslation('cards');
  return (
    <>
      <Form.Item
        name="cause"
        label={t('refund.cause')}
        rules={[{ required: true, message: t('required') }]}
      >
        <Radio.Group
          className="stacked"
          options={['operator', 'holder', 'cooling_off'].map((value) => ({
            value,
            label: t(`refund.${value}`),
          }))}
        />
      </Form.Item>
      <Form.Item
        name="rescinded_on"
        label={t('refund.rescinded_on')}
        extra={t('refund.rescinded_hint')}
      >
        <DateField />
      </Form.Item>
      <Form.Item name="rate_percent" label={t('refund.rate')} extra={t('refund.rate_hint')}>
        <InputNumber min={0} max={100} precision={2} suffix="%" />
      </Form.Item>
      <AmountField
        name="cost"
        label={t('refund.cost')}
        extra={t('refund.cost_hint')}
        currency={card.currency}
        exponent={exponent}
        optional
      />
    </>
  );
}

function PayoutFields() {
  const { t } = useTranslation('cards');
  const transfer = Form.useWatch(['payout', 'payment']) === 'bank_transfer';
  const account = { pattern: /^[A-Za-z0-9]{4,64}$/, message: t('account_pattern') };
  return (
    <fieldset className="funding">
      <legend>{t('refund.payout')}</legend>
      <Form.Item
        name={['payout', 'payment']}
        label={t('funding.payment')}
        rules={[{ required: true, message: t('required') }]}
      >
        <Radio.Group
          options={['bank_transfer', 'cash'].map((value) => ({
            value,
            label: t(`means.${value}`),
          }))}
        />
      </Form.Item>
      {transfer && (
        <>
          <Form.Item name={['payout', 'account']} label={t('refund.account')} rules={[account]}>
            <Input maxLength={64} autoComplete="off" />
          </Form.Item>
          <Form.Item name={['payout', 'same_name']} valuePropName="checked">
            <Checkbox>{t('refund.same_name')}</Checkbox>
          </Form.Item>
        </>
      )}
      <Form.Item name={['payout', 'identity_verified']} valuePropName="checked">
        <Checkbox>{t('refund.identity_verified')}</Checkbox>
      </Form.Item>
    </fieldset>
  );
}

function QuoteDeclined({ quote }: { quote: Quote }) {
  const { t, i18n } = useTranslation(['cards', 'declines']);
  const code = quote.decline ?? '';
  return (
    <Alert
      type="warning"
      showIcon
      title={`${t('refund.not_possible')}: ${i18n.exists(`declines:${code}`) ? t(`declines:${code}`) : code}`}
      description={quote.policy_rule && <LawSource rule={quote.policy_rule} />}
    />
  );
}

export function HolderRefund({ card, exponent, onClose, onDone }: Props) {
  const { t } = useTranslation(['cards', 'common']);
  const { message } = App.useApp();
  const waiting = useWaitingMessage();
  const [form] = Form.useForm<Values>();
  const { quote, error, busy, ask, forget } = useQuote(card);
  const { phase, submit, editable } = useSubmission<Values>(
    async (values, key) =>
      (await unwrap(
        client.POST('/v1/holder-refunds', {
          params: { header: { 'Idempotency-Key': key } },
          body: given({ card: { id: card.id }, ...terms(values), payout: payoutOf(values) }),
        }),
      )) as Answer,
    {
      onDone: () => {
        void message.success(t('actions.holder_refund.done'));
        onDone();
      },
      onWaiting: (approval) => {
        waiting(approval);
        onDone();
      },
    },
  );
  const payable = quote?.status === 'approved' && quote.refund;
  const calculate = async () => {
    const values = await form.validateFields(['cause', 'rescinded_on', 'rate_percent', 'cost']);
    await ask(values);
  };
  return (
    <Dialog
      open
      width={720}
      title={t('actions.holder_refund.title', { last4: card.last4 })}
      mask={{ closable: false }}
      onCancel={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button
            loading={busy}
            disabled={!editable}
            onClick={() => void calculate().catch(() => undefined)}
          >
            {t('refund.calculate')}
          </Button>
          <Button
            type="primary"
            danger
            disabled={!payable}
            loading={phase.name === 'sending'}
            onClick={() => form.submit()}
          >
            {phase.name === 'unknown' ? t('send_again') : t('actions.holder_refund.confirm')}
          </Button>
        </>
      }
    >
      <div className="column">
        <Alert type="warning" showIcon title={t('actions.holder_refund.consequence')} />
        <Form<Values>
          form={form}
          layout="vertical"
          disabled={!editable}
          initialValues={{ cause: 'holder' }}
          onFinish={submit}
          onValuesChange={(changed) => {
            // Another calculation is another refund: what was shown no longer holds.
            if (!('payout' in changed)) forget();
          }}
        >
          <TermsFields card={card} exponent={exponent} />
          <div aria-live="polite" className="column">
            {error !== undefined && <ErrorBox error={error} />}
            {quote && quote.status === 'declined' && <QuoteDeclined quote={quote} />}
            {payable && (
              <RefundLines refund={payable} currency={card.currency} exponent={exponent} />
            )}
          </div>
          {payable && <PayoutFields />}
        </Form>
        <Outcome phase={phase} />
      </div>
    </Dialog>
  );
}
