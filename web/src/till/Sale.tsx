// A sale: amount, card, PIN where the card asks for one, verdict. The card and its PIN live in this component's
// memory only and are forgotten with the verdict.
import { useState, type FormEvent } from 'react';
import { Button, Field, Notice, parts } from '@/handheld/parts';
import { useChoice } from '@/handheld/preference';
import { useReachable } from '@/handheld/online';
import { formatMoney } from '@/shared/money';
import { AmountEntry } from './AmountEntry';
import { CardEntry } from './CardEntry';
import { Doubt } from './InDoubt';
import { Failed, Finished, UnderWay, Verdict } from './Outcomes';
import type { Operation, Outcome } from './persist';
import { cardOf, last4Of, type CardName } from './scanned';
import { useSending } from './sending';
import { isExpired, useTill } from './session';
import { useScannerKeys } from './wedge';
import { useWords, type TillText } from './words';
import styles from './till.module.css';

/** Declines that end well once the holder types a PIN. */
const ASKS_FOR_PIN = new Set(['pin_required', 'pin_wrong']);

function placeOf(session: ReturnType<typeof useTill>['session']) {
  if (session.store) return { store: session.store.id };
  return session.merchant ? { merchant: session.merchant.id } : {};
}

const declineOf = (outcome: Outcome): string | undefined =>
  outcome.type === 'answered' ? outcome.operation.decline?.code : undefined;

function Due({ amount, currency }: { amount: number; currency: string }) {
  const { t, locale } = useWords();
  return (
    <div className={styles.due}>
      <span>{t('due')}</span>
      <strong>{formatMoney(amount, currency, locale)}</strong>
    </div>
  );
}

function PinEntry({
  wrong,
  onPin,
  onBack,
}: {
  wrong: boolean;
  onPin: (pin: string) => void;
  onBack: () => void;
}) {
  const { t } = useWords();
  const [pin, setPin] = useState('');
  const [tooShort, setTooShort] = useState(false);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!/^\d{4,12}$/.test(pin)) return setTooShort(true);
    setPin('');
    onPin(pin);
  }
  return (
    <form className={parts.stack} onSubmit={submit} noValidate>
      {wrong && (
        <Notice tone="bad" title={t('pin_was_wrong')}>
          {t('hint_pin_wrong')}
        </Notice>
      )}
      <Field
        type="password"
        digits
        label={t('pin')}
        hint={t('pin_hint')}
        wrong={tooShort ? t('pin_form') : undefined}
        inputMode="numeric"
        autoComplete="off"
        maxLength={12}
        value={pin}
        onChange={(event) => setPin(event.target.value)}
        autoFocus
      />
      <Button type="submit" look="primary" large wide>
        {t('charge')}
      </Button>
      <Button wide onClick={onBack}>
        {t('cancel')}
      </Button>
    </form>
  );
}

