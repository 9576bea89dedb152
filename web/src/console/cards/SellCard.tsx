// Sells a card that is still in stock: its number is scanned or typed, and goes to the server with the sale only. There
// is nothing to look up before: what numbers lie in stock is told to nobody.
import { Alert, App, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { client, unwrap } from '@/api/client';
import { Dialog } from '@/shared/Dialog';
import { useProgram } from '../batches/FaceValue';
import { CatalogSelect } from '../catalog/Named';
import { useWaitingMessage } from './ActionDialog';
import { readCardName } from './card-name';
import { AmountField, FundingFields, Reference } from './fields';
import { Outcome } from './Outcome';
import { fundingOf, given, type Values as Funded } from './requests';
import { useSubmission } from './submission';

interface Values extends Funded {
  card: string;
  program: string;
}

export function SellCard({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['cards', 'common']);
  const { message } = App.useApp();
  const navigate = useNavigate();
  const waiting = useWaitingMessage();
  const [form] = Form.useForm<Values>();
  const asked = Form.useWatch('program', form) as string | undefined;
  const program = useProgram(asked);
  const { phase, submit, editable } = useSubmission<Values>(
    async (values, key) => {
      const card = readCardName(values.card);
      if (!card || !program) throw new Error('checked by the form');
      return unwrap(
        client.POST('/v1/activations', {
          params: { header: { 'Idempotency-Key': key } },
          body: given({
            card,
            currency: program.currency,
            amount: values.amount,
            reference: values.reference,
            funding: fundingOf(values),
          }),
        }),
      );
    },
    {
      onDone: (sold) => {
        void message.success(t('actions.activate.done'));
        onClose();
        if (sold.card) void navigate(`/cards/${sold.card.id}`);
      },
      onWaiting: (approval) => {
        waiting(approval);
        onClose();
      },
    },
  );
  const required = { required: true, message: t('required') };
  const named = {
    validator: (_: unknown, text?: string) =>
      text && readCardName(text) ? Promise.resolve() : Promise.reject(new Error(t('card_pattern'))),
  };
  return (
    <Dialog
      open
      title={t('sell')}
      okText={phase.name === 'unknown' ? t('send_again') : t('sell_confirm')}
      cancelText={t('common:action.cancel')}
      confirmLoading={phase.name === 'sending'}
      okButtonProps={{ disabled: asked !== undefined && !program }}
      mask={{ closable: false }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <div className="column">
        <Alert type="info" showIcon title={t('actions.activate.consequence')} />
        <Form<Values>
          name="sell"
          form={form}
          layout="vertical"
          disabled={!editable}
          onFinish={submit}
        >
          <Form.Item name="card" label={t('number_or_id')} rules={[named]} required>
            <Input autoComplete="off" spellCheck={false} maxLength={40} />
          </Form.Item>
          <Form.Item name="program" label={t('program')} rules={[required]}>
            <CatalogSelect kind="programs" active placeholder={t('program')} />
          </Form.Item>
          {program && (
            <>
              <AmountField
                label={t('sell_amount')}
                extra={t('sell_amount_hint')}
                currency={program.currency}
                exponent={program.currency_exponent}
                optional
              />
              <Reference />
              <FundingFields program={program} />
            </>
          )}
        </Form>
        <Outcome phase={phase} />
      </div>
    </Dialog>
  );
}
