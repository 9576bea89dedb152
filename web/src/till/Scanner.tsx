// The camera as a scanner. Loaded when it is first opened; the camera is off as soon as it is closed.
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { Notice, Waiting } from '@/handheld/parts';
import { detector, openCamera } from './camera';
import { useWords } from './words';
import styles from './till.module.css';

const PAUSE_MS = 120;

type State = 'starting' | 'looking' | 'denied' | 'missing' | 'failed';

function stateOf(error: unknown): State {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return 'failed';
}

/** Calls back with a text until `accept` takes it. */
export default function Scanner({ accept }: { accept: (text: string) => boolean }) {
  const { t } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<State>(() =>
    navigator.mediaDevices ? 'starting' : 'missing',
  );
  const taken = useEffectEvent(accept);

  useEffect(() => {
    const element = video.current;
    if (!element || !navigator.mediaDevices) return;
    let stream: MediaStream | undefined;
    let open = true;
    async function look(shown: HTMLVideoElement) {
      stream = await openCamera();
      if (!open) return stream.getTracks().forEach((track) => track.stop());
      shown.srcObject = stream;
      const [detect] = await Promise.all([detector(), shown.play()]);
      setState('looking');
      while (open) {
        const texts = shown.videoWidth > 0 ? await detect(shown) : [];
        if (open && texts.some((text) => taken(text))) return;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
    look(element).catch((error: unknown) => open && setState(stateOf(error)));
    return () => {
      open = false;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);

  if (state === 'denied')
    return (
      <Notice tone="warn" title={t('camera_denied')}>
        {t('camera_denied_cure')}
      </Notice>
    );
  if (state === 'missing')
    return (
      <Notice tone="warn" title={t('camera_missing')}>
        {t('camera_missing_cure')}
      </Notice>
    );
  if (state === 'failed')
    return (
      <Notice tone="warn" title={t('camera_failed')}>
        {t('camera_missing_cure')}
      </Notice>
    );
  return (
    <>
      <div className={styles.camera}>
        <video ref={video} muted playsInline aria-label={t('camera_view')} />
        {state === 'looking' && <div className={styles.aim} aria-hidden="true" />}
      </div>
      {state === 'starting' ? (
        <Waiting>{t('camera_starting')}</Waiting>
      ) : (
        <p role="status">{t('camera_aim')}</p>
      )}
    </>
  );
}
