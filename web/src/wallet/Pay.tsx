// The payment code: made here, shown as bars, as a square and as digits, renewed before it ends. Needs no network
// once this phone is enrolled.
import { useEffect, useEffectEvent, useState } from 'react';
import Qr from '@/handheld/Qr';
import { Button, Notice, parts, Waiting } from '@/handheld/parts';
import type { Card, Session } from './api';
import Barcode from './Barcode';
import { askForTheTime, deviceOf, enrolDevice, type Device } from './devices';
import { Frame, Problem } from './Frame';
import { grouped, paymentCode, stepOf } from './payment-code';
import { paths } from './route';
import { useWords } from './words';
import styles from './wallet.module.css';

/** Keeps the screen on while a code is shown; the browser lets go whenever the page is hidden. */
function useScreenOn() {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined;
    let shown = true;
    const hold = async () => {
      if (document.visibilityState !== 'visible') return;
      const got = await navigator.wakeLock?.request('screen').catch(() => undefined);
      if (shown) lock = got;
      else await got?.release();
    };
    void hold();
    document.addEventListener('visibilitychange', hold);
    return () => {
      shown = false;
      document.removeEventListener('visibilitychange', hold);
      void lock?.release();
    };
  }, []);
}

/** More than a clock that is merely slow differs between two looks at it. */
const MOVED_MS = 2_000;

/**
 * Calls back when this phone's clock may no longer be what it was compared with: somebody set it, the phone slept,
 * or the page comes back into view.
 */
function useMovedClock(onMoved: () => void) {
  const moved = useEffectEvent(onMoved);
  useEffect(() => {
    const steady = () => Date.now() - performance.now();
    let known = steady();
    const look = () => {
      if (Math.abs(steady() - known) < MOVED_MS) return;
      known = steady();
      moved();
    };
    const seen = () => {
      if (document.visibilityState === 'visible') moved();
    };
    const timer = setInterval(look, TICK_MS);
    document.addEventListener('visibilitychange', seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, []);
}

/** Twice a second, so that no code is shown longer than it should be. */
const TICK_MS = 500;

interface Shown {
  code: string;
  /** Seconds until the next code. */
  left: number;
}

async function codeNow(device: Device): Promise<Shown> {
  const now = Date.now() + device.clockOffset;
  const step = stepOf(now, device.periodSeconds);
  const code = await paymentCode(device.key, device.tag, step);
  return { code, left: Math.ceil((step + 1) * device.periodSeconds - now / 1000) };
}

function useCode(device: Device): Shown | undefined {
  const [shown, setShown] = useState<Shown>();
  useEffect(() => {
    let wanted = true;
    const tick = () => void codeNow(device).then((next) => wanted && setShown(next));
    tick();
    const timer = setInterval(tick, TICK_MS);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [device]);
  return shown;
}

function Code({ device }: { device: Device }) {
  const { t } = useWords();
  const shown = useCode(device);
  useScreenOn();
  if (!shown) return <Waiting>{t('busy')}</Waiting>;
  const digits = grouped(shown.code);
  return (
    <>
      <section className={styles.code} aria-label={t('payment_code')}>
        <Barcode digits={shown.code} label={t('code_bars')} />
        <div className={styles.square}>
          <Qr text={shown.code} label={t('code_square')} />
        </div>
        <div className={styles.digits}>{digits}</div>
        <div className={styles.countdown}>
          <progress max={device.periodSeconds} value={shown.left} aria-label={t('next_code')} />
          <span aria-hidden="true">{t('next_code_in', { seconds: shown.left })}</span>
        </div>
      </section>
      <p className={parts.hint}>{t('code_hint')}</p>
    </>
  );
}

interface Props {
  id: string;
  /** What the server says about the card; nothing without a network. */
  online?: { card: Card; session: Session } | undefined;
}

type State =
  | { step: 'looking' }
  | { step: 'ready'; device: Device }
  | { step: 'none' }
  | { step: 'failed'; error: unknown };

/** The device of this phone for the card, enrolled if there is none and the server can be asked. */
async function readyDevice({ id, online }: Props): Promise<State> {
  const known = await deviceOf(id);
  if (known) return { step: 'ready', device: known };
  if (!online) return { step: 'none' };
  return { step: 'ready', device: await enrolDevice(online.session, online.card) };
}

export default function Pay({ id, online }: Props) {
  const { t } = useWords();
  const [state, setState] = useState<State>({ step: 'looking' });
  const [turn, setTurn] = useState(0);
  const ready = useEffectEvent(() => readyDevice({ id, online }));
  useEffect(() => {
    let wanted = true;
    ready().then(
      (next) => wanted && setState(next),
      (error: unknown) => wanted && setState({ step: 'failed', error }),
    );
    return () => {
      wanted = false;
    };
  }, [id, turn]);

  useMovedClock(() => {
    void askForTheTime()
      .then(() => deviceOf(id))
      .then((device) => {
        if (device) setState((now) => (now.step === 'ready' ? { step: 'ready', device } : now));
      })
      .catch(() => {}); // the browser keeps nothing: the next visit compares the clocks
  });

  const secure = window.isSecureContext;
  const device = state.step === 'ready' ? state.device : undefined;
  return (
    <Frame title={t('payment_code')} back={paths.home}>
      {!secure && (
        <Notice tone="bad" title={t('insecure')}>
          {t('insecure_hint')}
        </Notice>
      )}
      {secure && state.step === 'looking' && <Waiting>{t('code_preparing')}</Waiting>}
      {secure && device && (
        <>
          <p className={styles.codeOf}>
            {device.programName} <span className={styles.whole}>•••• {device.last4}</span>
          </p>
          <Code device={device} />
        </>
      )}
      {secure && state.step === 'none' && (
        <Notice tone="warn" title={t('offline')}>
          {t('not_enrolled_hint')}
        </Notice>
      )}
      {secure && state.step === 'failed' && (
        <>
          <Problem error={state.error} />
          <Button look="primary" wide onClick={() => setTurn(turn + 1)}>
            {t('try_again')}
          </Button>
        </>
      )}
    </Frame>
  );
}
