// What waits for a person: approvals, and payouts that are due. Each is a link to where it is done.
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Day, useFormat } from '@/shared/format';
import type { Dashboard } from './read';

export function Waiting({ data }: { data: Dashboard }) {
  const { t } = useTranslation('dashboard');
  const { money } = useFormat();
  const { approvalsPending, due, nextDue } = data;
  if (approvalsPending === undefined && due === undefined) return null;
  return (
    <ul className="board-waiting">
      {approvalsPending !== undefined && (
        <li>
          <Link to="/approvals">{t('approvals_pending', { count: approvalsPending })}</Link>
        </li>
      )}
      {due?.map((entry) => (
        <li key={entry.status + entry.currency}>
          <Link to={`/payouts?status=${entry.status}`}>
            {t(`payouts_${entry.status === 'proposed' ? 'proposed' : 'approved'}`, {
              count: entry.count,
              amount: money(entry.amount, entry.currency),
            })}
          </Link>
        </li>
      ))}
      {nextDue && (
        <li>
          {t('next_due')} <Day date={nextDue} />
        </li>
      )}
    </ul>
  );
}
