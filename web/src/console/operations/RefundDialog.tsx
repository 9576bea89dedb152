// Gives a redemption back, in whole or in part, to the lots that it was paid from.
import { Alert, App, Form } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { Dialog } from '@/shared/Dialog';
import { useFormat } from '@/shared/format';
import { currencyExponent } from '@/shared/money';
import { useWaitingMessage } from '../cards/ActionDialog';
import { AmountField } from '../cards/fields';
import { Outcome } from '../cards/Outcome';
import { given } from '../cards/requests';
import { useSubmission, type Answer } from '../cards/submission';
import type { Operation } from './query';

interface Values {
  amount?: number;
}

export function RefundDialog(props: {
  operation: Operation;
  onClose: () => void;
  onDone: () => void;
}) {
  const { operation, onClose, onDone } = props;
  const { t } = useTranslation(['operations', 'cards', 'common', 'declines']);
  const { message } = App.useApp();
  const { money } = useFormat();
  const waiting = useWaitingMessage();
  const [form] = Form.useForm<Values>();
  const currency = operation.currency ?? 'CNY';
  const { phase, submit, editable } = useSubmission<Values>(
    async ({ amount }, key) =>
      (await unwrap(
        client.POST('/v1/redemptions/{id}/refunds', {
          params: { path: { id: operation.id }, header: { 'Idempotency-Key': key } },
          body: amount ? given({ amount, currency: operation.currency ?? undefined }) : {},
        }),
      )) as Answer,
    {
      onDone: () => {
        void message.success(t('refunded'));
        onDone();
      },
      onWaiting: (approval) => {
        waiting(approval);
        onDone();
      },
    },
  );
  return (
    <Dialog
      open
      title={t('refund_title')}
      okText={phase.name === 'unknown' ? t('cards:send_again') : t('refund')}
      cancelText={t('common:action.cancel')}
      okButtonProps={{ danger: true }}
      confirmLoading={phase.name === 'sending'}
      mask={{ closable: false }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <div className="column">
        <Alert
          type="warning"
          showIcon
          title={t('refund_consequence', { amount: money(operation.approved, currency) })}
        />
        <Form<Values> form={form} layout="vertical" disabled={!editable} onFinish={submit}>
          <AmountField
            label={t('amount')}
            extra={t('refund_all')}
            currency={currency}
            exponent={currencyExponent(currency)}
            optional
          />
        </Form>
        <Outcome phase={phase} />
      </div>
    </Dialog>
  );
}
