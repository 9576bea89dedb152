// A holder refund line by line, with the article that each line stands on.
import { useTranslation } from 'react-i18next';
import type { components } from '@/api/schema';
import { Day, Money, useFormat } from '@/shared/format';
import { LawSource } from '@/shared/LawSource';
import { Facts } from '@/shared/page';

type RefundView = components['schemas']['RefundView'];

export function RefundLines(props: { refund: RefundView; currency: string; exponent: number }) {
  const { t, i18n } = useTranslation('cards');
  const { basisPoints } = useFormat();
  const { refund, currency, exponent } = props;
  return (
    <div className="column">
      <table className="lines">
        <caption className="visually-hidden">{t('refund.lines')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('refund.line')}</th>
            <th scope="col">{t('refund.basis')}</th>
            <th scope="col" className="number">
              {t('amount')}
            </th>
          </tr>
        </thead>
        <tbody>
          {refund.lines.map((line) => (
            <tr key={line.item} className={line.item === 'refund' ? 'total' : undefined}>
              <th scope="row">{i18n.language === 'zh' ? line.label.zh : line.label.en}</th>
              <td>{line.source && <LawSource rule={{ ...line, source: line.source }} />}</td>
              <td className="number">
                <Money amount={line.amount} currency={currency} exponent={exponent} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Facts
        rows={[
          [
            t('refund.interest'),
            t('refund.interest_of', {
              rate: basisPoints(refund.rate_basis_points),
              days: refund.days,
              year: refund.day_count,
            }),
          ],
          [t('refund.pay_by'), refund.pay_by ? <Day date={refund.pay_by} /> : undefined],
          [t('refund.law'), <code key="law">{`${refund.policy_pack} ${refund.version}`}</code>],
        ]}
      />
    </div>
  );
}
