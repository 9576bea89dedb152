// The till: who is at it, whether the server can be reached, and the four things that are done here.
import { useCallback, useEffect, useState } from 'react';
import { Button, Dialog, Notice, parts, Waiting } from '@/handheld/parts';
import { Preferences } from '@/handheld/Preferences';
import { useReachable } from '@/handheld/online';
import { InDoubtList, useInDoubt } from './InDoubt';
import { cameBack, forgetCameBack } from '@/shared/came-back';
import { Companies, TurnedAway } from './Companies';
import { Login } from './Login';
import type { Operation } from './persist';
import { Refund } from './Refund';
import { Sale } from './Sale';
import {
  currenciesOf,
  currentSession,
  logOut,
  TillContext,
  useTill,
  type Session,
} from './session';
import { OperationList, Today } from './Today';
import { tillTexts, useWords, type TillText } from './words';
import styles from './till.module.css';

type Tab = 'sale' | 'refund' | 'today' | 'doubt';
const TABS: Record<Tab, { text: TillText; needs?: string }> = {
  sale: { text: 'tab_sale', needs: 'redeem' },
  refund: { text: 'tab_refund', needs: 'refund' },
  today: { text: 'tab_today', needs: 'cards_read' },
  doubt: { text: 'tab_doubt' },
};
const RECENT = 8;

function usePreferenceLabels() {
  const { t } = useWords();
  return {
    language: t('language'),
    theme: t('theme'),
    system: t('theme_system'),
    light: t('theme_light'),
    dark: t('theme_dark'),
  };
}

function Settings({ onClose, onLogOut }: { onClose: () => void; onLogOut: () => void }) {
  const { t } = useWords();
  return (
    <Dialog title={t('settings')} onClose={onClose}>
      <Preferences labels={usePreferenceLabels()} onLanguage={tillTexts.change} />
      <Button wide onClick={onLogOut}>
        {t('log_out')}
      </Button>
      <Button look="primary" wide onClick={onClose}>
        {t('close')}
      </Button>
    </Dialog>
  );
}

function Bar({ onSettings }: { onSettings: () => void }) {
  const { t } = useWords();
  const { session } = useTill();
  const reachable = useReachable();
  const place = session.store?.name ?? session.merchant?.name ?? session.issuer?.name ?? 'Hexiao';
  return (
    <header className={styles.bar}>
      <div className={styles.place}>
        <h1>{place}</h1>
        <p>{session.user.name}</p>
      </div>
      <div className={reachable ? styles.link : `${styles.link} ${styles.down}`} role="status">
        <span className={styles.dot} aria-hidden="true" />
        <span className={styles.linkText}>{reachable ? t('online') : t('offline')}</span>
      </div>
      <Button look="quiet" aria-label={t('settings')} onClick={onSettings}>
        <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
          <path
            d="M4 7h16M4 12h16M4 17h16"
            stroke="currentColor"
            strokeWidth="2"
            strokeLinecap="round"
          />
        </svg>
      </Button>
    </header>
  );
}

/** What is not allowed is not shown either: a tab that somebody may not open is not the one that he begins with. */
function allowed(tab: Tab, session: Session): Tab {
  const may = (name: Tab) => session.permissions.includes(TABS[name].needs ?? '');
  if (tab === 'doubt' || may(tab)) return tab;
  return (Object.keys(TABS) as Tab[]).find(may) ?? 'doubt';
}

function Tabs({ tab, onTab }: { tab: Tab; onTab: (tab: Tab) => void }) {
  const { t } = useWords();
  const { session } = useTill();
  const doubts = useInDoubt().length;
  const open = (Object.keys(TABS) as Tab[]).filter((name) => {
    const { needs } = TABS[name];
    return needs ? session.permissions.includes(needs) : doubts > 0 || tab === name;
  });
  return (
    <nav className={styles.tabs} aria-label={t('tabs')}>
      {open.map((name) => (
        <button
          key={name}
          type="button"
          aria-current={name === tab ? 'page' : undefined}
          onClick={() => onTab(name)}
        >
          {t(TABS[name].text)}
          {name === 'doubt' && doubts > 0 && <span className={styles.count}>{doubts}</span>}
        </button>
      ))}
    </nav>
  );
}

