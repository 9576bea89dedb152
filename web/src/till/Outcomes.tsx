// How it went: large enough to read at arm's length, and never told by colour alone.
import { useEffect, useState } from 'react';
import { Refused } from '@/handheld/http';
import { Button, Notice, parts, Waiting } from '@/handheld/parts';
import { useDeclineText, useProblemText } from '@/handheld/problems';
import { formatMoney } from '@/shared/money';
import type { Unsettled } from './journal';
import type { Operation } from './persist';
import { KIND_TEXT, prepareReceipt, ReceiptDialog } from './Receipt';
import { useWords, type TillText } from './words';
import styles from './till.module.css';

const PATHS = {
  good: 'M4 13l5 5L20 7',
  bad: 'M5 5l14 14M19 5L5 19',
  warn: 'M12 4v10M12 19v1',
};

export function Sign({ tone }: { tone: keyof typeof PATHS }) {
  return (
    <svg className={styles.sign} viewBox="0 0 24 24" aria-hidden="true">
      <path
        d={PATHS[tone]}
        fill="none"
        stroke="currentColor"
        strokeWidth="3"
        strokeLinecap="round"
      />
    </svg>
  );
}

const APPROVED: Record<string, TillText> = {
  redemption: 'approved_redemption',
  refund: 'approved_refund',
  reversal: 'approved_reversal',
};

/** What the server decided. */
export function Verdict({ operation }: { operation: Operation }) {
  const { t, has, locale } = useWords();
  const declineText = useDeclineText();
  const currency = operation.currency ?? 'CNY';
  const money = (minor: number) => formatMoney(minor, currency, locale);
  if (operation.status === 'declined') {
    const code = operation.decline?.code ?? '';
    const hint = `hint_${code}`;
    return (
      <div className={parts.stack} role="alert">
        <div className={`${styles.verdict} ${styles.bad}`}>
          <Sign tone="bad" />
          <h2>{t('declined')}</h2>
          <div className={styles.sum}>{declineText(code)}</div>
        </div>
        <Notice tone="warn">
          {has(hint)
            ? t(hint)
            : operation.decline?.retryable
              ? t('hint_retryable')
              : t('hint_final')}
        </Notice>
      </div>
    );
  }
  return (
    <div className={parts.stack} role="status">
      <div className={`${styles.verdict} ${styles.good}`}>
        <Sign tone="good" />
        <h2>{t(APPROVED[operation.kind] ?? 'approved_other')}</h2>
        {/* What never arrived was reversed all the same; there is no amount to it. */}
        {(operation.approved > 0 || operation.kind !== 'reversal') && (
          <div className={styles.sum}>{money(operation.approved)}</div>
        )}
        {operation.card && (
          <div>
            {t('card_left', { last4: operation.card.last4, left: money(operation.card.available) })}
          </div>
        )}
      </div>
      {operation.outstanding > 0 && (
        <div className={styles.rest}>
          <span>{t('outstanding')}</span>
          <strong>{money(operation.outstanding)}</strong>
        </div>
      )}
    </div>
  );
}

/** The verdict with its receipt and the way on. */
export function Finished({
  operation,
  onNext,
  next,
}: {
  operation: Operation;
  onNext: () => void;
  next: string;
}) {
  const { t } = useWords();
  const [receipt, setReceipt] = useState(false);
  useEffect(prepareReceipt, []);
  return (
    <div className={parts.stack}>
      <Verdict operation={operation} />
      {operation.status === 'approved' && (
        <Button wide large onClick={() => setReceipt(true)}>
          {t('receipt')}
        </Button>
      )}
      <Button look="primary" wide large autoFocus onClick={onNext}>
        {next}
      </Button>
      {receipt && <ReceiptDialog operation={operation} onClose={() => setReceipt(false)} />}
    </div>
  );
}

/** Nothing was done, and why. */
export function Failed({ error, onBack }: { error: unknown; onBack: () => void }) {
  const { t, has } = useWords();
  const text = useProblemText({ title: t('no_answer'), cure: t('no_answer_cure') })(error);
  const hint = error instanceof Refused ? `hint_${error.code}` : '';
  return (
    <div className={parts.stack}>
      <Notice tone="bad" title={text.title}>
        <p>{has(hint) ? t(hint) : text.cure}</p>
        <p>{t('nothing_charged')}</p>
        {text.requestId && (
          <p className={parts.hint}>
            {t('request_id')} {text.requestId}
          </p>
        )}
      </Notice>
      <Button look="primary" wide large autoFocus onClick={onBack}>
        {t('back')}
      </Button>
    </div>
  );
}

/** Between sending and the answer. After the first silence the cashier may stop waiting. */
export function UnderWay(props: { entry: Unsettled; silences: number; onGiveUp: () => void }) {
  const { entry, silences, onGiveUp } = props;
  const { t, locale } = useWords();
  return (
    <div className={parts.stack}>
      <Waiting>
        <strong>{formatMoney(entry.amount, entry.currency, locale)}</strong>
        <p>{silences === 0 ? t('sending') : t('sending_again', { times: silences + 1 })}</p>
      </Waiting>
      {silences > 0 && (
        <>
          <Notice tone="warn" title={t('silence')}>
            {t('silence_hint')}
          </Notice>
          <Button wide large onClick={onGiveUp}>
            {t('stop_waiting')}
          </Button>
        </>
      )}
    </div>
  );
}

export const kindText = (kind: string): TillText => KIND_TEXT[kind] ?? 'kind_other';
