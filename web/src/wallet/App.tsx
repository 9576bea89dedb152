// The wallet: signed in with the server at hand, or without a network with what this phone can show by itself.
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { Refused, Unanswered } from '@/handheld/http';
import { useReachable } from '@/handheld/online';
import { Button, Notice, parts, Waiting } from '@/handheld/parts';
import { remember } from '@/handheld/preference';
import * as api from './api';
import { WalletContext } from './context';
import { allDevices, forgetAll, keepOnly, setClock, type Device } from './devices';
import { early, wasSignedIn, type Early } from './early';
import { Frame } from './Frame';
import { Home } from './Home';
import { follow, go, paths, useRoute, type Route } from './route';
import { SignIn } from './SignIn';
import { useWords } from './words';
import styles from './wallet.module.css';

const Pay = lazy(() => import('./Pay'));
const CardPage = lazy(() => import('./CardPage'));
const AddCard = lazy(() => import('./AddCard'));
const Gifts = lazy(() => import('./Gifts'));

type State =
  | { step: 'starting' }
  | { step: 'signed_out' }
  | { step: 'offline'; devices: Device[] }
  | { step: 'failed' }
  | { step: 'open'; session: api.Session; cards: api.Card[] };

/** Devices of this phone; none where the browser keeps nothing. */
const devicesOrNone = () => allDevices().catch(() => [] as Device[]);

/** Without a session the cards are refused; that is then said by the session. */
const cardsOrRefusal = (started?: Promise<Response>) =>
  api.cards(started).catch((error: unknown) => {
    if (error instanceof Refused) return error;
    throw error;
  });

async function read(started?: Early): Promise<State> {
  try {
    const askedAt = started?.askedAt ?? Date.now();
    const asking = api.currentSession(started?.session);
    // Both at once: a phone that is far away waits for one round trip, not two.
    const [session, cards] = await Promise.all([asking, cardsOrRefusal(started?.cards)]);
    remember('signed_in', session ? 'yes' : 'no');
    if (!session) return { step: 'signed_out' };
    if (cards instanceof Refused) throw cards;
    const answeredAt = (await started?.answeredAt) ?? Date.now();
    await keepOnly(session.holder.id)
      .then(() => setClock(session, (askedAt + answeredAt) / 2))
      .catch(() => {}); // the browser keeps nothing: codes then need the network
    return { step: 'open', session, cards: cards.items };
  } catch (error) {
    if (error instanceof Unanswered) return { step: 'offline', devices: await devicesOrNone() };
    return { step: 'failed' };
  }
}

/** What a first look shows until the server has answered: who was not signed in most likely still is not. */
const FIRST: State = wasSignedIn ? { step: 'starting' } : { step: 'signed_out' };
/** Asked while the scripts were still loading. */
let first: Promise<State> | undefined = read(early);

function OfflineHome({ devices, onRetry }: { devices: Device[]; onRetry: () => void }) {
  const { t } = useWords();
  return (
    <Frame title={devices[0]?.issuerName || t('title')}>
      <Notice tone="warn" title={t('offline')}>
        {t(devices.length > 0 ? 'offline_hint' : 'offline_nothing')}
      </Notice>
      <ul className={styles.cards}>
        {devices.map((device) => (
          <li key={device.card} className={styles.item}>
            <div className={styles.card}>
              <div className={styles.cardHead}>
                <span>{device.programName}</span>
              </div>
              <div className={styles.cardFoot}>•••• {device.last4}</div>
            </div>
            <a
              className={`${parts.button} ${parts.primary}`}
              href={paths.pay(device.card)}
              onClick={follow}
              aria-label={t('pay_with', { last4: device.last4 })}
            >
              {t('pay')}
            </a>
          </li>
        ))}
      </ul>
      <Button wide onClick={onRetry}>
        {t('try_again')}
      </Button>
    </Frame>
  );
}

interface OpenProps {
  route: Route;
  cards: api.Card[];
  session: api.Session;
  onSignOut: () => void;
}

function Open({ route, cards, session, onSignOut }: OpenProps) {
  const { t } = useWords();
  const wanted = 'card' in route ? cards.find((card) => card.id === route.card) : undefined;
  if ('card' in route && !wanted) {
    return (
      <Frame title={t('title')} back={paths.home}>
        <Notice tone="warn" title={t('no_such_card')}>
          {t('no_such_card_hint')}
        </Notice>
      </Frame>
    );
  }
  if (route.page === 'add') return <AddCard />;
  if (route.page === 'gifts') return <Gifts />;
  if (wanted && route.page === 'pay')
    return <Pay key={wanted.id} id={wanted.id} online={{ card: wanted, session }} />;
  if (wanted) return <CardPage key={wanted.id} card={wanted} />;
  return <Home onSignOut={onSignOut} />;
}

/** What the first page does not need is fetched while nobody waits, so that it is there without a network. */
function useWarmUp(open: boolean) {
  useEffect(() => {
    if (!open) return;
    const timer = setTimeout(() => void import('./Pay').catch(() => {}), 1_500);
    return () => clearTimeout(timer);
  }, [open]);
}

export function App() {
  const { t } = useWords();
  const route = useRoute();
  const reachable = useReachable();
  const [state, setState] = useState<State>(FIRST);

  const reload = useCallback(async () => setState(await read()), []);
  const onExpired = useCallback(() => setState({ step: 'signed_out' }), []);
  useWarmUp(state.step === 'open');
  useEffect(() => {
    let wanted = true;
    const state = first ?? read();
    first = undefined;
    void state.then((next) => wanted && setState(next));
    return () => {
      wanted = false;
    };
    // Asked again when the server goes or comes back.
  }, [reachable]);

  async function signOut() {
    const devices = await devicesOrNone();
    await forgetAll().catch(() => {});
    // Codes of a phone that nobody is signed in on are worth nothing at the server either.
    await Promise.allSettled(devices.map((device) => api.revoke(device.id)));
    await api.signOut().catch(() => {});
    remember('signed_in', 'no');
    go(paths.home, true);
    setState({ step: 'signed_out' });
  }

  if (state.step === 'starting') return <Waiting>{t('busy')}</Waiting>;
  if (state.step === 'signed_out') return <SignIn onDone={() => void reload()} />;
  if (state.step === 'failed') {
    return (
      <Frame title={t('title')}>
        <Notice tone="bad" title={t('no_answer')}>
          {t('no_answer_cure')}
        </Notice>
        <Button look="primary" wide onClick={() => void reload()}>
          {t('try_again')}
        </Button>
      </Frame>
    );
  }
  const waiting = <Waiting>{t('busy')}</Waiting>;
  if (state.step === 'offline') {
    const known =
      route.page === 'pay' && state.devices.some((device) => device.card === route.card);
    return (
      <Suspense fallback={waiting}>
        {known ? (
          <Pay key={route.card} id={route.card} />
        ) : (
          <OfflineHome devices={state.devices} onRetry={() => void reload()} />
        )}
      </Suspense>
    );
  }
  const { session, cards } = state;
  return (
    <WalletContext value={{ session, cards, reload, onExpired }}>
      <Suspense fallback={waiting}>
        <Open route={route} cards={cards} session={session} onSignOut={() => void signOut()} />
      </Suspense>
    </WalletContext>
  );
}
