// All cards of the holder, what waits for an answer, and what ends soon.
import { useEffect, useState } from 'react';
import { Notice, parts } from '@/handheld/parts';
import { formatMoney } from '@/shared/money';
import * as api from './api';
import { CardFace, useDay } from './CardFace';
import { useWallet } from './context';
import { Frame } from './Frame';
import { follow, paths } from './route';
import { useWords } from './words';
import styles from './wallet.module.css';

function useWaitingGifts(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    api.gifts(stop.signal).then(
      ({ items }) =>
        setCount(
          items.filter((gift) => gift.direction === 'incoming' && gift.state === 'pending').length,
        ),
      () => {}, // the page of gifts says what is wrong
    );
    return () => stop.abort();
  }, []);
  return count;
}

function CardItem({ card }: { card: api.Card }) {
  const { t, locale } = useWords();
  const day = useDay();
  return (
    <li className={styles.item}>
      <CardFace card={card} />
      {card.expiring.map((value) => (
        <Notice key={value.expires_at} tone="warn">
          {t('ends_soon', {
            amount: formatMoney(value.amount, card.currency, locale),
            day: day(value.expires_at),
          })}
        </Notice>
      ))}
      <div className={parts.row}>
        {card.state === 'active' && (
          <a
            className={`${parts.button} ${parts.primary}`}
            href={paths.pay(card.id)}
            onClick={follow}
            aria-label={t('pay_with', { last4: card.last4 })}
          >
            {t('pay')}
          </a>
        )}
        <a
          className={parts.button}
          href={paths.card(card.id)}
          onClick={follow}
          aria-label={t('details_of', { last4: card.last4 })}
        >
          {t('details')}
        </a>
      </div>
    </li>
  );
}

export function Home({ onSignOut }: { onSignOut: () => void }) {
  const { t } = useWords();
  const { session, cards } = useWallet();
  const waiting = useWaitingGifts();
  return (
    <Frame title={session.issuer.name || t('title')} broad onSignOut={onSignOut}>
      {waiting > 0 && (
        <Notice title={t('gifts_waiting', { count: waiting })}>
          <a className={`${parts.button} ${parts.primary}`} href={paths.gifts} onClick={follow}>
            {t('gifts_look')}
          </a>
        </Notice>
      )}
      {cards.length === 0 && <Notice title={t('no_cards')}>{t('no_cards_hint')}</Notice>}
      <ul className={styles.cards}>
        {cards.map((card) => (
          <CardItem key={card.id} card={card} />
        ))}
      </ul>
      <div className={parts.row}>
        <a
          className={`${parts.button} ${cards.length === 0 ? parts.primary : ''}`}
          href={paths.add}
          onClick={follow}
        >
          {t('add_card')}
        </a>
        <a className={parts.button} href={paths.gifts} onClick={follow}>
          {t('gifts')}
        </a>
      </div>
    </Frame>
  );
}
