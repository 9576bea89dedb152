// The approvals inbox: what others asked for beyond their limits and a second person decides; and beside it what
// waits in payouts and reconciliation, which have their own pages.
import { Drawer, Segmented } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { Approval, ApprovalState as State } from '@/api/pending';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { useFilters } from '@/shared/filters';
import { Absent, Moment, Money } from '@/shared/format';
import { EmptyState, Page } from '@/shared/page';
import { useCan, useSession } from '@/shared/session';
import { StatusTag, type Tone } from '@/shared/StatusTag';
import { ApprovalDetail } from './ApprovalDetail';

const STATES = ['pending', 'approved', 'rejected', 'withdrawn', 'expired', 'failed'] as const;
const TONES: Record<(typeof STATES)[number], Tone> = {
  pending: 'waiting',
  approved: 'good',
  rejected: 'bad',
  withdrawn: 'neutral',
  expired: 'neutral',
  failed: 'bad',
};

export function ApprovalState({ state }: { state: State }) {
  const { t } = useTranslation('approvals');
  return <StatusTag tone={TONES[state]}>{t(`states.${state}`)}</StatusTag>;
}

export function Component() {
  const { t } = useTranslation('approvals');
  const { id } = useParams();
  const navigate = useNavigate();
  const { user } = useSession();
  const [filters, setFilters] = useFilters(['state'] as const);
  const state = (filters.state as State | undefined) ?? 'pending';
  const list = useCursorList<Approval>(
    ['approvals', state],
    ({ limit, cursor, signal }) =>
      unwrap(client.GET('/v1/approvals', { params: { query: { limit, cursor, state } }, signal })),
    { refetchInterval: 15_000 },
  );
  const columns: Column<Approval>[] = [
    {
      title: t('what'),
      render: (_, a) => (
        <Link to={`/approvals/${a.id}?state=${state}`}>{t(`subjects.${a.subject}`)}</Link>
      ),
    },
    {
      title: t('amount'),
      align: 'right',
      render: (_, a) =>
        a.amount > 0 ? <Money amount={a.amount} currency={a.currency} /> : <Absent />,
    },
    {
      title: t('maker'),
      render: (_, a) => <Person id={a.maker} name={a.maker_name} own={user.id} />,
    },
    { title: t('asked_at'), render: (_, a) => <Moment at={a.created_at} /> },
    { title: t('expires_at'), render: (_, a) => <Moment at={a.expires_at} /> },
    { title: t('state'), render: (_, a) => <ApprovalState state={a.state} /> },
  ];
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Elsewhere />
      <Segmented
        aria-label={t('state')}
        value={state}
        onChange={(value) => setFilters({ state: value })}
        options={STATES.map((value) => ({ value, label: t(`states.${value}`) }))}
      />
      <CursorTable
        label={t('title')}
        list={list}
        columns={columns}
        rowKey={(a) => a.id}
        empty={<EmptyState title={t(`empty.${state}`)} hint={t('empty_hint')} />}
      />
      <Drawer
        open={id !== undefined}
        onClose={() => void navigate(`/approvals?state=${state}`)}
        title={t('one')}
        size={560}
        destroyOnHidden
      >
        {id && <ApprovalDetail id={id} />}
      </Drawer>
    </Page>
  );
}

/** A person by name, and "you" for oneself. */
export function Person({ id, name, own }: { id: string; name?: string | null; own: string }) {
  const { t } = useTranslation('approvals');
  // A principal and its user share everything of their ids but the prefix.
  const same = id.slice(id.indexOf('_')) === own.slice(own.indexOf('_'));
  return same ? t('you') : <span title={id}>{name ?? id}</span>;
}

/** What waits on pages of its own. */
function Elsewhere() {
  const { t } = useTranslation('approvals');
  const payouts = useCan('payouts_approve');
  const differences = useCan('reconciliation_approve');
  if (!payouts && !differences) return null;
  return (
    <nav className="actions" aria-label={t('elsewhere')}>
      {payouts && <Link to="/payouts?status=proposed">{t('payouts')}</Link>}
      {differences && <Link to="/reconciliation?status=proposed">{t('differences')}</Link>}
    </nav>
  );
}
