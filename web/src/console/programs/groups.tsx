// The groups of the rule editor: each is one question about a kind of card.
import { Checkbox, Form, Input, InputNumber, Select } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { DateField } from '@/shared/DateField';
import { CatalogMultiSelect } from '../catalog/Named';
import { AmountsField, Choice, DurationInput, MoneyField, RuleItem } from './fields';
import { PackSelect } from './Packs';

function Group({ name, children }: { name: string; children: ReactNode }) {
  const { t } = useTranslation('programs');
  return (
    <fieldset className="rule-group">
      <legend className="rule-legend">{t(`group.${name}`)}</legend>
      <div className="rule-fields">{children}</div>
    </fieldset>
  );
}

/** What a field is now, wherever it stands in the form. */
function useRule<T>(...path: string[]): T | undefined {
  return Form.useWatch<T | undefined>(['rules', ...path], Form.useFormInstance());
}

const CURRENCIES = Intl.supportedValuesOf('currency');

/** What can never be changed; left out where a program exists already. */
export function CardGroup({ fixed }: { fixed: boolean }) {
  const { t } = useTranslation('programs');
  const required = { required: true, message: t('required') };
  return (
    <Group name="card">
      <Form.Item
        name="name"
        label={t('field.name')}
        rules={[{ ...required, whitespace: true }]}
        className="wide"
      >
        <Input maxLength={100} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="currency"
        label={t('field.currency')}
        rules={[required]}
        extra={!fixed && t('hint.fixed_for_ever')}
      >
        <Select
          disabled={fixed}
          showSearch
          options={CURRENCIES.map((value) => ({ value, label: value }))}
        />
      </Form.Item>
      <Form.Item
        name="number_prefix"
        label={t('field.number_prefix')}
        extra={!fixed && t('hint.number_prefix')}
        rules={[required, { pattern: /^[0-9]{2,8}$/, message: t('prefix_pattern') }]}
      >
        <Input disabled={fixed} inputMode="numeric" maxLength={8} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="number_length"
        label={t('field.number_length')}
        extra={!fixed && t('hint.fixed_for_ever')}
        rules={[required]}
      >
        <Select
          disabled={fixed}
          options={[16, 17, 18, 19].map((value) => ({ value, label: value }))}
        />
      </Form.Item>
    </Group>
  );
}

export function DenominationsGroup() {
  const kind = useRule<string>('denominations', 'kind');
  return (
    <Group name="denominations">
      <RuleItem rule={['denominations', 'kind']} className="wide">
        <Choice of="denominations" among={['fixed', 'free']} />
      </RuleItem>
      {kind === 'fixed' ? (
        <RuleItem rule={['denominations', 'amounts']} group className="wide">
          <AmountsField />
        </RuleItem>
      ) : (
        <>
          <RuleItem rule={['denominations', 'min']}>
            <MoneyField />
          </RuleItem>
          <RuleItem rule={['denominations', 'max']}>
            <MoneyField />
          </RuleItem>
        </>
      )}
    </Group>
  );
}

export function ValidityGroup() {
  const kind = useRule<string>('validity', 'kind');
  return (
    <Group name="validity">
      <RuleItem rule={['validity', 'kind']} className="wide">
        <Choice of="validity" among={['unlimited', 'months', 'days', 'until']} />
      </RuleItem>
      {kind === 'months' && (
        <RuleItem rule={['validity', 'months']}>
          <InputNumber min={1} max={65_535} precision={0} />
        </RuleItem>
      )}
      {kind === 'days' && (
        <RuleItem rule={['validity', 'days']}>
          <InputNumber min={1} max={65_535} precision={0} />
        </RuleItem>
      )}
      {kind === 'until' && (
        <RuleItem rule={['validity', 'last_day']}>
          <DateField min="1970-01-02" max="9998-12-31" />
        </RuleItem>
      )}
    </Group>
  );
}

export function AcceptanceGroup() {
  const { t } = useTranslation('programs');
  const channels = {
    validator: (_: unknown, list?: string[]) =>
      (list ?? []).every((name) => /^[a-z0-9_]{1,12}$/.test(name))
        ? Promise.resolve()
        : Promise.reject(new Error(t('channel_pattern'))),
  };
  return (
    <Group name="acceptance">
      <RuleItem rule={['acceptance', 'merchants']} className="wide">
        <CatalogMultiSelect kind="merchants" allowClear placeholder={t('hint.empty_is_all')} />
      </RuleItem>
      <RuleItem rule={['acceptance', 'stores']} className="wide">
        <CatalogMultiSelect kind="stores" allowClear placeholder={t('hint.empty_is_all')} />
      </RuleItem>
      <RuleItem
        rule={['acceptance', 'channels']}
        extra={t('hint.channels')}
        rules={[channels]}
        className="wide"
      >
        <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ', '，']} />
      </RuleItem>
    </Group>
  );
}

