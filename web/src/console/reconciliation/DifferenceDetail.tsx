// One difference: what each side says, what was proposed, and the next step of whoever may take it.
import { Form, Input, Button, Timeline } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQueryClient } from '@tanstack/react-query';
import { api, client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { ActionButton } from '@/shared/ActionButton';
import { ErrorBox, useErrorText } from '@/shared/ErrorBox';
import { Id } from '@/shared/Id';
import { MoneyInput } from '@/shared/MoneyInput';
import { markField } from '@/shared/forms';
import { Moment, Money } from '@/shared/format';
import { Facts, Loaded } from '@/shared/page';
import { currencyExponent } from '@/shared/money';
import { useCan } from '@/shared/session';
import { StatusTag } from '@/shared/StatusTag';
import { AccountName } from '../catalog/AccountName';
import { STATUS_TONES } from './WorkListPage';

type Difference = components['schemas']['Difference'];

export function DifferenceDetail({ id, done }: { id: string; done: () => void }) {
  const { t } = useTranslation('reconciliation');
  const query = api.useQuery('get', '/v1/reconciliation-differences/{id}', {
    params: { path: { id } },
  });
  return (
    <Loaded query={query}>
      {({ difference: d, history }) => (
        <>
          <Facts
            rows={[
              [t('class'), t(`classes.${d.class}`)],
              [
                t('status'),
                <StatusTag key="s" tone={STATUS_TONES[d.status]}>
                  {t(`statuses.${d.status}`)}
                </StatusTag>,
              ],
              [t('reference'), d.reference],
              [t('account'), <AccountName key="a" account={d.account} />],
              [t('here'), <Money key="h" amount={d.here} currency={d.currency} />],
              [t('there'), <Money key="t" amount={d.there} currency={d.currency} />],
              [t('suggested'), <Money key="g" amount={d.suggested} currency={d.currency} />],
              [
                t('operation'),
                d.operation ? (
                  <Id key="o" id={d.operation} to={`/operations?open=${d.operation}`} />
                ) : undefined,
              ],
              [t('line'), d.line ?? undefined],
              [t('proposal'), d.proposal ? <ProposalText key="p" difference={d} /> : undefined],
            ]}
          />
          <NextStep difference={d} done={done} />
          <h2>{t('history')}</h2>
          <Timeline
            items={history.map((event) => ({
              content: (
                <>
                  <Moment at={event.at} /> · {t(`actions.${event.action}`)}
                  {event.by && (
                    <>
                      {' · '}
                      <code>{event.by}</code>
                    </>
                  )}
                  {event.note && <p>{event.note}</p>}
                </>
              ),
            }))}
          />
        </>
      )}
    </Loaded>
  );
}

function ProposalText({ difference: d }: { difference: Difference }) {
  const { t } = useTranslation('reconciliation');
  if (!d.proposal) return null;
  return (
    <>
      {d.proposal.correction == null ? (
        t('explained')
      ) : (
        <Money amount={d.proposal.correction} currency={d.currency} />
      )}
      {' · '}
      {d.proposal.note}
    </>
  );
}

function NextStep({ difference: d, done }: { difference: Difference; done: () => void }) {
  const { t } = useTranslation('reconciliation');
  const cache = useQueryClient();
  const mayPropose = useCan('reconciliation_write');
  const mayApprove = useCan('reconciliation_approve');
  const [note, setNote] = useState('');
  const finish = async () => {
    await cache.invalidateQueries({ queryKey: ['differences'] });
    await cache.invalidateQueries({ queryKey: ['get', '/v1/reconciliation-differences/{id}'] });
    await cache.invalidateQueries({ queryKey: ['get', '/v1/reconciliation-ageing'] });
    done();
  };
  const path = { id: d.id };
  if (d.status === 'open' && mayPropose) return <Propose difference={d} finish={finish} />;
  if (d.status !== 'proposed' || !mayApprove) return null;
  return (
    <div className="actions">
      <ActionButton
        type="primary"
        consequence={t('approve_consequence')}
        run={async () => {
          await unwrap(
            client.POST('/v1/reconciliation-differences/{id}/approve', { params: { path } }),
          );
          await finish();
        }}
      >
        {t('approve')}
      </ActionButton>
      <ActionButton
        danger
        consequence={
          <label className="stacked">
            {t('note')}
            <Input value={note} maxLength={500} onChange={(event) => setNote(event.target.value)} />
          </label>
        }
        run={async () => {
          await unwrap(
            client.POST('/v1/reconciliation-differences/{id}/reject', {
              params: { path },
              body: { note },
            }),
          );
          await finish();
        }}
      >
        {t('reject')}
      </ActionButton>
    </div>
  );
}

function Propose({
  difference: d,
  finish,
}: {
  difference: Difference;
  finish: () => Promise<void>;
}) {
  const { t } = useTranslation('reconciliation');
  const [form] = Form.useForm<{ correction?: number; note: string }>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const errorText = useErrorText();
  const propose = async ({ correction, note }: { correction?: number; note: string }) => {
    setBusy(true);
    setError(undefined);
    try {
      await unwrap(
        client.POST('/v1/reconciliation-differences/{id}/propose', {
          params: { path: { id: d.id } },
          body: correction === undefined ? { note } : { correction, note },
        }),
      );
      await finish();
    } catch (failure) {
      if (!markField(form, failure, errorText(failure).cure)) setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Form
      form={form}
      layout="vertical"
      initialValues={{ correction: d.suggested === 0 ? undefined : d.suggested }}
      onFinish={(values) => void propose(values)}
    >
      {error !== undefined && <ErrorBox error={error} />}
      <Form.Item name="correction" label={t('correction')} extra={t('correction_hint')}>
        <MoneyInput currency={d.currency} exponent={currencyExponent(d.currency)} />
      </Form.Item>
      <Form.Item name="note" label={t('note')} rules={[{ required: true }]}>
        <Input.TextArea maxLength={500} rows={2} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={busy}>
        {t('propose')}
      </Button>
    </Form>
  );
}
