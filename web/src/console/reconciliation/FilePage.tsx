// One reconciled file: totals of both sides and its lines.
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { api, client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { Id } from '@/shared/Id';
import { useCursorList } from '@/shared/cursor-list';
import { Absent, Count, Moment, Money } from '@/shared/format';
import { EmptyState, Facts, Loaded, Page, Panel } from '@/shared/page';
import { AccountName } from '../catalog/AccountName';

type Line = components['schemas']['ReconciledLine'];

export function Component() {
  const { t } = useTranslation('reconciliation');
  const { id = '' } = useParams();
  const query = api.useQuery('get', '/v1/reconciliations/{id}', { params: { path: { id } } });
  return (
    <Page
      title={query.data?.file_name || t('files.one')}
      above={<Link to="/reconciliation/files">← {t('files.title')}</Link>}
    >
      <Loaded query={query}>
        {(r) => (
          <>
            <Panel>
              <Facts
                rows={[
                  [t('files.name'), r.file_name],
                  [t('account'), <AccountName key="a" account={r.account} />],
                  [t('files.format'), t(`formats.${r.format.replace('.', '_')}`)],
                  [
                    t('files.there_sum'),
                    <Money key="t" amount={r.lines_sum} currency={r.currency} />,
                  ],
                  [
                    t('files.here_sum'),
                    <Money key="h" amount={r.records_sum} currency={r.currency} />,
                  ],
                  [t('files.lines'), <Count key="l" value={r.lines} />],
                  [t('files.records'), <Count key="r" value={r.records} />],
                  [t('files.matched'), <Count key="m" value={r.matched} />],
                  [
                    t('files.differences'),
                    <Link key="d" to={`/reconciliation?reconciliation=${r.id}`}>
                      <Count value={r.differences} />
                    </Link>,
                  ],
                  [t('files.passed_over'), <Count key="p" value={r.passed_over} />],
                  [
                    t('files.totals'),
                    t(r.totals_checked ? 'files.totals_checked' : 'files.totals_absent'),
                  ],
                  [t('files.sent_at'), <Moment key="c" at={r.created_at} />],
                  [
                    'SHA-256',
                    <code key="s" style={{ overflowWrap: 'anywhere' }}>
                      {r.sha256}
                    </code>,
                  ],
                ]}
              />
            </Panel>
            <Lines id={r.id} currency={r.currency} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Lines({ id, currency }: { id: string; currency: string }) {
  const { t } = useTranslation('reconciliation');
  const list = useCursorList<Line>(['reconciliation-lines', id], ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/reconciliations/{id}/lines', {
        params: { path: { id }, query: { limit, cursor } },
        signal,
      }),
    ),
  );
  const columns: Column<Line>[] = [
    { title: t('line'), dataIndex: 'number', align: 'right' },
    { title: t('reference'), dataIndex: 'reference' },
    {
      title: t('amount'),
      align: 'right',
      render: (_, l) => <Money amount={l.amount} currency={currency} />,
    },
    { title: t('files.line_status'), render: (_, l) => t(`line_status.${l.status}`) },
    {
      title: t('operation'),
      render: (_, l) =>
        l.operation ? <Id id={l.operation} to={`/operations?open=${l.operation}`} /> : <Absent />,
    },
    {
      title: t('class'),
      render: (_, l) => (l.class ? t(`classes.${l.class}`) : t('files.agrees')),
    },
  ];
  return (
    <Panel title={t('files.details')}>
      <CursorTable
        label={t('files.details')}
        list={list}
        columns={columns}
        rowKey={(l) => l.number}
        empty={<EmptyState title={t('files.no_lines')} />}
      />
    </Panel>
  );
}
