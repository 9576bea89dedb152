// One statement as an accountant reads it: the figures from opening to carried forward, each line down to its
// operation, and the documents.
import { Dropdown, Button } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { api, client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { ErrorBox } from '@/shared/ErrorBox';
import { Id } from '@/shared/Id';
import { useCursorList } from '@/shared/cursor-list';
import { download, withQuery } from '@/shared/download';
import { Count, Day, Moment, Money } from '@/shared/format';
import { MerchantName } from '@/shared/merchants';
import { EmptyState, Facts, Loaded, Page, Panel } from '@/shared/page';
import { useLanguage } from '@/shared/settings';
import { DueDay, StatementStatus } from './parts';

type Statement = components['schemas']['Statement'];
type Line = components['schemas']['StatementLine'];
type Figures = NonNullable<Statement['figures']>;

export function Component() {
  const { t } = useTranslation('settlement');
  const { id = '' } = useParams();
  const query = api.useQuery('get', '/v1/statements/{id}', { params: { path: { id } } });
  return (
    <Page
      title={t('statement.title')}
      above={<Link to="/statements">← {t('statements.title')}</Link>}
      actions={query.data?.status === 'closed' && <Documents id={id} />}
    >
      <Loaded query={query}>
        {(statement) => (
          <>
            <Head statement={statement} />
            {statement.figures && (
              <Arithmetic figures={statement.figures} currency={statement.currency} />
            )}
            {statement.status === 'closed' ? (
              <Lines statement={statement} />
            ) : (
              <EmptyState
                title={t('statement.still_open')}
                hint={t('statement.still_open_hint')}
                action={<Link to="/statements">{t('statements.title')}</Link>}
              />
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Head({ statement: s }: { statement: Statement }) {
  const { t } = useTranslation('settlement');
  return (
    <Panel>
      <Facts
        rows={[
          [t('merchant'), <MerchantName id={s.merchant} key="m" />],
          [
            t('period'),
            <span key="p">
              <Day date={s.period_from} /> – <Day date={s.period_to} />
            </span>,
          ],
          [t('status'), <StatementStatus status={s.status} key="s" />],
          [t('due'), <DueDay date={s.due_on} estimated={s.due_estimated} key="d" />],
          [t('statement.closed_at'), s.closed_at ? <Moment at={s.closed_at} key="c" /> : undefined],
          [t('statement.id'), <Id id={s.id} key="i" />],
          [t('statement.posted_by'), s.operation ? <Id id={s.operation} key="o" /> : undefined],
          [
            t('statement.digest'),
            s.digest ? (
              <code key="h" style={{ overflowWrap: 'anywhere' }}>
                {s.digest}
              </code>
            ) : undefined,
          ],
        ]}
      />
    </Panel>
  );
}

/** Name of a figure and how it enters the sum. */
const SUMMANDS: readonly (readonly [keyof Figures, 1 | -1])[] = [
  ['opening', 1],
  ['payouts_rejected', 1],
  ['sales', 1],
  ['refunds', 1],
  ['reversals', 1],
  ['split_in', 1],
  ['payout_returns', 1],
  ['corrections', 1],
  ['funding', 1],
  ['fees', -1],
  ['splits_out', -1],
  ['yearly_fee', -1],
];

function Arithmetic({ figures, currency }: { figures: Figures; currency: string }) {
  const { t } = useTranslation('settlement');
  const counts: Partial<Record<keyof Figures, number>> = {
    sales: figures.sales_count,
    refunds: figures.refunds_count,
  };
  const shown = SUMMANDS.filter(
    ([name]) => figures[name] !== 0 || name === 'opening' || name === 'sales',
  );
  return (
    <Panel title={t('statement.arithmetic')}>
      <table className="arithmetic">
        <tbody>
          {shown.map(([name, sign]) => (
            <tr key={name}>
              <th scope="row">{t(`figure.${name}`)}</th>
              <td>{counts[name] !== undefined && t('statement.count', { count: counts[name] })}</td>
              <td>
                <Money amount={sign * figures[name]} currency={currency} />
              </td>
            </tr>
          ))}
          <tr className="sum">
            <th scope="row">{t('figure.closing')}</th>
            <td />
            <td>
              <Money amount={figures.closing} currency={currency} />
            </td>
          </tr>
          <tr>
            <th scope="row">{t('figure.payout')}</th>
            <td />
            <td>
              <Money amount={-figures.payout} currency={currency} />
            </td>
          </tr>
          {figures.invoiced !== 0 && (
            <tr>
              <th scope="row">{t('figure.invoiced')}</th>
              <td />
              <td>
                <Money amount={figures.invoiced} currency={currency} />
              </td>
            </tr>
          )}
          <tr className="sum">
            <th scope="row">{t('figure.carried')}</th>
            <td />
            <td>
              <Money amount={figures.carried} currency={currency} />
            </td>
          </tr>
        </tbody>
      </table>
      {figures.late_count > 0 && (
        <p className="lead">{t('statement.late', { count: figures.late_count })}</p>
      )}
    </Panel>
  );
}

function Lines({ statement }: { statement: Statement }) {
  const { t } = useTranslation('settlement');
  const list = useCursorList<Line>(['statement-lines', statement.id], ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/statements/{id}/lines', {
        params: { path: { id: statement.id }, query: { limit, cursor } },
        signal,
      }),
    ),
  );
  const columns: Column<Line>[] = [
    { title: t('day'), render: (_, line) => <Day date={line.day} /> },
    {
      title: t('line.kind'),
      render: (_, line) => (
        <>
          {t(`line_kind.${line.kind}`)}
          {line.late && ` · ${t('line.late')}`}
        </>
      ),
    },
    {
      title: t('line.operation'),
      render: (_, line) => <Id id={line.operation} to={`/operations?open=${line.operation}`} />,
    },
    {
      title: t('amount'),
      align: 'right',
      render: (_, line) => <Money amount={line.amount} currency={statement.currency} />,
    },
    {
      title: t('figure.fees'),
      align: 'right',
      render: (_, line) => <Money amount={line.fee} currency={statement.currency} />,
    },
    {
      title: t('figure.splits_out'),
      align: 'right',
      render: (_, line) => (
        <Money
          amount={line.parts.reduce((sum, part) => sum + part.amount, 0)}
          currency={statement.currency}
        />
      ),
    },
  ];
  return (
    <Panel
      title={t('statement.lines')}
      extra={statement.figures && <Count value={statement.figures.lines} />}
    >
      <CursorTable
        label={t('statement.lines')}
        list={list}
        columns={columns}
        rowKey={(line) => `${line.operation}-${line.kind}`}
        empty={<EmptyState title={t('statement.no_lines')} />}
      />
    </Panel>
  );
}

function Documents({ id }: { id: string }) {
  const { t } = useTranslation('settlement');
  const language = useLanguage();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const fetchOne = async (format: string) => {
    setBusy(true);
    setError(undefined);
    try {
      await download(
        withQuery(`/v1/statements/${id}/export`, { format, language }),
        `${id}.${format}`,
      );
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{
          items: ['pdf', 'xlsx', 'csv'].map((key) => ({ key, label: t(`document.${key}`) })),
          onClick: ({ key }) => void fetchOne(key),
        }}
      >
        <Button icon={<DownloadOutlined />} loading={busy}>
          {t('statement.documents')}
        </Button>
      </Dropdown>
      {error !== undefined && <ErrorBox error={error} />}
    </>
  );
}
