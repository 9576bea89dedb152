// The log-in page. After it the person goes where he wanted to; only paths of this console are taken.
import { useQueryClient } from '@tanstack/react-query';
import { Alert } from 'antd';
import { lazy, Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useSearchParams } from 'react-router';
import { sessionQuery } from '../app/session-query';
import { Alone } from './Alone';
import { cameBack } from '@/shared/came-back';
import LoginSteps from './LoginSteps';
import { safePath } from './paths';

/** Comes after the form: who has a password need not wait for it. */
const ProviderButtons = lazy(() => import('./ProviderButtons'));

export function Component() {
  const { t } = useTranslation('login');
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const { turnedAway, begun } = cameBack(params);
  useEffect(() => {
    document.title = `${t('title')} · Hexiao`;
  }, [t]);
  const done = async () => {
    const session = await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
    if (session) await navigate(safePath(params.get('to')), { replace: true });
  };
  return (
    <Alone title={t('title')}>
      {turnedAway && (
        <Alert
          type="warning"
          showIcon
          title={t(`turned_away.${turnedAway}`)}
          description={t(`turned_away_cure.${turnedAway}`)}
        />
      )}
      <LoginSteps begun={begun} onDone={() => void done()} />
      {!begun && (
        <Suspense fallback={null}>
          <ProviderButtons issuer={params.get('issuer')} />
        </Suspense>
      )}
    </Alone>
  );
}
