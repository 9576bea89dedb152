// One card: what is on it, what was done with it, and what its holder can do about it.
import { useEffect, useState, type FormEvent } from 'react';
import { Button, Dialog, Field, Notice, parts, Waiting } from '@/handheld/parts';
import { useDeclineText } from '@/handheld/problems';
import type { components } from '@/api/schema';
import { formatMoney } from '@/shared/money';
import { formatMoment } from '@/shared/time';
import { useAction } from './action';
import * as api from './api';
import { CardFace, STATE_TEXT, useDay } from './CardFace';
import { useWallet } from './context';
import { forgetDevice } from './devices';
import { Frame, Problem } from './Frame';
import { follow, go, paths } from './route';
import { useWords, type WalletText } from './words';
import styles from './wallet.module.css';

/** Every kind by name: a new one does not compile until it has a word. Those of merchants never reach a card. */
const KIND_TEXT: Record<components['schemas']['OperationKind'], WalletText> = {
  activation: 'kind_activation',
  load: 'kind_load',
  redemption: 'kind_redemption',
  capture: 'kind_redemption',
  hold: 'kind_hold',
  release: 'kind_release',
  refund: 'kind_refund',
  unlinked_refund: 'kind_refund',
  reversal: 'kind_reversal',
  adjustment: 'kind_adjustment',
  transfer: 'kind_transfer',
  merge: 'kind_transfer',
  replacement: 'kind_replacement',
  expiry: 'kind_expiry',
  member_binding: 'kind_bind',
  loss_report: 'kind_lost',
  freeze: 'kind_freeze',
  unfreeze: 'kind_unfreeze',
  reactivation: 'kind_reactivation',
  cash_out: 'kind_cash_out',
  holder_refund: 'kind_holder_refund',
  closure: 'kind_closure',
  exchange: 'kind_exchange',
  inquiry: 'kind_inquiry',
  settlement: 'kind_other',
  payout: 'kind_other',
  payout_return: 'kind_other',
  merchant_payment: 'kind_other',
  channel_payment: 'kind_other',
  correction: 'kind_adjustment',
  breakage: 'kind_expiry',
};
const textOf = (kind: string) => KIND_TEXT[kind as keyof typeof KIND_TEXT] ?? 'kind_other';
/** What adds to a card and what takes from it; everything else moves nothing or is told without a sign. */
const IN = new Set(['activation', 'load', 'refund', 'unlinked_refund']);
const OUT = new Set(['redemption', 'capture', 'expiry', 'cash_out', 'holder_refund']);

const signOf = (kind: string) => (IN.has(kind) ? '+' : OUT.has(kind) ? '−' : '');

function History({ card }: { card: api.Card }) {
  const { t, locale } = useWords();
  const { session, onExpired } = useWallet();
  const declineText = useDeclineText();
  const [items, setItems] = useState<api.CardOperation[]>();
  const [cursor, setCursor] = useState<string | null>();
  const [error, setError] = useState<unknown>();
  const show = (page: api.Page<api.CardOperation>, before: api.CardOperation[]) => {
    setItems([...before, ...page.items]);
    setCursor(page.next_cursor);
  };
  useEffect(() => {
    let wanted = true;
    api.operations(card.id).then(
      (page) => wanted && show(page, []),
      (failure: unknown) => {
        if (!wanted) return;
        if (api.isExpired(failure)) onExpired();
        setError(failure);
      },
    );
    return () => {
      wanted = false;
    };
  }, [card.id, onExpired]);
  const more = () =>
    void api.operations(card.id, cursor).then((page) => show(page, items ?? []), setError);

  if (error !== undefined) return <Problem error={error} />;
  if (!items) return <Waiting>{t('busy')}</Waiting>;
  if (items.length === 0) return <p className={parts.hint}>{t('history_empty')}</p>;
  return (
    <>
      <ul className={styles.list}>
        {items.map((item) => (
          <li key={item.id}>
            <span>{item.merchant_name ?? t(textOf(item.kind))}</span>
            {item.amount > 0 && (
              <strong className={IN.has(item.kind) ? styles.in : undefined}>
                {signOf(item.kind)}
                {formatMoney(item.amount, item.currency ?? card.currency, locale)}
              </strong>
            )}
            <small>
              {[
                item.merchant_name && t(textOf(item.kind)),
                item.store_name,
                formatMoment(item.at, locale, session.issuer.time_zone || 'UTC'),
                item.decline && `${t('declined')} · ${declineText(item.decline)}`,
              ]
                .filter(Boolean)
                .join(' · ')}
            </small>
          </li>
        ))}
      </ul>
      {cursor && (
        <Button wide onClick={more}>
          {t('more')}
        </Button>
      )}
    </>
  );
}

