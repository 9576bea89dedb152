// How old the value on cards is.
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { Count, Money } from '@/shared/format';
import { EmptyState, Loaded } from '@/shared/page';
import { ScrollTable } from '@/shared/ScrollTable';
import { asJson, Controls, CsvButton, ProgramName } from './parts';

type Line = components['schemas']['AgeingLine'];

export function Ageing() {
  const { t } = useTranslation('reports');
  const query = api.useQuery('get', '/v1/reports/ageing');
  return (
    <>
      <p className="lead">{t('ageing.lead')}</p>
      <Controls>
        <CsvButton path="/v1/reports/ageing" query={{}} />
      </Controls>
      <Loaded query={asJson(query)}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title={t('empty')} />
          ) : (
            <ScrollTable<Line>
              aria-label={t('ageing.title')}
              rowKey={(line) => `${line.program}${line.source}${line.age}${line.currency}`}
              dataSource={items}
              columns={[
                { title: t('program'), render: (_, line) => <ProgramName id={line.program} /> },
                {
                  title: t('ageing.source'),
                  render: (_, line) => t(`sources.${line.source}`, line.source),
                },
                { title: t('ageing.age'), render: (_, line) => t(`ages.${line.age}`, line.age) },
                {
                  title: t('ageing.cards'),
                  align: 'right',
                  render: (_, line) => <Count value={line.cards} />,
                },
                {
                  title: t('ageing.remaining'),
                  align: 'right',
                  render: (_, line) => <Money amount={line.remaining} currency={line.currency} />,
                },
                {
                  title: t('ageing.claimable'),
                  align: 'right',
                  render: (_, line) => <Money amount={line.claimable} currency={line.currency} />,
                },
              ]}
            />
          )
        }
      </Loaded>
    </>
  );
}