export function LimitsGroup() {
  const { t } = useTranslation('programs');
  const none = t('hint.empty_is_no_limit');
  return (
    <Group name="limits">
      {(['redemption_min', 'redemption_max', 'daily_amount', 'balance_cap'] as const).map(
        (rule) => (
          <RuleItem key={rule} rule={[rule]} extra={none}>
            <MoneyField />
          </RuleItem>
        ),
      )}
      <RuleItem rule={['daily_count']} extra={none}>
        <InputNumber min={1} max={4_294_967_295} precision={0} />
      </RuleItem>
    </Group>
  );
}

function Tick({ rule }: { rule: string }) {
  const { t } = useTranslation('programs');
  return (
    <RuleItem rule={[rule]} label={null} valuePropName="checked" className="wide tick">
      <Checkbox>{t(`field.${rule}`)}</Checkbox>
    </RuleItem>
  );
}

export function ValueGroup() {
  return (
    <Group name="value">
      <Tick rule="reloadable" />
      <Tick rule="transferable" />
      <Tick rule="cash_out" />
    </Group>
  );
}

export function PinGroup() {
  const kind = useRule<string>('pin', 'kind');
  return (
    <Group name="pin">
      <RuleItem rule={['pin', 'kind']} text="pin_kind" className="wide">
        <Choice of="pin" among={['never', 'always', 'card_not_present', 'above']} />
      </RuleItem>
      {kind === 'above' && (
        <RuleItem rule={['pin', 'amount']} text="pin_amount">
          <MoneyField />
        </RuleItem>
      )}
      <Tick rule="pin_issued" />
    </Group>
  );
}

export function BindingGroup() {
  return (
    <Group name="binding">
      <Tick rule="registered" />
      <Tick rule="member_required" />
    </Group>
  );
}

export function LotsGroup() {
  return (
    <Group name="lots">
      <RuleItem rule={['lot_order']} className="wide">
        <Choice of="lot_order" among={['pro_rata', 'paid_first', 'bonus_first']} />
      </RuleItem>
    </Group>
  );
}

export function ResidualGroup() {
  const { t } = useTranslation('programs');
  const policy = useRule<string>('residual');
  return (
    <Group name="residual">
      <RuleItem rule={['residual']} className="wide">
        <Choice of="residual" among={['keep_claimable', 'exchange', 'reactivate', 'breakage']} />
      </RuleItem>
      {(policy === 'keep_claimable' || policy === 'reactivate') && (
        <RuleItem rule={['reactivation_months']} extra={t('hint.reactivation_months')}>
          <InputNumber min={1} max={65_535} precision={0} />
        </RuleItem>
      )}
    </Group>
  );
}

const CLASSES = [
  'single_enterprise',
  'group',
  'brand',
  'venue',
  'multi_licensed',
  'voucher_for_goods',
];

export function LawGroup({ currency, packFixed }: { currency: string; packFixed: boolean }) {
  const { t } = useTranslation('programs');
  return (
    <Group name="law">
      <RuleItem rule={['legal_class']} className="wide">
        <Choice of="legal_class" among={CLASSES} />
      </RuleItem>
      <RuleItem
        rule={['policy_pack']}
        className="wide"
        extra={t(packFixed ? 'hint.pack_fixed' : 'hint.policy_pack')}
      >
        <PackSelect currency={currency} disabled={packFixed} />
      </RuleItem>
    </Group>
  );
}

export function TimesGroup() {
  const { t } = useTranslation('programs');
  const required = [{ required: true, message: t('required') }];
  return (
    <Group name="times">
      <RuleItem rule={['hold_seconds']} rules={required}>
        <DurationInput />
      </RuleItem>
      <RuleItem rule={['reversal_seconds']} rules={required}>
        <DurationInput />
      </RuleItem>
      <RuleItem rule={['refund_days']} extra={t('hint.refund_days')}>
        <InputNumber min={1} max={65_535} precision={0} />
      </RuleItem>
    </Group>
  );
}
