// Small parts of the pages of batches.
import { Progress } from 'antd';
import { useTranslation } from 'react-i18next';
import { Count } from '@/shared/format';
import { StatusTag, type Tone } from '@/shared/StatusTag';
import { percentDone, type Batch } from './progress';

const TONES: Record<Batch['status'], Tone> = {
  running: 'waiting',
  complete: 'good',
  failed: 'bad',
};

export function BatchStatus({ batch }: { batch: Batch }) {
  const { t } = useTranslation('batches');
  return <StatusTag tone={TONES[batch.status]}>{t(`status.${batch.status}`)}</StatusTag>;
}

export function BatchProgress({ batch }: { batch: Batch }) {
  const { t } = useTranslation('batches');
  return (
    <div className="batch-progress">
      <Progress
        percent={percentDone(batch)}
        size="small"
        status={
          batch.status === 'failed'
            ? 'exception'
            : batch.status === 'complete'
              ? 'success'
              : 'active'
        }
        aria-label={t('progress')}
      />
      <span className="quiet">
        <Count value={batch.issued} /> / <Count value={batch.count} />
        {batch.activate && (
          <>
            {' · '}
            {t('activated')} <Count value={batch.activated} />
          </>
        )}
      </span>
    </div>
  );
}
