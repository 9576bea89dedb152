// The form of an agreement: cycle, fees, splits; with a dry run over a past period before it is agreed.
import { Button, Checkbox, Form, Input, InputNumber, Select, Space, Alert } from 'antd';
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { DateField, DateFilter } from '@/shared/DateField';
import { ErrorBox, useErrorText } from '@/shared/ErrorBox';
import { MoneyInput } from '@/shared/MoneyInput';
import { markField } from '@/shared/forms';
import { Money, useFormat } from '@/shared/format';
import { MerchantName, MerchantSelect } from '@/shared/merchants';
import { currencyExponent } from '@/shared/money';
import { useSession, useTimeZone } from '@/shared/session';
import { addDays, dayOf } from '@/shared/time';
import { fromTerms, toTerms, type TermsFields } from './terms-fields';

type Agreement = components['schemas']['Agreement'];
type DryRun = components['schemas']['DryRun'];

interface Fields extends TermsFields {
  merchant?: string;
  currency: Agreement['currency'];
  effective_from: string;
}

const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;

export function AgreementForm({ from, done }: { from?: Agreement; done: () => Promise<void> }) {
  const { t } = useTranslation('settlement');
  const zone = useTimeZone();
  const issuerCurrency = useSession().issuer?.currency ?? 'CNY';
  const [form] = Form.useForm<Fields>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [waiting, setWaiting] = useState<string>();
  const errorText = useErrorText();
  const currency = Form.useWatch('currency', form) ?? from?.currency ?? issuerCurrency;
  const money = { currency, exponent: currencyExponent(currency) };
  const initial: Partial<Fields> = {
    ...fromTerms(from?.terms),
    merchant: from?.merchant ?? undefined,
    currency: from?.currency ?? (issuerCurrency as Agreement['currency']),
    effective_from: addDays(dayOf(new Date(), zone), 1),
  };
  const agree = async (fields: Fields) => {
    setBusy(true);
    setError(undefined);
    try {
      const answer = await client.POST('/v1/agreements', {
        body: {
          merchant: fields.merchant,
          currency: fields.currency,
          effective_from: fields.effective_from,
          terms: toTerms(fields),
        },
      });
      const data: unknown = await unwrap(Promise.resolve(answer) as Promise<typeof answer>);
      const approval = (data as { approval?: { id: string } }).approval;
      if (approval) setWaiting(approval.id);
      else await done();
    } catch (failure) {
      if (!markField(form, failure, errorText(failure).cure)) setError(failure);
    } finally {
      setBusy(false);
    }
  };
  if (waiting) {
    return (
      <Alert
        type="info"
        showIcon
        title={t('agreement.waiting')}
        description={<code>{waiting}</code>}
      />
    );
  }
  return (
    <Form<Fields>
      form={form}
      layout="vertical"
      initialValues={initial}
      onFinish={(f) => void agree(f)}
    >
      {error !== undefined && <ErrorBox error={error} />}
      <Form.Item name="merchant" label={t('merchant')} extra={t('agreement.merchant_hint')}>
        <MerchantSelect allowClear />
      </Form.Item>
      <Space wrap size={[16, 0]}>
        <Form.Item name="currency" label={t('agreement.currency')} rules={[{ required: true }]}>
          <Input maxLength={3} style={{ width: 96 }} />
        </Form.Item>
        <Form.Item
          name="effective_from"
          label={t('agreement.effective_from')}
          rules={[{ required: true }]}
        >
          <DateField needed />
        </Form.Item>
      </Space>
      <CycleFields />
      <h2>{t('agreement.fees')}</h2>
      <Space wrap size={[16, 0]} align="start">
        <Form.Item name="percent" label={t('agreement.percent')}>
          <InputNumber min={0} max={100} step={0.01} precision={2} suffix="%" />
        </Form.Item>
        <Form.Item name="fixed" label={t('agreement.fixed')}>
          <MoneyInput {...money} />
        </Form.Item>
        <Form.Item name="floor" label={t('agreement.floor')}>
          <MoneyInput {...money} />
        </Form.Item>
        <Form.Item name="cap" label={t('agreement.cap')}>
          <MoneyInput {...money} />
        </Form.Item>
        <Form.Item name="yearly" label={t('agreement.yearly')}>
          <MoneyInput {...money} />
        </Form.Item>
      </Space>
      <Tiers money={money} />
      <Form.Item name="fee_rounding" label={t('agreement.fee_rounding')}>
        <Select
          options={(['per_operation', 'per_statement'] as const).map((value) => ({
            value,
            label: t(`rounding.${value}`),
          }))}
        />
      </Form.Item>
      <Form.Item name="refunds_return_fee" valuePropName="checked">
        <Checkbox>{t('agreement.refunds_return_fee')}</Checkbox>
      </Form.Item>
      <h2>{t('agreement.payout')}</h2>
      <Space wrap size={[16, 0]} align="start">
        <Form.Item name="minimum_payout" label={t('agreement.minimum_payout')}>
          <MoneyInput {...money} />
        </Form.Item>
        <Form.Item name="negative" label={t('agreement.negative')}>
          <Select
            style={{ minWidth: 200 }}
            options={(['carry', 'invoice'] as const).map((value) => ({
              value,
              label: t(`negative.${value}`),
            }))}
          />
        </Form.Item>
      </Space>
      <Splits money={money} />
      <DryRunPanel
        read={() => ({
          merchant: form.getFieldValue('merchant'),
          terms: toTerms(form.getFieldsValue()),
        })}
        currency={currency}
      />
      <Button type="primary" htmlType="submit" loading={busy}>
        {t('agreement.agree')}
      </Button>
    </Form>
  );
}

