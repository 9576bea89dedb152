// What became of something that was sent: declined, refused, or not known yet.
import { Alert } from 'antd';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorBox } from '@/shared/ErrorBox';
import { LawSource } from '@/shared/LawSource';
import type { Operation, Phase } from './submission';

function Declined({ operation }: { operation: Operation }) {
  const { t, i18n } = useTranslation(['cards', 'declines']);
  const code = operation.decline?.code ?? '';
  const known = i18n.exists(`declines:${code}`);
  const rule = operation.policy_rule;
  return (
    <Alert
      type="warning"
      showIcon
      role="alert"
      title={`${t('declined')}: ${known ? t(`declines:${code}`) : code}`}
      description={
        <>
          {rule && (
            <p>
              <LawSource rule={rule} /> ({rule.pointer})
            </p>
          )}
          <p>{t(operation.decline?.retryable ? 'declined_retry' : 'declined_final')}</p>
        </>
      }
    />
  );
}

function Told({ phase }: { phase: Phase }) {
  const { t } = useTranslation('cards');
  switch (phase.name) {
    case 'declined':
      return <Declined operation={phase.operation} />;
    case 'refused':
      return <ErrorBox error={phase.error} />;
    case 'unknown':
      return (
        <div className="column">
          <Alert
            type="warning"
            showIcon
            role="alert"
            title={t('unknown')}
            description={t('unknown_hint')}
          />
          <ErrorBox error={phase.error} />
        </div>
      );
    default:
      return null;
  }
}

/** Comes into view by itself: the form above it may be long. */
export function Outcome({ phase }: { phase: Phase }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (phase.name !== 'editing' && phase.name !== 'sending') {
      place.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [phase]);
  return (
    <div ref={place}>
      <Told phase={phase} />
    </div>
  );
}
