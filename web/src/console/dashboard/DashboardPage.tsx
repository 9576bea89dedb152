// The dashboard: what was sold today beside yesterday, what is owed, why sales were declined, and what waits for
// somebody. Updated when the server says that something changed; it always tells how old its figures are.
import { useTranslation } from 'react-i18next';
import { useDeferredValue, useState } from 'react';
import { useFormat } from '@/shared/format';
import { EmptyState, Loaded, Page } from '@/shared/page';
import { useSession } from '@/shared/session';
import { DataAge } from './DataAge';
import { Declines } from './Declines';
import { Figures } from './Figures';
import { HourlySales } from './HourlySales';
import { type Dashboard, useDashboard } from './use-dashboard';
import { Waiting } from './Waiting';
import './dashboard.css';

export function Component() {
  const { t } = useTranslation('dashboard');
  const { issuer } = useSession();
  const { query, live } = useDashboard(issuer !== undefined);
  // Drawn in small pieces between which the page answers: a phone would stand still for a third of a second.
  const data = useDeferredValue(query.data);
  if (!issuer) {
    return (
      <Page title={t('title')}>
        <EmptyState title={t('platform')} hint={t('platform_hint')} />
      </Page>
    );
  }
  return (
    <Page
      title={t('title')}
      actions={data && <DataAge at={data.at} live={live} failed={query.isError} />}
    >
      <Loaded query={{ ...query, data }}>{(shown) => <Board data={shown} />}</Loaded>
    </Page>
  );
}

function Board({ data }: { data: Dashboard }) {
  const { t } = useTranslation('dashboard');
  const [chosen, setChosen] = useState<string>();
  const { locale } = useFormat();
  const names = new Intl.DisplayNames(locale, { type: 'currency' });
  const figures = data.currencies.find((entry) => entry.currency === chosen) ?? data.currencies[0];
  return (
    <>
      {!data.counted && <p role="status">{t('not_counted')}</p>}
      {!data.complete && <p role="status">{t('counting')}</p>}
      {data.currencies.length > 1 && (
        <div className="board-currencies" role="group" aria-label={t('currency')}>
          {data.currencies.map(({ currency }) => (
            <button
              key={currency}
              type="button"
              className="plain-button"
              aria-pressed={currency === figures?.currency}
              onClick={() => setChosen(currency)}
            >
              {names.of(currency) ?? currency}
            </button>
          ))}
        </div>
      )}
      <Waiting data={data} />
      {figures ? (
        <>
          <Figures figures={figures} latency={data.latency} />
          <div className="board-charts">
            <HourlySales figures={figures} />
            <Declines declines={data.declined} />
          </div>
        </>
      ) : (
        <EmptyState title={t('empty')} hint={t('empty_hint')} />
      )}
    </>
  );
}