function CycleFields() {
  const { t } = useTranslation('settlement');
  const form = Form.useFormInstance<Fields>();
  const kind = Form.useWatch('cycle', form);
  return (
    <Space wrap size={[16, 0]} align="start">
      <Form.Item name="cycle" label={t('agreement.cycle')}>
        <Select
          style={{ minWidth: 160 }}
          options={(['t_plus', 'weekly', 'monthly'] as const).map((value) => ({
            value,
            label: t(`cycle.${value}`),
          }))}
        />
      </Form.Item>
      {kind === 'weekly' && (
        <Form.Item name="weekday" label={t('agreement.weekday')}>
          <Select
            style={{ minWidth: 120 }}
            options={WEEKDAYS.map((value) => ({ value, label: t(`weekday.${value}`) }))}
          />
        </Form.Item>
      )}
      {kind === 'monthly' && (
        <Form.Item
          name="month_day"
          label={t('agreement.month_day')}
          extra={t('agreement.month_day_hint')}
        >
          <InputNumber min={1} max={29} />
        </Form.Item>
      )}
      <Form.Item name="days" label={t('agreement.days')}>
        <InputNumber min={0} max={30} precision={0} />
      </Form.Item>
      <Form.Item name="cut_off" label={t('agreement.cut_off')} extra={t('agreement.cut_off_hint')}>
        <Input style={{ width: 96 }} placeholder="24:00" maxLength={5} />
      </Form.Item>
    </Space>
  );
}

interface MoneyProps {
  money: { currency: string; exponent: number };
}

function Tiers({ money }: MoneyProps) {
  const { t } = useTranslation('settlement');
  return (
    <Form.List name="tiers">
      {(fields, { add, remove }) => (
        <Form.Item label={t('agreement.tiers')} extra={t('agreement.tiers_hint')}>
          {fields.map(({ key, name }) => (
            <Space key={key} align="baseline" wrap size={[8, 0]}>
              <Form.Item name={[name, 'from']} rules={[{ required: true }]}>
                <MoneyInput {...money} aria-label={t('agreement.tier_from')} />
              </Form.Item>
              <Form.Item name={[name, 'percent']} rules={[{ required: true }]}>
                <InputNumber
                  min={0}
                  max={100}
                  step={0.01}
                  precision={2}
                  suffix="%"
                  aria-label={t('agreement.percent')}
                />
              </Form.Item>
              <Button
                icon={<DeleteOutlined />}
                aria-label={t('agreement.remove')}
                onClick={() => remove(name)}
              />
            </Space>
          ))}
          <Button icon={<PlusOutlined />} onClick={() => add()} disabled={fields.length >= 20}>
            {t('agreement.add_tier')}
          </Button>
        </Form.Item>
      )}
    </Form.List>
  );
}

