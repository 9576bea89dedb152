// Asks for a batch of cards. What is asked for beyond a person's limit waits for a second person.
import { Alert, App, Checkbox, Form, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { Dialog } from '@/shared/Dialog';
import { useFormat } from '@/shared/format';
import { useWaitingMessage } from '../cards/ActionDialog';
import { AmountField } from '../cards/fields';
import { Outcome } from '../cards/Outcome';
import { given } from '../cards/requests';
import { useSubmission, type Answer } from '../cards/submission';
import { CatalogSelect } from '../catalog/Named';
import { useProgram } from './FaceValue';

type Program = components['schemas']['Program'];

interface Values {
  program: string;
  count: number;
  face_value?: number;
  activate?: boolean;
}
interface Props {
  program?: string;
  onClose: () => void;
  onDone: () => void;
}

/** One of the program's amounts, or any within its bounds. */
function FaceValueField({ program, needed }: { program: Program; needed: boolean }) {
  const { t } = useTranslation('batches');
  const { money } = useFormat();
  const { currency, currency_exponent: exponent } = program;
  const { denominations } = program.rules;
  const write = (minor: number) => money(minor, currency, exponent);
  if (denominations.kind === 'free') {
    return (
      <AmountField
        name="face_value"
        label={t('face_value')}
        extra={`${write(denominations.min)} – ${write(denominations.max)}`}
        currency={currency}
        exponent={exponent}
        optional={!needed}
      />
    );
  }
  return (
    <Form.Item
      name="face_value"
      label={t('face_value')}
      rules={needed ? [{ required: true, message: t('required') }] : []}
    >
      <Select
        allowClear
        options={denominations.amounts.map((value) => ({ value, label: write(value) }))}
      />
    </Form.Item>
  );
}

/** What the batch will lead to, in numbers. */
function Consequence({
  values,
  program,
}: {
  values: Partial<Values>;
  program: Program | undefined;
}) {
  const { t } = useTranslation('batches');
  const { money, count } = useFormat();
  if (!program || !values.count) return null;
  const cards = count(values.count);
  if (!values.activate || !values.face_value) {
    return <Alert type="info" showIcon title={t('consequence_stock', { cards })} />;
  }
  const total = values.count * values.face_value;
  const amount = Number.isSafeInteger(total)
    ? money(total, program.currency, program.currency_exponent)
    : '∞';
  return <Alert type="warning" showIcon title={t('consequence_active', { cards, amount })} />;
}

export function NewBatch({ program: asked, onClose, onDone }: Props) {
  const { t } = useTranslation(['batches', 'cards', 'common']);
  const { message } = App.useApp();
  const navigate = useNavigate();
  const waiting = useWaitingMessage();
  const [form] = Form.useForm<Values>();
  const values = Form.useWatch([], form) ?? {};
  const program = useProgram(values.program);
  const { phase, submit, editable } = useSubmission<Values>(
    async ({ program: id, count, face_value, activate }, key) => {
      const made = await unwrap(
        client.POST('/v1/batches', {
          params: { header: { 'Idempotency-Key': key } },
          body: given({ program: id, count, face_value, activate: activate ?? false }),
        }),
      );
      return made as unknown as Answer;
    },
    {
      onDone: (made) => {
        void message.success(t('accepted'));
        onDone();
        void navigate(`/batches/${made.id}`);
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
      title={t('new')}
      okText={phase.name === 'unknown' ? t('cards:send_again') : t('make')}
      cancelText={t('common:action.cancel')}
      confirmLoading={phase.name === 'sending'}
      mask={{ closable: false }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form<Values>
        form={form}
        layout="vertical"
        disabled={!editable}
        initialValues={{ program: asked, count: 100, activate: false }}
        onFinish={submit}
      >
        <Form.Item
          name="program"
          label={t('program')}
          rules={[{ required: true, message: t('required') }]}
        >
          <CatalogSelect
            kind="programs"
            active
            placeholder={t('program')}
            onChange={() => form.setFieldsValue({ face_value: undefined })}
          />
        </Form.Item>
        <Form.Item
          name="count"
          label={t('count')}
          rules={[{ required: true, message: t('required') }]}
        >
          <InputNumber min={1} max={1_000_000} precision={0} />
        </Form.Item>
        {program && <FaceValueField program={program} needed={Boolean(values.activate)} />}
        <Form.Item
          name="activate"
          valuePropName="checked"
          extra={program?.rules.policy_pack ? t('activate_by_law') : t('activate_hint')}
        >
          <Checkbox disabled={Boolean(program?.rules.policy_pack)}>{t('activate')}</Checkbox>
        </Form.Item>
      </Form>
      <div className="column" aria-live="polite">
        <Consequence values={values} program={program} />
        <Outcome phase={phase} />
      </div>
    </Dialog>
  );
}
