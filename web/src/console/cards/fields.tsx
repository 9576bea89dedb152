// Fields of the actions of a card.
import { Checkbox, Form, Input, Radio, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { DateField } from '@/shared/DateField';
import { MoneyInput } from '@/shared/MoneyInput';
import type { Action, Card, Program } from './actions';
import { readCardName } from './card-name';

export interface FieldsProps {
  card: Card;
  program: Program | undefined;
  exponent: number;
}

function useRequired() {
  const { t } = useTranslation('cards');
  return { required: true, message: t('required') };
}

export function AmountField(props: {
  name?: string | string[];
  label: string;
  currency: string;
  exponent: number;
  optional?: boolean;
  extra?: string;
}) {
  const required = useRequired();
  return (
    <Form.Item
      name={props.name ?? 'amount'}
      label={props.label}
      extra={props.extra}
      rules={props.optional ? [] : [required]}
    >
      <MoneyInput currency={props.currency} exponent={props.exponent} />
    </Form.Item>
  );
}

export function Reference() {
  const { t } = useTranslation('cards');
  return (
    <Form.Item name="reference" label={t('reference')} extra={t('reference_hint')}>
      <Input maxLength={128} autoComplete="off" />
    </Form.Item>
  );
}

function Reason() {
  const { t } = useTranslation('cards');
  const required = useRequired();
  return (
    <Form.Item name="reason" label={t('reason')} rules={[{ ...required, whitespace: true }]}>
      <Input maxLength={200} autoComplete="off" />
    </Form.Item>
  );
}

/** Only where the program asks for one: the holder types it. */
function Pin({ program }: { program: Program | undefined }) {
  const { t } = useTranslation('cards');
  if (program && !program.rules.pin_issued) return null;
  return (
    <Form.Item
      name="pin"
      label={t('pin')}
      rules={[{ pattern: /^[0-9]{4,12}$/, message: t('pin_pattern') }]}
    >
      <Input.Password inputMode="numeric" maxLength={12} autoComplete="off" />
    </Form.Item>
  );
}

function OtherCard() {
  const { t } = useTranslation('cards');
  const rule = {
    validator: (_: unknown, text?: string) =>
      text && readCardName(text) ? Promise.resolve() : Promise.reject(new Error(t('card_pattern'))),
  };
  return (
    <Form.Item name="to" label={t('new_card')} extra={t('new_card_hint')} rules={[rule]} required>
      <Input autoComplete="off" spellCheck={false} maxLength={40} />
    </Form.Item>
  );
}

/** The facts of the payment that the law asks for; only where the program is under a policy pack. */
export function FundingFields({ program }: Pick<FieldsProps, 'program'>) {
  const { t } = useTranslation('cards');
  const required = useRequired();
  const transfer = Form.useWatch(['funding', 'payment']) === 'bank_transfer';
  if (!program?.rules.policy_pack) return null;
  const account = { pattern: /^[A-Za-z0-9]{4,64}$/, message: t('account_pattern') };
  return (
    <fieldset className="funding">
      <legend>{t('funding.title')}</legend>
      <Form.Item name={['funding', 'kind']} label={t('funding.kind')} rules={[required]}>
        <Radio.Group
          options={['person', 'company'].map((value) => ({ value, label: t(`funding.${value}`) }))}
        />
      </Form.Item>
      <Form.Item name={['funding', 'face_to_face']} label={t('funding.place')} rules={[required]}>
        <Radio.Group
          options={[
            { value: true, label: t('funding.face_to_face') },
            { value: false, label: t('funding.remote') },
          ]}
        />
      </Form.Item>
      <Form.Item name={['funding', 'payment']} label={t('funding.payment')} rules={[required]}>
        <Select
          options={['bank_transfer', 'cash', 'card', 'credit_card', 'other'].map((value) => ({
            value,
            label: t(`means.${value}`),
          }))}
        />
      </Form.Item>
      {transfer && (
        <>
          <Form.Item
            name={['funding', 'payer_account']}
            label={t('funding.payer_account')}
            rules={[account]}
          >
            <Input maxLength={64} autoComplete="off" />
          </Form.Item>
          <Form.Item
            name={['funding', 'payee_account']}
            label={t('funding.payee_account')}
            rules={[account]}
          >
            <Input maxLength={64} autoComplete="off" />
          </Form.Item>
        </>
      )}
      <AmountField
        name={['funding', 'purchase_amount']}
        label={t('funding.purchase_amount')}
        extra={t('funding.purchase_amount_hint')}
        currency={program.currency}
        exponent={program.currency_exponent}
        optional
      />
      <Form.Item name={['funding', 'identity_verified']} valuePropName="checked">
        <Checkbox>{t('funding.identity_verified')}</Checkbox>
      </Form.Item>
    </fieldset>
  );
}

function BonusFields({ card, exponent }: FieldsProps) {
  const { t } = useTranslation('cards');
  const bonus = Form.useWatch('bonus');
  return (
    <>
      <AmountField
        name="bonus"
        label={t('bonus')}
        currency={card.currency}
        exponent={exponent}
        optional
      />
      {bonus ? (
        <Form.Item name="bonus_last_day" label={t('bonus_last_day')} extra={t('bonus_hint')}>
          <DateField />
        </Form.Item>
      ) : null}
    </>
  );
}

function Activate(props: FieldsProps) {
  const { t } = useTranslation('cards');
  const { card, program, exponent } = props;
  const faceKnown = card.face_value != null && card.face_value > 0;
  return (
    <>
      <AmountField
        label={t('amount')}
        extra={faceKnown ? t('face_value_hint') : undefined}
        optional={faceKnown}
        currency={card.currency}
        exponent={exponent}
      />
      <BonusFields {...props} />
      <FundingFields program={program} />
      <Reference />
    </>
  );
}

function Load(props: FieldsProps) {
  const { t } = useTranslation('cards');
  return (
    <>
      <AmountField label={t('amount')} currency={props.card.currency} exponent={props.exponent} />
      <Form.Item name="source" label={t('source')}>
        <Select
          options={['paid', 'employer_funded', 'merchant_funded', 'bonus'].map((value) => ({
            value,
            label: t(`sources.${value}`),
          }))}
        />
      </Form.Item>
      <BonusFields {...props} />
      <FundingFields program={props.program} />
      <Reference />
    </>
  );
}

function Adjust({ card, exponent }: FieldsProps) {
  const { t } = useTranslation('cards');
  const required = useRequired();
  return (
    <>
      <Form.Item name="direction" label={t('direction')} rules={[required]}>
        <Radio.Group
          options={['credit', 'debit'].map((value) => ({ value, label: t(`directions.${value}`) }))}
        />
      </Form.Item>
      <AmountField label={t('amount')} currency={card.currency} exponent={exponent} />
      <Reason />
      <Reference />
    </>
  );
}

function Bind({ program }: FieldsProps) {
  const { t } = useTranslation('cards');
  const required = useRequired();
  return (
    <>
      <Form.Item
        name="member"
        label={t('member')}
        extra={t('member_hint')}
        rules={[{ ...required, whitespace: true }]}
      >
        <Input maxLength={64} autoComplete="off" />
      </Form.Item>
      <Pin program={program} />
    </>
  );
}

function Replace({ program }: FieldsProps) {
  return (
    <>
      <OtherCard />
      <Pin program={program} />
      <Reference />
    </>
  );
}

function Exchange({ card, program, exponent }: FieldsProps) {
  const { t } = useTranslation('cards');
  return (
    <>
      <OtherCard />
      <AmountField
        label={t('amount')}
        extra={t('exchange_all')}
        currency={card.currency}
        exponent={exponent}
        optional
      />
      <Pin program={program} />
      <Reference />
    </>
  );
}

function Reactivate() {
  const { t } = useTranslation('cards');
  return (
    <Form.Item name="last_day" label={t('last_day')} extra={t('last_day_hint')}>
      <DateField />
    </Form.Item>
  );
}

export const FIELDS: Partial<Record<Action, (props: FieldsProps) => React.ReactNode>> = {
  activate: Activate,
  load: Load,
  adjust: Adjust,
  bind: Bind,
  freeze: Reason,
  close: Reason,
  replace: Replace,
  exchange: Exchange,
  reactivate: Reactivate,
};