function Work({ tab, onTab }: { tab: Tab; onTab: (tab: Tab) => void }) {
  const { t } = useWords();
  const reachable = useReachable();
  const doubts = useInDoubt().length;
  const [recent, setRecent] = useState<Operation[]>([]);
  const keep = (operation: Operation) => setRecent((all) => [operation, ...all].slice(0, RECENT));
  const beside = tab === 'sale' || tab === 'refund';
  return (
    <main className={beside ? styles.body : `${styles.body} ${styles.alone}`}>
      <div className={parts.stack}>
        {!reachable && (
          <Notice tone="bad" title={t('offline')}>
            {t('offline_hint')}
          </Notice>
        )}
        {doubts > 0 && tab !== 'doubt' && (
          <Notice tone="warn" title={t('doubts', { count: doubts })}>
            <Button look="quiet" onClick={() => onTab('doubt')}>
              {t('settle_doubts')}
            </Button>
          </Notice>
        )}
        {tab === 'sale' && <Sale onDone={keep} />}
        {tab === 'refund' && <Refund onDone={keep} />}
        {tab === 'today' && <Today />}
        {tab === 'doubt' && <InDoubtList />}
      </div>
      {beside && (
        <aside className={parts.panel} aria-label={t('recent')}>
          <h2>{t('recent')}</h2>
          {recent.length === 0 ? (
            <p className={parts.hint}>{t('recent_empty')}</p>
          ) : (
            <OperationList operations={recent} />
          )}
        </aside>
      )}
    </main>
  );
}

function Door({ onDone }: { onDone: () => void }) {
  const { t } = useWords();
  const { begun } = cameBack(new URLSearchParams(location.search));
  const done = () => {
    forgetCameBack();
    onDone();
  };
  return (
    <main className={styles.door}>
      <h1>{t('title')}</h1>
      <TurnedAway />
      <Login onDone={done} begun={begun} />
      {!begun && <Companies />}
      <Preferences labels={usePreferenceLabels()} onLanguage={tillTexts.change} />
    </main>
  );
}

type State =
  | { step: 'starting' }
  | { step: 'logged_out' }
  | { step: 'unreachable' }
  | { step: 'open'; session: Session; currencies: string[] };

async function read(): Promise<State> {
  try {
    const session = await currentSession();
    if (!session) return { step: 'logged_out' };
    return { step: 'open', session, currencies: await currenciesOf(session) };
  } catch {
    return { step: 'unreachable' };
  }
}

export function App() {
  const { t } = useWords();
  const [state, setState] = useState<State>({ step: 'starting' });
  const [expired, setExpired] = useState(false);
  const [settings, setSettings] = useState(false);
  const [chosen, setTab] = useState<Tab>('sale');
  const reachable = useReachable();
  const onExpired = useCallback(() => setExpired(true), []);

  const refresh = async () => {
    setState(await read());
    setExpired(false);
  };
  useEffect(() => {
    let wanted = true;
    void read().then((next) => wanted && setState((now) => (now.step === 'open' ? now : next)));
    return () => {
      wanted = false;
    };
    // Asked again when the server comes back.
  }, [reachable]);

  if (state.step === 'starting') return <Waiting>{t('busy')}</Waiting>;
  if (state.step === 'logged_out') return <Door onDone={() => void refresh()} />;
  if (state.step === 'unreachable') {
    return (
      <main className={styles.door}>
        <h1>{t('title')}</h1>
        <Notice tone="bad" title={t('no_answer')}>
          {t('no_answer_cure')}
        </Notice>
        <Button look="primary" large onClick={() => void refresh()}>
          {t('try_again')}
        </Button>
      </main>
    );
  }
  const tab = allowed(chosen, state.session);
  const leave = () => void logOut().then(refresh, refresh);
  return (
    <TillContext value={{ session: state.session, currencies: state.currencies, onExpired }}>
      {/* Another cashier begins with an empty page. */}
      <div className={styles.page} key={state.session.user.id}>
        <Bar onSettings={() => setSettings(true)} />
        <Tabs tab={tab} onTab={setTab} />
        <Work tab={tab} onTab={setTab} />
      </div>
      {settings && (
        <Settings
          onClose={() => setSettings(false)}
          onLogOut={() => {
            setSettings(false);
            leave();
          }}
        />
      )}
      {expired && (
        <Dialog title={t('expired')} onClose={() => void refresh()}>
          <p>{t('expired_hint')}</p>
          <Login onDone={() => void refresh()} />
        </Dialog>
      )}
    </TillContext>
  );
}
