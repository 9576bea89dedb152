// A refund: the receipt says which sale, the sale says which card. Nothing is refunded to another card.
import { useState, type FormEvent } from 'react';
import { get } from '@/handheld/http';
import { useReachable } from '@/handheld/online';
import { Button, Field, Notice, parts, Waiting } from '@/handheld/parts';
import { useProblemText } from '@/handheld/problems';
import { currencyExponent, formatMoney, minorToDecimal, parseMoney } from '@/shared/money';
import { formatMoment } from '@/shared/time';
import { CardEntry } from './CardEntry';
import { Doubt } from './InDoubt';
import { Failed, Finished, UnderWay } from './Outcomes';
import type { Operation } from './persist';
import { operationOf } from './scanned';
import { useSending } from './sending';
import { isExpired, useTill } from './session';
import { useScannerKeys } from './wedge';
import { useWords, type TillText } from './words';

type Receipt =
  | { step: 'wanted' }
  | { step: 'reading' }
  | { step: 'read'; sale: Operation }
  | { step: 'failed'; error: unknown };

const REFUNDABLE = new Set(['redemption', 'capture']);

function AmountToRefund({
  sale,
  onRefund,
}: {
  sale: Operation;
  onRefund: (minor: number | undefined) => void;
}) {
  const { t, locale } = useWords();
  const currency = sale.currency ?? 'CNY';
  const exponent = currencyExponent(currency);
  const [text, setText] = useState(minorToDecimal(sale.approved, exponent));
  const [wrong, setWrong] = useState<TillText>();
  function submit(event: FormEvent) {
    event.preventDefault();
    if (text.trim() === '') return onRefund(undefined);
    const parsed = parseMoney(text, exponent);
    if ('wrong' in parsed || parsed.minor === 0) return setWrong('amount_not_a_number');
    if (parsed.minor > sale.approved) return setWrong('refund_too_much');
    onRefund(parsed.minor);
  }
  return (
    <form className={parts.stack} onSubmit={submit} noValidate>
      <Field
        label={t('refund_amount')}
        hint={t('refund_amount_hint', { paid: formatMoney(sale.approved, currency, locale) })}
        wrong={wrong && t(wrong)}
        inputMode="decimal"
        digits
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setWrong(undefined);
        }}
        autoFocus
      />
      <Button type="submit" look="primary" large wide>
        {t('refund_now')}
      </Button>
    </form>
  );
}

function SaleFacts({ sale }: { sale: Operation }) {
  const { t, locale } = useWords();
  const { session } = useTill();
  return (
    <dl className={parts.pairs}>
      <dt>{t('paid')}</dt>
      <dd>
        <strong>{formatMoney(sale.approved, sale.currency ?? 'CNY', locale)}</strong>
      </dd>
      <dt>{t('receipt_card')}</dt>
      <dd>{sale.card ? `•••• ${sale.card.last4}` : ''}</dd>
      <dt>{t('receipt_at')}</dt>
      <dd>{formatMoment(sale.at, locale, session.issuer?.time_zone ?? 'UTC')}</dd>
      <dt>{t('receipt_id')}</dt>
      <dd>{sale.id}</dd>
    </dl>
  );
}

export function Refund({ onDone }: { onDone: (operation: Operation) => void }) {
  const { t } = useWords();
  const { onExpired } = useTill();
  const reachable = useReachable();
  const [receipt, setReceipt] = useState<Receipt>({ step: 'wanted' });
  const [wrong, setWrong] = useState<TillText>();
  const problem = useProblemText({ title: t('no_answer'), cure: t('no_answer_cure') });
  const sending = useSending();
  const { state } = sending;

  async function read(id: string) {
    setReceipt({ step: 'reading' });
    try {
      setReceipt({ step: 'read', sale: await get<Operation>(`/v1/operations/${id}`) });
    } catch (error) {
      if (isExpired(error)) onExpired();
      setReceipt({ step: 'failed', error });
    }
  }
  function found(text: string): boolean {
    const id = operationOf(text);
    setWrong(id ? undefined : 'receipt_unreadable');
    if (id) void read(id);
    return id !== undefined;
  }
  function restart() {
    setReceipt({ step: 'wanted' });
    setWrong(undefined);
    sending.clear();
  }
  useScannerKeys((scan) => state.step === 'idle' && found(scan));

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
    if (outcome.type === 'answered') {
      const finish = () => {
        onDone(outcome.operation);
        restart();
      };
      return <Finished operation={outcome.operation} next={t('done')} onNext={finish} />;
    }
    if (outcome.type === 'refused') {
      const { refusal } = outcome;
      const back = () => {
        if (isExpired(refusal)) onExpired();
        sending.clear();
      };
      return <Failed error={refusal} onBack={back} />;
    }
    return (
      <div className={parts.stack}>
        <Notice title={t('awaiting_approval')}>{t('awaiting_approval_hint')}</Notice>
        <Button look="primary" wide large onClick={restart}>
          {t('done')}
        </Button>
      </div>
    );
  }

  if (receipt.step === 'reading') return <Waiting>{t('busy')}</Waiting>;
  if (receipt.step === 'read') {
    const { sale } = receipt;
    const refundable = REFUNDABLE.has(sale.kind) && sale.status === 'approved';
    const refund = (amount: number | undefined) =>
      void sending.begin(
        {
          kind: 'refund',
          amount: amount ?? sale.approved,
          currency: sale.currency ?? 'CNY',
          last4: sale.card?.last4,
        },
        {
          method: 'POST',
          path: `/v1/redemptions/${sale.id}/refunds`,
          body: amount === undefined ? {} : { amount, currency: sale.currency },
        },
      );
    return (
      <div className={parts.panel}>
        <h2>{t('refund_of')}</h2>
        <SaleFacts sale={sale} />
        {refundable && reachable ? (
          <AmountToRefund sale={sale} onRefund={refund} />
        ) : (
          <Notice tone="warn" title={t(refundable ? 'offline' : 'not_refundable')}>
            {t(refundable ? 'offline_hint' : 'not_refundable_hint')}
          </Notice>
        )}
        <Button wide onClick={restart}>
          {t('cancel')}
        </Button>
      </div>
    );
  }
  return (
    <div className={parts.panel}>
      <h2>{t('refund_title')}</h2>
      {receipt.step === 'failed' && (
        <Notice tone="bad" title={problem(receipt.error).title}>
          {problem(receipt.error).cure}
        </Notice>
      )}
      <CardEntry
        label="receipt_number"
        hint="receipt_number_hint"
        wrong={wrong}
        submit={t('find_sale')}
        numeric={false}
        disabled={!reachable}
        onText={found}
      />
    </div>
  );
}
