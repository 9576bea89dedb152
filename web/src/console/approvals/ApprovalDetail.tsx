// One approval: exactly what will be done, who asked, and the decision.
import { Alert, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQueryClient } from '@tanstack/react-query';
import { api, client, unwrap } from '@/api/client';
import type { Approval } from '@/api/pending';
import { ActionButton } from '@/shared/ActionButton';
import { Moment, Money } from '@/shared/format';
import { Facts, Loaded } from '@/shared/page';
import { useCan, useSession, type Permission } from '@/shared/session';
import { ApprovalState, Person } from './InboxPage';
import { RequestInWords } from './RequestInWords';

const NEEDED: Record<string, Permission> = {
  issue: 'approve_issue',
  adjust: 'approve_adjust',
  unlinked_refund: 'approve_refund',
  terms: 'approve_terms',
};

export function ApprovalDetail({ id }: { id: string }) {
  const { t } = useTranslation('approvals');
  const { user } = useSession();
  const query = api.useQuery('get', '/v1/approvals/{id}', { params: { path: { id } } });
  return (
    <Loaded query={query}>
      {({ approval }) => (
        <div className="column">
          <Facts
            rows={[
              [t('what'), t(`subjects.${approval.subject}`)],
              [t('state'), <ApprovalState key="s" state={approval.state} />],
              [
                t('amount'),
                approval.amount > 0 ? (
                  <Money key="a" amount={approval.amount} currency={approval.currency} />
                ) : undefined,
              ],
              [
                t('maker'),
                <Person key="m" id={approval.maker} name={approval.maker_name} own={user.id} />,
              ],
              [t('asked_at'), <Moment key="c" at={approval.created_at} />],
              [t('expires_at'), <Moment key="e" at={approval.expires_at} />],
              [
                t('checker'),
                approval.decided_by ? (
                  <Person
                    key="d"
                    id={approval.decided_by}
                    name={approval.decided_by_name}
                    own={user.id}
                  />
                ) : undefined,
              ],
              [t('note'), approval.note ?? undefined],
              [t('result'), approval.result ? <code key="r">{approval.result}</code> : undefined],
              [
                t('failure'),
                approval.failure ? <code key="f">{approval.failure}</code> : undefined,
              ],
            ]}
          />
          <h2>{t('body')}</h2>
          <RequestInWords approval={approval} />
          <Decision approval={approval} own={user.id} />
        </div>
      )}
    </Loaded>
  );
}

function Decision({ approval, own }: { approval: Approval; own: string }) {
  const { t } = useTranslation('approvals');
  const cache = useQueryClient();
  const mayDecide = useCan(NEEDED[approval.kind] ?? 'approve_issue');
  const [note, setNote] = useState('');
  const params = { path: { id: approval.id } };
  const mine = approval.maker.slice(approval.maker.indexOf('_')) === own.slice(own.indexOf('_'));
  const finish = async () => {
    await cache.invalidateQueries({ queryKey: ['approvals'] });
    await cache.invalidateQueries({ queryKey: ['get', '/v1/approvals/{id}'] });
  };
  if (approval.state !== 'pending') return null;
  if (mine) {
    return (
      <div className="actions">
        <Alert type="info" showIcon title={t('own_hint')} />
        <ActionButton
          danger
          consequence={t('withdraw_consequence')}
          run={async () => {
            await unwrap(client.POST('/v1/approvals/{id}/withdraw', { params, body: {} }));
            await finish();
          }}
        >
          {t('withdraw')}
        </ActionButton>
      </div>
    );
  }
  if (!mayDecide) return null;
  return (
    <div className="actions">
      <ActionButton
        type="primary"
        consequence={t('approve_consequence')}
        run={async () => {
          await unwrap(client.POST('/v1/approvals/{id}/approve', { params, body: {} }));
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
          await unwrap(client.POST('/v1/approvals/{id}/reject', { params, body: { note } }));
          await finish();
        }}
      >
        {t('reject')}
      </ActionButton>
    </div>
  );
}