function Splits({ money }: MoneyProps) {
  const { t } = useTranslation('settlement');
  return (
    <>
      <h2>{t('agreement.splits')}</h2>
      <Form.Item name="split_base" label={t('agreement.split_base')}>
        <Select
          options={(['gross', 'net'] as const).map((value) => ({
            value,
            label: t(`split_base.${value}`),
          }))}
        />
      </Form.Item>
      <Form.List name="receivers">
        {(fields, { add, remove }) => (
          <Form.Item>
            {fields.map(({ key, name }) => (
              <Space key={key} align="baseline" wrap size={[8, 0]}>
                <Form.Item name={[name, 'merchant']} rules={[{ required: true }]}>
                  <MerchantSelect aria-label={t('agreement.receiver')} />
                </Form.Item>
                <Form.Item name={[name, 'percent']}>
                  <InputNumber
                    min={0}
                    max={100}
                    step={0.01}
                    precision={2}
                    suffix="%"
                    aria-label={t('agreement.share_percent')}
                  />
                </Form.Item>
                <Form.Item name={[name, 'amount']}>
                  <MoneyInput {...money} aria-label={t('agreement.share_fixed')} />
                </Form.Item>
                <Button
                  icon={<DeleteOutlined />}
                  aria-label={t('agreement.remove')}
                  onClick={() => remove(name)}
                />
              </Space>
            ))}
            <Button icon={<PlusOutlined />} onClick={() => add()} disabled={fields.length >= 20}>
              {t('agreement.add_receiver')}
            </Button>
          </Form.Item>
        )}
      </Form.List>
    </>
  );
}

interface DryRunProps {
  read: () => { merchant?: string; terms: components['schemas']['Terms'] };
  currency: string;
}

function DryRunPanel({ read, currency }: DryRunProps) {
  const { t } = useTranslation('settlement');
  const { money } = useFormat();
  const zone = useTimeZone();
  const today = dayOf(new Date(), zone);
  const [span, setSpan] = useState({ from: addDays(today, -30), to: addDays(today, -1) });
  const [result, setResult] = useState<DryRun>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setResult(
        await unwrap(client.POST('/v1/agreements/dry-run', { body: { ...read(), ...span } })),
      );
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const more = result && result.total.candidate_fees - result.total.fees;
  return (
    <section className="panel" style={{ marginBottom: 16 }}>
      <h2>{t('dry_run.title')}</h2>
      <p className="lead">{t('dry_run.explain')}</p>
      <div className="filters">
        <DateFilter
          label={t('from')}
          needed
          value={span.from}
          onChange={(day) => day && setSpan({ ...span, from: day })}
        />
        <DateFilter
          label={t('to')}
          needed
          value={span.to}
          onChange={(day) => day && setSpan({ ...span, to: day })}
        />
        <Button onClick={() => void run()} loading={busy}>
          {t('dry_run.action')}
        </Button>
      </div>
      {error !== undefined && <ErrorBox error={error} />}
      {result && more !== undefined && (
        <div role="status">
          <p>
            <strong>
              {more === 0
                ? t('dry_run.same')
                : t(more > 0 ? 'dry_run.more' : 'dry_run.less', {
                    amount: money(Math.abs(more), currency),
                  })}
            </strong>
          </p>
          <table className="arithmetic">
            <thead>
              <tr>
                <th>{t('merchant')}</th>
                <th>{t('figure.sales')}</th>
                <th>{t('dry_run.fees')}</th>
                <th>{t('dry_run.candidate')}</th>
              </tr>
            </thead>
            <tbody>
              {result.merchants.slice(0, 50).map((row) => (
                <tr key={row.merchant}>
                  <th scope="row">{row.merchant && <MerchantName id={row.merchant} />}</th>
                  <td>
                    <Money amount={row.sales} currency={currency} />
                  </td>
                  <td>
                    <Money amount={row.fees} currency={currency} />
                  </td>
                  <td>
                    <Money amount={row.candidate_fees} currency={currency} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {result.merchants.length > 50 && <p>{t('dry_run.first', { count: 50 })}</p>}
        </div>
      )}
    </section>
  );
}
