// What this cashier did today, and the receipts of it.
import { useEffect, useState } from 'react';
import { Button, Notice, parts, Waiting } from '@/handheld/parts';
import { useDeclineText, useProblemText } from '@/handheld/problems';
import { formatMoney } from '@/shared/money';
import { formatTime } from '@/shared/time';
import { readDay, type Day } from './day';
import { kindText } from './Outcomes';
import type { Operation } from './persist';
import { prepareReceipt, ReceiptDialog } from './Receipt';
import { isExpired, useTill } from './session';
import { useWords } from './words';
import styles from './till.module.css';

export function OperationList({ operations }: { operations: Operation[] }) {
  const { t, locale } = useWords();
  const { session } = useTill();
  const declineText = useDeclineText();
  const [shown, setShown] = useState<Operation>();
  const zone = session.issuer?.time_zone ?? 'UTC';
  useEffect(prepareReceipt, []);
  return (
    <>
      <ul className={styles.list}>
        {operations.map((operation) => (
          <li key={operation.id}>
            <span>
              {t(kindText(operation.kind))}
              {operation.card && ` •••• ${operation.card.last4}`}
            </span>
            <strong className={operation.status === 'declined' ? styles.minus : undefined}>
              {formatMoney(
                operation.status === 'declined' ? operation.requested : operation.approved,
                operation.currency ?? 'CNY',
                locale,
              )}
            </strong>
            <small>
              {formatTime(operation.at, locale, zone)}
              {operation.decline && ` · ${t('declined')}: ${declineText(operation.decline.code)}`}
            </small>
            {operation.status === 'approved' && operation.card && (
              <Button
                look="quiet"
                aria-label={t('receipt_of', { id: operation.id })}
                onClick={() => setShown(operation)}
              >
                {t('receipt')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {shown && <ReceiptDialog operation={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

function Totals({ day }: { day: Day }) {
  const { t, locale } = useWords();
  return (
    <>
      {day.totals.map((total) => (
        <div key={total.currency} className={styles.figures}>
          {(['sales', 'refunds', 'reversals'] as const).map((column) => (
            <div key={column} className={styles.figure}>
              <span>{t(`day_${column}`, { count: total[column].count })}</span>
              <strong>{formatMoney(total[column].amount, total.currency, locale)}</strong>
            </div>
          ))}
        </div>
      ))}
      {day.declined > 0 && <p>{t('day_declined', { count: day.declined })}</p>}
      {day.incomplete && <Notice tone="warn">{t('day_incomplete')}</Notice>}
    </>
  );
}

export function Today() {
  const { t } = useWords();
  const { session, onExpired } = useTill();
  const [day, setDay] = useState<Day>();
  const [error, setError] = useState<unknown>();
  const [turn, setTurn] = useState(0);
  const problem = useProblemText({ title: t('no_answer'), cure: t('no_answer_cure') });

  useEffect(() => {
    const stop = new AbortController();
    readDay(session, stop.signal).then(
      (read) => {
        setDay(read);
        setError(undefined);
      },
      (failure: unknown) => {
        if (stop.signal.aborted) return;
        if (isExpired(failure)) onExpired();
        setError(failure);
      },
    );
    return () => stop.abort();
  }, [session, onExpired, turn]);

  return (
    <div className={parts.stack}>
      <div className={styles.due}>
        <h2>{t('today_title', { name: session.user.name })}</h2>
        <Button look="quiet" onClick={() => setTurn(turn + 1)}>
          {t('refresh')}
        </Button>
      </div>
      {error !== undefined && (
        <Notice tone="bad" title={problem(error).title}>
          {problem(error).cure}
        </Notice>
      )}
      {!day && error === undefined && <Waiting>{t('busy')}</Waiting>}
      {day && <Totals day={day} />}
      {day && day.newest.length === 0 && (
        <Notice title={t('day_empty')}>{t('day_empty_hint')}</Notice>
      )}
      {day && day.newest.length > 0 && (
        <section className={parts.panel} aria-label={t('newest')}>
          <OperationList operations={day.newest} />
        </section>
      )}
    </div>
  );
}