export function Sale({ onDone }: { onDone: (operation: Operation) => void }) {
  const { t, locale } = useWords();
  const { session, currencies, onExpired } = useTill();
  const reachable = useReachable();
  const [text, setText] = useState('');
  const [currency, setCurrency] = useState(currencies[0] ?? 'CNY');
  const [amount, setAmount] = useState<number>();
  const [card, setCard] = useState<CardName>();
  const [wrong, setWrong] = useState<TillText>();
  const [partial, setPartial] = useChoice('partial', ['no', 'yes'] as const, 'no');
  const sending = useSending();
  const { state } = sending;

  function restart() {
    setText('');
    setAmount(undefined);
    setCard(undefined);
    setWrong(undefined);
    sending.clear();
  }

  function charge(minor: number, name: CardName, more: { pin?: string; partial?: boolean } = {}) {
    const body = {
      card: name,
      amount: minor,
      currency,
      ...placeOf(session),
      ...((more.partial ?? partial === 'yes') ? { partial: true } : {}),
      ...(more.pin === undefined ? {} : { pin: more.pin }),
    };
    // A payment code is spent by its first use; only a number can be tried again with a PIN.
    setCard(name);
    const draft = { kind: 'sale' as const, amount: minor, currency, last4: last4Of(name) };
    void sending.begin(draft, { method: 'POST', path: '/v1/redemptions', body });
  }

  function found(text: string): boolean {
    const name = cardOf(text);
    setWrong(name ? undefined : 'card_unreadable');
    if (!name) return false;
    setCard(name);
    if (amount !== undefined && reachable) charge(amount, name);
    return true;
  }

  const readText = (name: CardName) => {
    const last4 = last4Of(name);
    return last4 ? t('card_read', { last4 }) : t('code_read');
  };
  const declined = state.step === 'over' ? declineOf(state.outcome) : undefined;

  /** After a decline the next card that is scanned is tried for the same amount. */
  function foundAnother(text: string): boolean {
    const name = cardOf(text);
    if (!name || !reachable || state.step !== 'over') return false;
    charge(state.entry.amount, name);
    return true;
  }
  useScannerKeys((scan) => {
    if (state.step === 'idle') return found(scan);
    return declined !== undefined && foundAnother(scan);
  });

  if (state.step === 'under_way') {
    return <UnderWay entry={state.entry} silences={state.silences} onGiveUp={sending.giveUp} />;
  }
  if (state.step === 'not_begun') {
    return (
      <Notice tone="bad" title={t('too_many_unsettled')}>
        {t('too_many_unsettled_cure')}
      </Notice>
    );
  }
  if (state.step === 'over') {
    const { outcome, entry } = state;
    if (outcome.type === 'in_doubt') return <Doubt entry={entry} onSettled={restart} />;
    if (outcome.type === 'awaiting_approval') {
      return <Notice title={t('awaiting_approval')}>{t('awaiting_approval_hint')}</Notice>;
    }
    if (outcome.type === 'refused') {
      const { refusal } = outcome;
      const back = () => {
        if (isExpired(refusal)) onExpired();
        setCard(undefined);
        sending.clear();
      };
      return <Failed error={refusal} onBack={back} />;
    }
    const decline = declined;
    if (card && 'number' in card && decline && ASKS_FOR_PIN.has(decline)) {
      return (
        <div className={parts.panel}>
          <Due amount={entry.amount} currency={entry.currency} />
          <PinEntry
            wrong={decline === 'pin_wrong'}
            onPin={(pin) => charge(entry.amount, card, { pin })}
            onBack={restart}
          />
        </div>
      );
    }
    const finish = () => {
      onDone(outcome.operation);
      restart();
    };
    if (!decline)
      return <Finished operation={outcome.operation} next={t('next_sale')} onNext={finish} />;
    const left = outcome.operation.card?.available ?? 0;
    const canTakeRest = decline === 'insufficient_funds' && left > 0 && card && 'number' in card;
    const otherCard = () => {
      onDone(outcome.operation);
      setCard(undefined);
      sending.clear();
    };
    return (
      <div className={parts.stack}>
        <Due amount={entry.amount} currency={entry.currency} />
        <Verdict operation={outcome.operation} />
        {canTakeRest && (
          <Button wide large onClick={() => charge(entry.amount, card, { partial: true })}>
            {t('take_what_is_there', { left: formatMoney(left, currency, locale) })}
          </Button>
        )}
        <Button look="primary" wide large autoFocus onClick={otherCard}>
          {t('other_card')}
        </Button>
        <Button wide onClick={finish}>
          {t('give_up_sale')}
        </Button>
      </div>
    );
  }

  if (amount === undefined) {
    const next = (minor: number) => {
      setWrong(undefined);
      setAmount(minor);
      if (card && reachable) charge(minor, card);
    };
    return (
      <div className={parts.stack}>
        {card && (
          <Notice tone="good" title={readText(card)}>
            {t('card_read_hint')}
          </Notice>
        )}
        <AmountEntry
          text={text}
          currency={currency}
          wrong={wrong}
          disabled={!reachable}
          onText={(typed) => {
            setText(typed);
            setWrong(undefined);
          }}
          onCurrency={setCurrency}
          onDone={next}
          onWrong={setWrong}
        />
      </div>
    );
  }
  return (
    <div className={parts.panel}>
      <Due amount={amount} currency={currency} />
      <CardEntry
        label="card_number"
        hint="card_number_hint"
        wrong={wrong}
        submit={t('charge')}
        numeric
        disabled={!reachable}
        onText={found}
      />
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={partial === 'yes'}
          onChange={(event) => setPartial(event.target.checked ? 'yes' : 'no')}
        />
        {t('allow_partial')}
      </label>
      <Button wide onClick={restart}>
        {t('cancel')}
      </Button>
    </div>
  );
}
