// The journal by day under the account chart, as it goes to the books.
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { Count, Day, Money } from '@/shared/format';
import { EmptyState, Loaded } from '@/shared/page';
import { ScrollTable } from '@/shared/ScrollTable';
import { Named } from '../catalog/Named';
import { asJson, Controls, CsvButton, PeriodFields, ProgramName, usePeriod } from './parts';

type Entry = components['schemas']['JournalEntry'];

/** Of which merchant an account is. Other accounts need no more than their name in the books. */
function Merchant({ account }: { account: string }) {
  const [kind, id] = account.split(':');
  if (kind !== 'merchant' || !id) return null;
  return (
    <span className="quiet">
      <Named kind="merchants" id={id} />
    </span>
  );
}

export function Journal() {
  const { t } = useTranslation('reports');
  const [period, setPeriod] = usePeriod();
  const query = api.useQuery('get', '/v1/reports/journal', { params: { query: { ...period } } });
  const side = (name: 'debit' | 'credit') => ({
    title: t(`journal.${name}`),
    render: (_: unknown, entry: Entry) => (
      <>
        <code>{entry[name].code}</code> {entry[name].name}{' '}
        <Merchant account={entry[name].account} />
      </>
    ),
  });
  return (
    <>
      <p className="lead">{t('journal.lead')}</p>
      <Controls>
        <PeriodFields period={period} onChange={setPeriod} />
        <CsvButton path="/v1/reports/journal" query={{ ...period }} />
      </Controls>
      <Loaded query={asJson(query)}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title={t('empty')} />
          ) : (
            <ScrollTable<Entry>
              aria-label={t('journal.title')}
              pagination={{ pageSize: 50, showSizeChanger: false }}
              rowKey={(entry) =>
                [
                  entry.day,
                  entry.kind,
                  entry.reversed,
                  entry.program,
                  entry.debit.account,
                  entry.credit.account,
                  entry.currency,
                ].join()
              }
              dataSource={items}
              columns={[
                { title: t('day'), render: (_, entry) => <Day date={entry.day} /> },
                {
                  title: t('journal.kind'),
                  render: (_, entry) => t(`kinds.${entry.kind}`, entry.kind),
                },
                { title: t('program'), render: (_, entry) => <ProgramName id={entry.program} /> },
                side('debit'),
                side('credit'),
                {
                  title: t('journal.operations'),
                  align: 'right',
                  render: (_, entry) => <Count value={entry.operations} />,
                },
                {
                  title: t('amount'),
                  align: 'right',
                  render: (_, entry) => <Money amount={entry.amount} currency={entry.currency} />,
                },
              ]}
            />
          )
        }
      </Loaded>
    </>
  );
}
