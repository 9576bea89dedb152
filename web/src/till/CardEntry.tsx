// Which card: by the plugged-in scanner, the camera, or by hand.
import { lazy, Suspense, useState, type FormEvent } from 'react';
import { Button, Field, parts, Waiting } from '@/handheld/parts';
import { ENTRY } from './wedge';
import { useWords, type TillText } from './words';

const Scanner = lazy(() => import('./Scanner'));

interface Props {
  label: TillText;
  hint: TillText;
  wrong: TillText | undefined;
  submit: string;
  /** Numbers of cards are digits; receipts have letters too. */
  numeric: boolean;
  disabled?: boolean;
  /** `false` if the text is nothing that is looked for. */
  onText: (text: string) => boolean;
}

export function CardEntry({ label, hint, wrong, submit, numeric, disabled, onText }: Props) {
  const { t } = useWords();
  const [camera, setCamera] = useState(false);
  const [typed, setTyped] = useState('');

  function typedIn(event: FormEvent) {
    event.preventDefault();
    if (onText(typed)) setTyped('');
  }
  function seen(text: string): boolean {
    const taken = onText(text);
    if (taken) setCamera(false);
    return taken;
  }

  return (
    <div className={parts.stack}>
      {camera && (
        <Suspense fallback={<Waiting>{t('camera_starting')}</Waiting>}>
          <Scanner accept={seen} />
        </Suspense>
      )}
      <Button
        wide
        large
        disabled={disabled}
        aria-expanded={camera}
        onClick={() => setCamera(!camera)}
      >
        {camera ? t('camera_close') : t('camera_open')}
      </Button>
      <form className={parts.stack} onSubmit={typedIn} noValidate>
        <Field
          label={t(label)}
          hint={t(hint)}
          wrong={wrong && t(wrong)}
          inputMode={numeric ? 'numeric' : 'text'}
          enterKeyHint="go"
          maxLength={64}
          {...ENTRY}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          autoFocus
        />
        <Button type="submit" look="primary" large wide disabled={disabled || typed === ''}>
          {submit}
        </Button>
      </form>
    </div>
  );
}
