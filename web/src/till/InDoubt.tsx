// What was sent and not answered: asked for by its key, or made certain by reversing it.
import { useEffect, useState } from 'react';
import { Button, Notice, parts } from '@/handheld/parts';
import { useProblemText } from '@/handheld/problems';
import { formatMoney } from '@/shared/money';
import { formatMoment } from '@/shared/time';
import { keysUnderWay, lookUp, reverse } from './doubt';
import { journal, useUnsettled, type Unsettled } from './journal';
import { Verdict } from './Outcomes';
import type { Operation } from './persist';
import { isExpired, useTill } from './session';
import { useWords } from './words';

type Answer =
  | { step: 'open' }
  | { step: 'asking' }
  | { step: 'not_stored' }
  | { step: 'settled'; operation: Operation }
  | { step: 'failed'; error: unknown };

function useSettling(entry: Unsettled) {
  const { onExpired } = useTill();
  const [answer, setAnswer] = useState<Answer>({ step: 'open' });
  async function run(work: () => Promise<Answer>) {
    setAnswer({ step: 'asking' });
    try {
      setAnswer(await work());
    } catch (error) {
      if (isExpired(error)) onExpired();
      setAnswer({ step: 'failed', error });
    }
  }
  const check = () =>
    run(async () => {
      const found = await lookUp(entry);
      return found.type === 'stored'
        ? { step: 'settled', operation: found.operation }
        : { step: 'not_stored' };
    });
  const undo = () =>
    run(async () => {
      const outcome = await reverse(entry, AbortSignal.timeout(20_000));
      if (outcome.type === 'answered') return { step: 'settled', operation: outcome.operation };
      return { step: 'failed', error: outcome.type === 'refused' ? outcome.refusal : undefined };
    });
  return { answer, check, undo };
}

export function Doubt({ entry, onSettled }: { entry: Unsettled; onSettled?: () => void }) {
  const { t, locale } = useWords();
  const { session } = useTill();
  const { answer, check, undo } = useSettling(entry);
  const problem = useProblemText({ title: t('no_answer'), cure: t('still_in_doubt') });
  const own = entry.user === session.user.id;
  const settle = () => {
    journal.remove(entry.key);
    onSettled?.();
  };
  const zone = session.issuer?.time_zone ?? 'UTC';
  return (
    <section className={parts.panel} aria-label={t('in_doubt')}>
      {answer.step !== 'settled' && (
        <Notice tone="warn" title={t(entry.kind === 'sale' ? 'doubt_sale' : 'doubt_refund')}>
          {t('doubt_hint')}
        </Notice>
      )}
      <dl className={parts.pairs}>
        <dt>{t('amount')}</dt>
        <dd>
          <strong>{formatMoney(entry.amount, entry.currency, locale)}</strong>
        </dd>
        <dt>{t('receipt_card')}</dt>
        <dd>{entry.last4 ? `•••• ${entry.last4}` : t('payment_code')}</dd>
        <dt>{t('receipt_at')}</dt>
        <dd>{formatMoment(entry.at, locale, zone)}</dd>
        <dt>{t('receipt_cashier')}</dt>
        <dd>{entry.userName}</dd>
      </dl>
      {answer.step === 'settled' ? (
        <>
          <Verdict operation={answer.operation} />
          {answer.operation.kind === 'reversal' && !answer.operation.card && (
            <Notice tone="good">{t('reversed_unseen')}</Notice>
          )}
          <Button look="primary" wide large onClick={settle} autoFocus>
            {t('done')}
          </Button>
        </>
      ) : !own ? (
        <Notice title={t('doubt_foreign', { name: entry.userName })}>
          {t('doubt_foreign_hint')}
        </Notice>
      ) : (
        <>
          {answer.step === 'not_stored' && (
            <Notice title={t('not_stored')}>{t('not_stored_hint')}</Notice>
          )}
          {answer.step === 'failed' && (
            <Notice tone="bad" title={problem(answer.error).title}>
              {problem(answer.error).cure}
            </Notice>
          )}
          <div className={parts.row}>
            <Button
              look="primary"
              large
              disabled={answer.step === 'asking'}
              onClick={() => void check()}
            >
              {answer.step === 'asking' ? t('busy') : t('check')}
            </Button>
            <Button
              look="danger"
              large
              disabled={answer.step === 'asking'}
              onClick={() => void undo()}
            >
              {t('reverse')}
            </Button>
          </div>
        </>
      )}
    </section>
  );
}

/** The entries that no page is sending at this moment. */
export function useInDoubt(): Unsettled[] {
  const entries = useUnsettled();
  const [underWay, setUnderWay] = useState<Set<string>>();
  useEffect(() => {
    let wanted = true;
    const ask = () =>
      void keysUnderWay().then(
        (keys) => wanted && setUnderWay(keys),
        () => wanted && setUnderWay(new Set()),
      );
    ask();
    const timer = setInterval(ask, 2_000);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [entries]);
  return underWay ? entries.filter((entry) => !underWay.has(entry.key)) : [];
}

export function InDoubtList() {
  const { t } = useWords();
  const entries = useInDoubt();
  if (entries.length === 0)
    return (
      <Notice tone="good" title={t('no_doubt')}>
        {t('no_doubt_hint')}
      </Notice>
    );
  return (
    <div className={parts.stack}>
      {entries.map((entry) => (
        <Doubt key={entry.key} entry={entry} />
      ))}
    </div>
  );
}
