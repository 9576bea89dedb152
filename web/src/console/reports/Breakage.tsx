// Breakage: what finance expects never to be redeemed, against what was.
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { Absent, Money, useFormat } from '@/shared/format';
import { EmptyState, Loaded } from '@/shared/page';
import { ScrollTable } from '@/shared/ScrollTable';
import { asJson, Controls, CsvButton, ProgramName } from './parts';

type Line = components['schemas']['BreakageLine'];

export function Breakage() {
  const { t } = useTranslation('reports');
  const { basisPoints } = useFormat();
  const query = api.useQuery('get', '/v1/reports/breakage');
  const money = (title: string, of: (line: Line) => number | undefined) => ({
    title,
    align: 'right' as const,
    render: (_: unknown, line: Line) => {
      const amount = of(line);
      return amount === undefined ? <Absent /> : <Money amount={amount} currency={line.currency} />;
    },
  });
  return (
    <>
      <p className="lead">{t('breakage.lead')}</p>
      <Controls>
        <CsvButton path="/v1/reports/breakage" query={{}} />
      </Controls>
      <Loaded query={asJson(query)}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title={t('empty')} />
          ) : (
            <ScrollTable<Line>
              aria-label={t('breakage.title')}
              rowKey={(line) => line.program + line.currency}
              dataSource={items}
              columns={[
                { title: t('program'), render: (_, line) => <ProgramName id={line.program} /> },
                money(t('breakage.granted'), (line) => line.granted),
                money(t('breakage.redeemed'), (line) => line.redeemed),
                {
                  title: t('breakage.rate'),
                  align: 'right',
                  render: (_, line) =>
                    line.estimate ? basisPoints(line.estimate.expected_redemption_bp) : <Absent />,
                },
                money(t('breakage.expected'), (line) => line.estimate?.expected),
                money(t('breakage.earned'), (line) => line.estimate?.earned),
                money(t('breakage.recognised'), (line) => line.recognised),
                money(t('breakage.difference'), (line) => line.estimate?.difference),
              ]}
            />
          )
        }
      </Loaded>
    </>
  );
}
