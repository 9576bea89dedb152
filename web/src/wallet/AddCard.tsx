// A card comes into the wallet by its number and PIN. Both stay in this form's memory and go with it.
import { useState, type FormEvent } from 'react';
import { Button, Field, parts } from '@/handheld/parts';
import { useAction } from './action';
import * as api from './api';
import { useWallet } from './context';
import { Frame, Problem } from './Frame';
import { go, paths } from './route';
import { useWords, type WalletText } from './words';

const plainDigits = (text: string) => text.normalize('NFKC').replace(/[\s-]/g, '');

export default function AddCard() {
  const { t } = useWords();
  const { reload } = useWallet();
  const { busy, error, run } = useAction();
  const [number, setNumber] = useState('');
  const [pin, setPin] = useState('');
  const [wrong, setWrong] = useState<WalletText>();

  function submit(event: FormEvent) {
    event.preventDefault();
    const digits = plainDigits(number);
    if (!/^\d{16,19}$/.test(digits)) return setWrong('number_form');
    if (!/^\d{4,12}$/.test(pin)) return setWrong('pin_form');
    setWrong(undefined);
    run(async () => {
      const card = await api.addCard(digits, pin);
      await reload();
      go(paths.card(card.id), true);
    });
  }

  return (
    <Frame title={t('add_card')} back={paths.home}>
      <form className={parts.panel} onSubmit={submit} noValidate>
        <Field
          label={t('number')}
          hint={t('number_hint')}
          wrong={wrong === 'number_form' ? t(wrong) : undefined}
          inputMode="numeric"
          maxLength={30}
          value={number}
          onChange={(event) => setNumber(event.target.value)}
          autoFocus
        />
        <Field
          label={t('pin')}
          hint={t('pin_hint')}
          wrong={wrong === 'pin_form' ? t(wrong) : undefined}
          type="password"
          inputMode="numeric"
          maxLength={12}
          value={pin}
          onChange={(event) => setPin(event.target.value)}
        />
        <Problem error={error} />
        <Button type="submit" look="primary" large wide disabled={busy}>
          {busy ? t('busy') : t('add_card')}
        </Button>
      </form>
    </Frame>
  );
}
