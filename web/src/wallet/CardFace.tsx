// A card as it looks in the wallet: what can be spent, large.
import { formatMoney } from '@/shared/money';
import type { Card } from './api';
import { useWallet } from './context';
import { useWords, type WalletText } from './words';
import styles from './wallet.module.css';

export const STATE_TEXT: Record<string, WalletText> = {
  stocked: 'state_stocked',
  active: 'state_active',
  frozen: 'state_frozen',
  lost: 'state_lost',
  expired: 'state_expired',
  closed: 'state_closed',
};

export const useDay = () => {
  const { locale } = useWords();
  const { session } = useWallet();
  const timeZone = session.issuer.time_zone || 'UTC';
  // With the month as a word where numbers could be read either way round: 2026年12月3日, Dec 3, 2026.
  const format = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: 'medium' });
  return (at: string) => format.format(new Date(at));
};

export function CardFace({ card }: { card: Card }) {
  const { t, locale } = useWords();
  const day = useDay();
  return (
    <div className={card.state === 'active' ? styles.card : `${styles.card} ${styles.still}`}>
      <div className={styles.cardHead}>
        <span>{card.program_name}</span>
        {card.state !== 'active' && (
          <span className={styles.badge}>{t(STATE_TEXT[card.state] ?? 'state_closed')}</span>
        )}
      </div>
      <div className={styles.available}>
        <span className="visually-hidden">{t('available')} </span>
        {formatMoney(card.available, card.currency, locale)}
      </div>
      <div className={styles.cardFoot}>
        <span>•••• {card.last4}</span>
        <span>
          {card.expires_at ? t('valid_until', { day: day(card.expires_at) }) : t('valid_always')}
        </span>
      </div>
    </div>
  );
}
