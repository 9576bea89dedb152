// Merchants' statements, and closing the day: the run that makes them.
import { Alert, Button, Form, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { DateField, DateFilter } from '@/shared/DateField';
import { ErrorBox } from '@/shared/ErrorBox';
import { useCursorList } from '@/shared/cursor-list';
import { Dialog } from '@/shared/Dialog';
import { useFilters } from '@/shared/filters';
import { Absent, Day, Money } from '@/shared/format';
import { MerchantName, MerchantSelect } from '@/shared/merchants';
import { EmptyState, Page } from '@/shared/page';
import { useCan, useSession, useTimeZone } from '@/shared/session';
import { dayOf, addDays } from '@/shared/time';
import { DueDay, StatementStatus } from './parts';

type Statement = components['schemas']['Statement'];
type SettlementRun = components['schemas']['SettlementRun'];

const FILTERS = ['merchant', 'status', 'from', 'to'] as const;
const STATUSES = ['open', 'closing', 'closed'] as const;

export function Component() {
  const { t } = useTranslation('settlement');
  const [filters, setFilters] = useFilters(FILTERS);
  const bound = useSession().merchant;
  const maySettle = useCan('settlement_write') && !bound;
  const list = useCursorList<Statement>(['statements', filters], ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/statements', {
        params: {
          query: {
            limit,
            cursor,
            merchant: filters.merchant,
            status: filters.status as Statement['status'] | undefined,
            from: filters.from,
            to: filters.to,
          },
        },
        signal,
      }),
    ),
  );
  const columns: Column<Statement>[] = [
    {
      title: t('period'),
      render: (_, s) => (
        <Link to={`/statements/${s.id}`}>
          <Day date={s.period_from} />
          {s.period_to !== s.period_from && (
            <>
              {' – '}
              <Day date={s.period_to} />
            </>
          )}
        </Link>
      ),
    },
    { title: t('merchant'), render: (_, s) => <MerchantName id={s.merchant} /> },
    { title: t('status'), render: (_, s) => <StatementStatus status={s.status} /> },
    figure('sales', (s) => s.figures?.sales),
    figure('fees', (s) => s.figures?.fees),
    figure('closing', (s) => s.figures?.closing),
    figure('payout', (s) => s.figures?.payout),
    { title: t('due'), render: (_, s) => <DueDay date={s.due_on} estimated={s.due_estimated} /> },
  ];
  function figure(
    label: 'sales' | 'fees' | 'closing' | 'payout',
    of: (s: Statement) => number | undefined,
  ): Column<Statement> {
    return {
      title: t(`figure.${label}`),
      align: 'right',
      render: (_, s) => {
        const amount = of(s);
        return amount === undefined ? <Absent /> : <Money amount={amount} currency={s.currency} />;
      },
    };
  }
  return (
    <Page
      title={t('statements.title')}
      lead={t('statements.lead')}
      actions={maySettle && <CloseTheDay />}
    >
      <div className="filters">
        {!bound && (
          <label>
            {t('merchant')}
            <MerchantSelect
              allowClear
              value={filters.merchant}
              onChange={(merchant) => setFilters({ merchant })}
              aria-label={t('merchant')}
            />
          </label>
        )}
        <label>
          {t('status')}
          <Select
            allowClear
            aria-label={t('status')}
            value={filters.status}
            onChange={(status) => setFilters({ status })}
            options={STATUSES.map((value) => ({ value, label: t(`statement_status.${value}`) }))}
            style={{ minWidth: 140 }}
          />
        </label>
        <DateFilter
          label={t('from')}
          value={filters.from}
          onChange={(from) => setFilters({ from })}
        />
        <DateFilter label={t('to')} value={filters.to} onChange={(to) => setFilters({ to })} />
      </div>
      <CursorTable
        label={t('statements.title')}
        list={list}
        columns={columns}
        rowKey={(s) => s.id}
        empty={<EmptyState title={t('statements.empty')} hint={t('statements.empty_hint')} />}
      />
    </Page>
  );
}

/** Settles through a day. Doing it twice changes nothing, so that nobody need fear the button. */
function CloseTheDay() {
  const { t } = useTranslation(['settlement', 'common']);
  const zone = useTimeZone();
  const cache = useQueryClient();
  const yesterday = addDays(dayOf(new Date(), zone), -1);
  const [open, setOpen] = useState(false);
  const [through, setThrough] = useState(yesterday);
  const [early, setEarly] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [report, setReport] = useState<SettlementRun>();
  const run = async () => {
    setBusy(true);
    setError(undefined);
    setReport(undefined);
    try {
      setReport(
        await unwrap(client.POST('/v1/settlement-runs', { body: early ? { early } : { through } })),
      );
      // The dialog can be closed while the lists behind it are read again.
      void cache.invalidateQueries({ queryKey: ['statements'] });
      void cache.invalidateQueries({ queryKey: ['payouts'] });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        {t('run.action')}
      </Button>
      <Dialog
        open={open}
        title={t('run.title')}
        okText={t('run.action')}
        cancelText={t('common:action.close')}
        confirmLoading={busy}
        onOk={() => void run()}
        onCancel={() => setOpen(false)}
        afterClose={() => setReport(undefined)}
      >
        <p>{t('run.explain')}</p>
        <Form layout="vertical">
          <Form.Item label={t('run.through')} extra={t('run.through_hint')}>
            <DateField
              needed
              disabled={early !== undefined}
              value={through}
              max={dayOf(new Date(), zone)}
              onChange={(day) => day && setThrough(day)}
            />
          </Form.Item>
          <Form.Item label={t('run.early')} htmlFor="run-early" extra={t('run.early_hint')}>
            <MerchantSelect
              id="run-early"
              allowClear
              placeholder={t('run.early_none')}
              value={early}
              onChange={setEarly}
            />
          </Form.Item>
        </Form>
        {error !== undefined && <ErrorBox error={error} />}
        {report && (
          <Alert
            type="success"
            showIcon
            role="status"
            title={t('run.done', {
              statements: report.statements,
              payouts: report.payouts,
              lines: report.lines,
            })}
            description={
              report.amounts.length > 0 && (
                <ul>
                  {report.amounts.map(({ amount, currency }) => (
                    <li key={currency}>
                      {t('run.amount')}: <Money amount={amount} currency={currency} />
                    </li>
                  ))}
                </ul>
              )
            }
          />
        )}
      </Dialog>
    </>
  );
}
