// How much: typed on the keyboard or on the keypad.
import { type FormEvent } from 'react';
import { Button, parts, Segments, useFirstFocus } from '@/handheld/parts';
import { currencyExponent, formatMoney, parseMoney } from '@/shared/money';
import { useTill } from './session';
import { useWords, type TillText } from './words';
import styles from './till.module.css';

interface Props {
  text: string;
  currency: string;
  wrong: TillText | undefined;
  disabled: boolean;
  onText: (text: string) => void;
  onCurrency: (currency: string) => void;
  onDone: (minor: number) => void;
  onWrong: (wrong: TillText) => void;
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '0'] as const;
const WRONG: Record<string, TillText> = {
  not_a_number: 'amount_not_a_number',
  too_precise: 'amount_too_precise',
  too_large: 'amount_too_large',
};

/** As much as anybody types; the server has its own bound. */
const MAX_LENGTH = 16;

export function AmountEntry(props: Props) {
  const { text, currency, wrong, disabled, onText, onCurrency, onDone, onWrong } = props;
  const { t, locale } = useWords();
  const { currencies } = useTill();
  const input = useFirstFocus<HTMLInputElement>(true);
  const exponent = currencyExponent(currency);

  function submit(event: FormEvent) {
    event.preventDefault();
    const parsed = parseMoney(text, exponent);
    if ('wrong' in parsed) return onWrong(WRONG[parsed.wrong] ?? 'amount_not_a_number');
    if (parsed.minor === 0) return onWrong('amount_zero');
    onDone(parsed.minor);
  }

  return (
    <form className={parts.stack} onSubmit={submit} noValidate>
      <div className={parts.field}>
        <label className={parts.label} htmlFor="amount">
          {t('amount')}
        </label>
        {currencies.length > 1 && (
          <Segments
            label={t('currency')}
            value={currency}
            options={currencies.map((code) => ({ value: code, text: code }))}
            onChange={onCurrency}
          />
        )}
        <input
          ref={input}
          id="amount"
          className={styles.amount}
          inputMode="decimal"
          autoComplete="off"
          enterKeyHint="next"
          placeholder={formatMoney(0, currency, locale)}
          value={text}
          maxLength={MAX_LENGTH}
          onChange={(event) => onText(event.target.value)}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={wrong ? 'amount-wrong' : undefined}
          autoFocus
        />
        {wrong && (
          <span id="amount-wrong" className={parts.wrong} role="alert">
            {t(
              wrong === 'amount_too_precise' && exponent === 0 ? 'amount_too_precise_none' : wrong,
              {
                places: exponent,
              },
            )}
          </span>
        )}
      </div>
      <div className={styles.keypad} role="group" aria-label={t('keypad')}>
        {KEYS.map((key) => (
          <button
            key={key}
            type="button"
            disabled={key === '.' && exponent === 0}
            onClick={() => onText((text + key).slice(0, MAX_LENGTH))}
          >
            {key}
          </button>
        ))}
        <button
          type="button"
          aria-label={t('delete_digit')}
          onClick={() => onText(text.slice(0, -1))}
        >
          <span aria-hidden="true">⌫</span>
        </button>
      </div>
      <Button type="submit" look="primary" large wide disabled={disabled}>
        {t('next')}
      </Button>
    </form>
  );
}
