// Custody: the prepaid balance against what the law allows, and the money that has to lie in the bank for it.
import { Button, Form, Input } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useQueryClient } from '@tanstack/react-query';
import { api, client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { DateField } from '@/shared/DateField';
import { ErrorBox, useErrorText } from '@/shared/ErrorBox';
import { MoneyInput } from '@/shared/MoneyInput';
import { markField } from '@/shared/forms';
import { Absent, Day, Money, useFormat } from '@/shared/format';
import { currencyExponent } from '@/shared/money';
import { Facts, Loaded, Panel } from '@/shared/page';
import { ScrollTable } from '@/shared/ScrollTable';
import { useCan, useTimeZone } from '@/shared/session';
import { StatusTag, type Tone } from '@/shared/StatusTag';
import { dayOf } from '@/shared/time';
import { asJson, Controls, CsvButton, RulesName } from './parts';

type Report = components['schemas']['CustodyReport'];
type Duty = Report['custody'];

const TONES: Record<string, Tone> = { met: 'good', near: 'waiting', unknown: 'neutral' };

export function Custody() {
  const { t } = useTranslation('reports');
  const mayWrite = useCan('accounting_write');
  const query = api.useQuery('get', '/v1/reports/custody');
  return (
    <>
      <p className="lead">{t('custody.lead')}</p>
      <Controls>
        <CsvButton path="/v1/reports/custody" query={{}} />
      </Controls>
      <Loaded query={asJson(query)}>
        {(report) => (
          <>
            <Panel>
              <Facts
                rows={[
                  [t('custody.day'), <Day key="d" date={report.day} />],
                  [t('rules'), <RulesName key="r" rules={report.rules} />],
                  [
                    t('custody.issuer'),
                    t(`custody.issuers.${report.issuer_kind}`, report.issuer_kind),
                  ],
                  [
                    t('custody.required'),
                    <Money key="m" amount={report.required} currency={report.currency} />,
                  ],
                ]}
              />
              <Duties report={report} />
            </Panel>
            {mayWrite && <EnterBalance currency={report.currency} />}
          </>
        )}
      </Loaded>
    </>
  );
}

/** A duty: a figure that may be so much of another one at most, or has to be at least. */
interface DutyRow {
  name: 'prepaid' | 'custody';
  duty: Duty;
  amount: number | undefined;
  /** Of which day the amount is. */
  day: string | null | undefined;
  /** Of which day or year the base is. */
  baseOf: ReactNode;
}

/** Undefined is a figure that finance has not entered. */
function Entered({ amount, currency }: { amount: number | undefined; currency: string }) {
  const { t } = useTranslation('reports');
  if (amount === undefined) return t('custody.not_entered');
  return <Money amount={amount} currency={currency} />;
}

function Duties({ report }: { report: Report }) {
  const { t } = useTranslation(['reports', 'common']);
  const { basisPoints } = useFormat();
  const rows: DutyRow[] = [
    {
      name: 'prepaid',
      duty: report.prepaid,
      amount: report.prepaid_balance,
      day: report.day,
      baseOf: Number(report.day.slice(0, 4)) - 1,
    },
    {
      name: 'custody',
      duty: report.custody,
      amount: report.custody_balance?.amount,
      day: report.custody_balance?.day,
      baseOf: <Day date={report.base_day} />,
    },
  ];
  return (
    <ScrollTable<DutyRow>
      aria-label={t('custody.duties')}
      rowKey="name"
      dataSource={rows}
      columns={[
        { title: t('custody.duty'), render: (_, { name }) => t(`custody.duty_of.${name}`) },
        {
          title: t('custody.basis'),
          render: (_, { duty }) => t('common:article', { article: duty.article }),
        },
        {
          title: t('amount'),
          align: 'right',
          render: (_, { amount, day }) => (
            <>
              <Entered amount={amount} currency={report.currency} />
              {day && (
                <div className="quiet">
                  <Day date={day} />
                </div>
              )}
            </>
          ),
        },
        {
          title: t('custody.base'),
          align: 'right',
          render: (_, { name, duty, baseOf }) => (
            <>
              <Entered amount={duty.base ?? undefined} currency={report.currency} />
              <div className="quiet">
                {t(`custody.base_of.${name}`)} · {baseOf}
              </div>
            </>
          ),
        },
        {
          title: t('custody.ratio'),
          align: 'right',
          render: (_, { duty }) =>
            duty.ratio_bp == null ? <Absent /> : basisPoints(duty.ratio_bp),
        },
        {
          title: t('custody.limit'),
          align: 'right',
          render: (_, { name, duty }) =>
            t(`custody.limit_of.${name}`, { limit: basisPoints(duty.limit_bp) }),
        },
        {
          title: t('custody.standing'),
          render: (_, { duty }) => (
            <StatusTag tone={TONES[duty.standing] ?? 'bad'}>
              {t(`standings.${duty.standing}`, duty.standing)}
            </StatusTag>
          ),
        },
      ]}
    />
  );
}

interface Fields {
  day: string;
  amount: number;
  note?: string;
}

function EnterBalance({ currency }: { currency: Report['currency'] }) {
  const { t } = useTranslation(['reports', 'common']);
  const zone = useTimeZone();
  const cache = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const errorText = useErrorText();
  const enter = async ({ note, ...rest }: Fields) => {
    setBusy(true);
    setError(undefined);
    try {
      const body = { ...rest, currency, ...(note ? { note } : {}) };
      await unwrap(client.PUT('/v1/reports/custody/balance', { body }));
      await cache.invalidateQueries({ queryKey: ['get', '/v1/reports/custody'] });
      form.resetFields();
    } catch (failure) {
      if (!markField(form, failure, errorText(failure).cure)) setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title={t('custody.enter')}>
      <Form
        form={form}
        layout="inline"
        initialValues={{ day: dayOf(new Date(), zone) }}
        onFinish={(fields) => void enter(fields)}
      >
        <Form.Item name="day" label={t('custody.day')} rules={[{ required: true }]}>
          <DateField needed />
        </Form.Item>
        <Form.Item name="amount" label={t('custody.balance')} rules={[{ required: true }]}>
          <MoneyInput currency={currency} exponent={currencyExponent(currency)} />
        </Form.Item>
        <Form.Item name="note" label={t('note')}>
          <Input maxLength={200} />
        </Form.Item>
        <Button htmlType="submit" loading={busy}>
          {t('common:action.save')}
        </Button>
      </Form>
      {error !== undefined && <ErrorBox error={error} />}
    </Panel>
  );
}
