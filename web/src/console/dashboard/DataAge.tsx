// How old the figures are, and whether they come by themselves. Told every ten seconds, not every one: a screen
// reader is not to be kept busy by a clock.
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/shared/format';
import { StatusTag } from '@/shared/StatusTag';

export function DataAge({ at, live, failed }: { at: string; live: boolean; failed: boolean }) {
  const { t } = useTranslation('dashboard');
  const { age, moment } = useFormat();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  const tone = failed ? 'bad' : live ? 'good' : 'waiting';
  const how = failed ? t('age.failed') : live ? t('age.live') : t('age.polling');
  return (
    <span className="data-age" title={moment(at)}>
      <StatusTag tone={tone}>{how}</StatusTag>
      <span>{t('age.of', { age: age(at, Math.max(now, Date.parse(at))) })}</span>
    </span>
  );
}
