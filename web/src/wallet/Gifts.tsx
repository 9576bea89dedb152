// Cards on their way from one holder to another.
import { useCallback, useEffect, useState } from 'react';
import { Button, Notice, parts, Waiting } from '@/handheld/parts';
import { formatMoney } from '@/shared/money';
import { useAction } from './action';
import * as api from './api';
import { useDay } from './CardFace';
import { useWallet } from './context';
import { Frame, Problem } from './Frame';
import { paths } from './route';
import { useWords, type WalletText } from './words';

const STATE_TEXT: Record<string, WalletText> = {
  pending: 'gift_pending',
  accepting: 'gift_accepting',
  accepted: 'gift_accepted',
  declined: 'gift_declined',
  withdrawn: 'gift_withdrawn',
  expired: 'gift_expired',
  failed: 'gift_failed',
};

function GiftItem({ gift, onChanged }: { gift: api.Gift; onChanged: () => Promise<void> }) {
  const { t, locale } = useWords();
  const day = useDay();
  const { reload } = useWallet();
  const { busy, error, run } = useAction();
  const decide = (decision: 'accept' | 'decline' | 'withdraw') =>
    run(async () => {
      await api.decideGift(gift.id, decision);
      await Promise.all([reload(), onChanged()]);
    });
  const open = gift.state === 'pending';
  return (
    <section className={parts.panel} aria-label={`${gift.program_name} •••• ${gift.card_last4}`}>
      <h2>
        {gift.program_name} •••• {gift.card_last4}
      </h2>
      <dl className={parts.pairs}>
        {gift.available != null && (
          <>
            <dt>{t('available')}</dt>
            <dd>
              <strong>{formatMoney(gift.available, gift.currency, locale)}</strong>
            </dd>
          </>
        )}
        <dt>{t(gift.direction === 'incoming' ? 'gift_from' : 'gift_to')}</dt>
        <dd>•••• {gift.other_last4}</dd>
        <dt>{t('state')}</dt>
        <dd>{t(STATE_TEXT[gift.state] ?? 'gift_failed')}</dd>
        {open && (
          <>
            <dt>{t('gift_until')}</dt>
            <dd>{day(gift.expires_at)}</dd>
          </>
        )}
      </dl>
      <Problem error={error} />
      {open && gift.direction === 'incoming' && (
        <div className={parts.row}>
          <Button disabled={busy} onClick={() => decide('decline')}>
            {t('decline')}
          </Button>
          <Button look="primary" disabled={busy} onClick={() => decide('accept')}>
            {t('accept')}
          </Button>
        </div>
      )}
      {open && gift.direction === 'outgoing' && (
        <Button disabled={busy} onClick={() => decide('withdraw')}>
          {t('withdraw')}
        </Button>
      )}
    </section>
  );
}

export default function Gifts() {
  const { t } = useWords();
  const { onExpired } = useWallet();
  const [gifts, setGifts] = useState<api.Gift[]>();
  const [error, setError] = useState<unknown>();
  const load = useCallback(async () => {
    try {
      setGifts((await api.gifts()).items);
    } catch (failure) {
      if (api.isExpired(failure)) onExpired();
      setError(failure);
    }
  }, [onExpired]);
  useEffect(() => {
    // eslint-disable-next-line react-hooks/set-state-in-effect -- sets only after the answer
    void load();
  }, [load]);
  return (
    <Frame title={t('gifts')} back={paths.home}>
      <Problem error={error} />
      {!gifts && error === undefined && <Waiting>{t('busy')}</Waiting>}
      {gifts?.length === 0 && <Notice title={t('no_gifts')}>{t('no_gifts_hint')}</Notice>}
      {gifts?.map((gift) => (
        <GiftItem key={gift.id} gift={gift} onChanged={load} />
      ))}
    </Frame>
  );
}
