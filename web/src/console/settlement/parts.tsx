// Small parts that several pages of settlement show.
import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import type { components } from '@/api/schema';
import { Day } from '@/shared/format';
import { StatusTag, type Tone } from '@/shared/StatusTag';

type Statement = components['schemas']['Statement'];
type Payout = components['schemas']['Payout'];

const STATEMENT_TONES: Record<Statement['status'], Tone> = {
  open: 'neutral',
  closing: 'waiting',
  closed: 'good',
};

const PAYOUT_TONES: Record<Payout['status'], Tone> = {
  proposed: 'waiting',
  approved: 'waiting',
  rejected: 'bad',
  sent: 'waiting',
  confirmed: 'good',
  returned: 'bad',
};

export function StatementStatus({ status }: { status: Statement['status'] }) {
  const { t } = useTranslation('settlement');
  return <StatusTag tone={STATEMENT_TONES[status]}>{t(`statement_status.${status}`)}</StatusTag>;
}

export function PayoutStatus({ status }: { status: Payout['status'] }) {
  const { t } = useTranslation('settlement');
  return <StatusTag tone={PAYOUT_TONES[status]}>{t(`payout_status.${status}`)}</StatusTag>;
}

/** The day on which money is due; marked where the year's holidays are not published yet. */
export function DueDay({ date, estimated }: { date: string; estimated: boolean }) {
  const { t } = useTranslation('settlement');
  return (
    <>
      <Day date={date} />
      {estimated && (
        <Tooltip title={t('estimated_hint')}>
          <span tabIndex={0} className="estimated">
            {' '}
            {t('estimated')}
          </span>
        </Tooltip>
      )}
    </>
  );
}
