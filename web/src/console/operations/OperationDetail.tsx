// One operation with everything that is recorded of it, and the transfers it posted.
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { Day, Money, Moment, useFormat } from '@/shared/format';
import { Id } from '@/shared/Id';
import { LawSource } from '@/shared/LawSource';
import { currencyExponent } from '@/shared/money';
import { Facts, Loaded } from '@/shared/page';
import { useCan } from '@/shared/session';
import { AccountName } from '../catalog/AccountName';
import { Named } from '../catalog/Named';
import { RefundLines } from '../cards/refund-lines';
import { SmallTable } from '../cards/SmallTable';
import { OperationStatus } from './OperationStatus';
import type { Operation } from './query';

type Transfer = components['schemas']['Transfer'];
type CardAfter = components['schemas']['CardAfter'];

function CardOf({ after, currency }: { after: CardAfter; currency: string | null | undefined }) {
  const { t } = useTranslation('operations');
  const { money } = useFormat();
  return (
    <>
      <Link to={`/cards/${after.id}`}>•••• {after.last4}</Link>
      {currency && (
        <span className="quiet"> {t('left', { amount: money(after.available, currency) })}</span>
      )}
    </>
  );
}

function Transfers({ id }: { id: string }) {
  const { t } = useTranslation('operations');
  const query = api.useQuery('get', '/v1/ledger/transfers', {
    params: { query: { operation: id, limit: 200 } },
  });
  return (
    <Loaded query={query}>
      {(page) =>
        page.items.length === 0 ? (
          <p className="quiet">{t('transfers_none')}</p>
        ) : (
          <SmallTable<Transfer>
            label={t('transfers')}
            rows={page.items}
            rowKey={(row) => page.items.indexOf(row)}
            columns={[
              { title: t('debit'), render: (_, row) => <AccountName account={row.debit} /> },
              { title: t('credit'), render: (_, row) => <AccountName account={row.credit} /> },
              {
                title: t('amount'),
                align: 'right',
                render: (_, row) => <Money amount={row.amount} currency={row.currency} />,
              },
            ]}
          />
        )
      }
    </Loaded>
  );
}

function PolicyRule({ rule }: { rule: components['schemas']['PolicyRule'] }) {
  return (
    <>
      <LawSource rule={rule} /> <code>{rule.rule}</code>
    </>
  );
}

export function OperationDetail({ operation }: { operation: Operation }) {
  const { t } = useTranslation('operations');
  const mayReadLedger = useCan('ledger_read');
  const { currency } = operation;
  const money = (amount: number) =>
    currency ? <Money amount={amount} currency={currency} /> : String(amount);
  return (
    <div className="column">
      <Facts
        rows={[
          ['ID', <Id key="id" id={operation.id} to={`/operations/${operation.id}`} />],
          [t('kind'), t(`kinds.${operation.kind}`)],
          [t('status'), <OperationStatus key="status" operation={operation} />],
          [
            t('rule'),
            operation.policy_rule ? <PolicyRule rule={operation.policy_rule} /> : undefined,
          ],
          [t('at'), <Moment key="at" at={operation.at} />],
          [t('business_date'), <Day key="day" date={operation.business_date} />],
          [t('requested'), money(operation.requested)],
          [t('approved'), money(operation.approved)],
          [t('outstanding'), operation.outstanding > 0 ? money(operation.outstanding) : undefined],
          [t('forfeited'), operation.forfeited ? money(operation.forfeited) : undefined],
          [
            t('card'),
            operation.card ? <CardOf after={operation.card} currency={currency} /> : undefined,
          ],
          [
            t('to_card'),
            operation.to ? <CardOf after={operation.to} currency={currency} /> : undefined,
          ],
          [
            t('direction'),
            operation.direction ? t(`directions.${operation.direction}`) : undefined,
          ],
          [
            t('destination'),
            operation.destination ? t(`destinations.${operation.destination}`) : undefined,
          ],
          [
            t('merchant'),
            operation.merchant ? <Named kind="merchants" id={operation.merchant} /> : undefined,
          ],
          [t('store'), operation.store ? <Named kind="stores" id={operation.store} /> : undefined],
          [
            t('terminal'),
            operation.terminal ? <Named kind="terminals" id={operation.terminal} /> : undefined,
          ],
          [t('trace'), operation.trace ?? undefined],
          [t('channel'), operation.channel ?? undefined],
          [
            t('client'),
            operation.client ? <Named kind="clients" id={operation.client} /> : undefined,
          ],
          [t('member'), operation.member ?? undefined],
          [t('reason'), operation.reason ?? undefined],
          [t('reference'), operation.reference ?? undefined],
          [
            t('original'),
            operation.original ? (
              <Id id={operation.original} to={`/operations/${operation.original}`} />
            ) : undefined,
          ],
          [t('hold'), operation.hold ? <Id id={operation.hold} /> : undefined],
          [t('key'), operation.key ? <code>{operation.key}</code> : undefined],
        ]}
      />
      {operation.refund && currency && (
        <RefundLines
          refund={operation.refund}
          currency={currency}
          exponent={currencyExponent(currency)}
        />
      )}
      {mayReadLedger && (
        <section>
          <h2>{t('transfers')}</h2>
          <Transfers id={operation.id} />
        </section>
      )}
    </div>
  );
}