function ReportLost({ card, onClose }: { card: api.Card; onClose: () => void }) {
  const { t } = useWords();
  const { reload } = useWallet();
  const { busy, error, run } = useAction();
  const report = () =>
    run(async () => {
      await api.reportLost(card.id);
      await forgetDevice(card.id);
      await reload();
      onClose();
    });
  return (
    <Dialog title={t('lost_title', { last4: card.last4 })} onClose={onClose}>
      <p>{t('lost_hint')}</p>
      <Problem error={error} />
      <div className={parts.row}>
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button look="danger" disabled={busy} onClick={report}>
          {busy ? t('busy') : t('report_lost')}
        </Button>
      </div>
    </Dialog>
  );
}

function GiveAway({ card, onClose }: { card: api.Card; onClose: () => void }) {
  const { t } = useWords();
  const { busy, error, run } = useAction();
  const [phone, setPhone] = useState('');
  const [wrong, setWrong] = useState(false);
  function submit(event: FormEvent) {
    event.preventDefault();
    const number = phone.normalize('NFKC').replace(/[\s()-]/g, '');
    if (!/^(1[3-9]\d{9}|\+[1-9]\d{6,14})$/.test(number)) return setWrong(true);
    setWrong(false);
    run(async () => {
      await api.give(card.id, number);
      go(paths.gifts);
    });
  }
  return (
    <Dialog title={t('give_title', { last4: card.last4 })} onClose={onClose}>
      <p>{t('give_hint')}</p>
      <form className={parts.stack} onSubmit={submit} noValidate>
        <Field
          label={t('give_to')}
          wrong={wrong ? t('phone_form') : undefined}
          type="tel"
          inputMode="tel"
          maxLength={24}
          value={phone}
          onChange={(event) => setPhone(event.target.value)}
          autoFocus
        />
        <Problem error={error} />
        <div className={parts.row}>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" look="primary" disabled={busy}>
            {busy ? t('busy') : t('give')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export default function CardPage({ card }: { card: api.Card }) {
  const { t, locale } = useWords();
  const day = useDay();
  const [asking, setAsking] = useState<'lost' | 'give'>();
  const money = (minor: number) => formatMoney(minor, card.currency, locale);
  return (
    <Frame title={t('card')} back={paths.home}>
      <CardFace card={card} />
      {card.state === 'active' && (
        <a
          className={`${parts.button} ${parts.primary} ${parts.large}`}
          href={paths.pay(card.id)}
          onClick={follow}
        >
          {t('pay')}
        </a>
      )}
      {card.expiring.map((value) => (
        <Notice key={value.expires_at} tone="warn">
          {t('ends_soon', { amount: money(value.amount), day: day(value.expires_at) })}
        </Notice>
      ))}
      <section className={parts.panel} aria-label={t('details')}>
        <dl className={parts.pairs}>
          <dt>{t('available')}</dt>
          <dd>
            <strong>{money(card.available)}</strong>
          </dd>
          <dt>{t('balance')}</dt>
          <dd>{money(card.balance)}</dd>
          {card.held > 0 && (
            <>
              <dt>{t('held')}</dt>
              <dd>{money(card.held)}</dd>
            </>
          )}
          {card.claimable > 0 && (
            <>
              <dt>{t('claimable')}</dt>
              <dd>{money(card.claimable)}</dd>
            </>
          )}
          <dt>{t('state')}</dt>
          <dd>{t(STATE_TEXT[card.state] ?? 'state_closed')}</dd>
          <dt>{t('expires')}</dt>
          <dd>{card.expires_at ? day(card.expires_at) : t('valid_always')}</dd>
        </dl>
      </section>
      <section className={parts.panel} aria-label={t('history')}>
        <h2>{t('history')}</h2>
        <History card={card} />
      </section>
      <div className={parts.row}>
        {card.state === 'active' && (
          <Button onClick={() => setAsking('give')}>{t('give_away')}</Button>
        )}
        {card.registered && (card.state === 'active' || card.state === 'frozen') && (
          <Button look="danger" onClick={() => setAsking('lost')}>
            {t('report_lost')}
          </Button>
        )}
      </div>
      {asking === 'lost' && <ReportLost card={card} onClose={() => setAsking(undefined)} />}
      {asking === 'give' && <GiveAway card={card} onClose={() => setAsking(undefined)} />}
    </Frame>
  );
}
