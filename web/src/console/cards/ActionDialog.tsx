// Does one thing with a card: says first what it will lead to, and sends it once.
import { Alert, App, Form } from 'antd';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/shared/Dialog';
import { useFormat } from '@/shared/format';
import { useTimeZone } from '@/shared/session';
import { RULES, type Action, type Card, type Program } from './actions';
import { FIELDS } from './fields';
import { Outcome } from './Outcome';
import { send, type Values } from './requests';
import { useSubmission } from './submission';

interface Props {
  action: Exclude<Action, 'holder_refund'>;
  card: Card;
  program: Program | undefined;
  exponent: number;
  onClose: () => void;
  /** Something was done: the card is another now. */
  onDone: () => void;
}

/** What the approver's answer is waited for with. */
export function useWaitingMessage() {
  const { t } = useTranslation('cards');
  const { message } = App.useApp();
  return (approval: string) => void message.info(t('waiting', { id: approval }), 10);
}

const START: Partial<Record<Action, Values>> = {
  load: { source: 'paid' },
  adjust: { direction: 'credit' },
};

export function ActionDialog({ action, card, program, exponent, onClose, onDone }: Props) {
  const { t } = useTranslation(['cards', 'common', 'declines']);
  const { message } = App.useApp();
  const format = useFormat();
  const timeZone = useTimeZone();
  const waiting = useWaitingMessage();
  const [form] = Form.useForm<Values>();
  const { phase, submit, editable } = useSubmission<Values>(
    (values, key) => send(action, values, { card, key, timeZone }),
    {
      onDone: () => {
        void message.success(t(`actions.${action}.done`));
        onDone();
      },
      onWaiting: (approval) => {
        waiting(approval);
        onDone();
      },
    },
  );
  const Fields = FIELDS[action];
  const money = (minor: number) => format.money(minor, card.currency, exponent);
  const told = {
    last4: card.last4,
    available: money(card.available),
    claimable: money(card.claimable),
  };
  const { final } = RULES[action];
  return (
    <Dialog
      open
      title={t(`actions.${action}.title`, told)}
      okText={phase.name === 'unknown' ? t('send_again') : t(`actions.${action}.confirm`)}
      cancelText={t('common:action.cancel')}
      okButtonProps={{ danger: final }}
      confirmLoading={phase.name === 'sending'}
      mask={{ closable: false }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <div className="column">
        <Alert
          type={final ? 'warning' : 'info'}
          showIcon
          title={t(`actions.${action}.consequence`, told)}
        />
        <Form<Values>
          form={form}
          layout="vertical"
          disabled={!editable}
          initialValues={START[action]}
          onFinish={submit}
        >
          {Fields && <Fields card={card} program={program} exponent={exponent} />}
        </Form>
        <Outcome phase={phase} />
      </div>
    </Dialog>
  );
}
