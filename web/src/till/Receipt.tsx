// The receipt: on paper, and as a QR code with the operation's id, which is all that a refund needs.
import { lazy, Suspense } from 'react';
import { createPortal } from 'react-dom';
import { Button, Dialog, parts, Segments } from '@/handheld/parts';
import { useChoice } from '@/handheld/preference';
import { formatMoney } from '@/shared/money';
import { formatMoment } from '@/shared/time';
import type { Operation } from './persist';
import { useTill } from './session';
import { useWords, type TillText } from './words';
import paper from './receipt.module.css';
import styles from './till.module.css';

const loadQr = () => import('@/handheld/Qr');
const Qr = lazy(loadQr);

/** Before it is needed: neither paper nor a customer waits for it. */
export const prepareReceipt = () => void loadQr().catch(() => {});

export const KIND_TEXT: Record<string, TillText> = {
  redemption: 'kind_redemption',
  refund: 'kind_refund',
  reversal: 'kind_reversal',
};

function useRows(operation: Operation): [string, string][] {
  const { t, locale } = useWords();
  const { session } = useTill();
  const zone = session.issuer?.time_zone ?? 'UTC';
  const money = (minor: number) => formatMoney(minor, operation.currency ?? 'CNY', locale);
  const rows: [string, string | null | undefined][] = [
    [t('receipt_merchant'), session.merchant?.name],
    [t('receipt_store'), session.store?.name],
    [t('receipt_asked'), operation.outstanding > 0 ? money(operation.requested) : undefined],
    [
      t('receipt_outstanding'),
      operation.outstanding > 0 ? money(operation.outstanding) : undefined,
    ],
    [t('receipt_card'), operation.card && `•••• ${operation.card.last4}`],
    [t('receipt_left'), operation.card && money(operation.card.available)],
    [t('receipt_original'), operation.original],
    [t('receipt_at'), formatMoment(operation.at, locale, zone)],
    [t('receipt_cashier'), session.user.name],
    [t('receipt_id'), operation.id],
  ];
  return rows.filter((row): row is [string, string] => row[1] != null);
}

function Paper({ operation, width }: { operation: Operation; width: 'narrow' | 'broad' }) {
  const { t, locale } = useWords();
  const { session } = useTill();
  const rows = useRows(operation);
  return createPortal(
    <div className={`${paper.receipt} ${paper[width]}`} aria-hidden="true">
      <h1>{session.issuer?.name ?? session.merchant?.name}</h1>
      <p className={paper.kind}>{t(KIND_TEXT[operation.kind] ?? 'kind_other')}</p>
      <p className={paper.sum}>
        {formatMoney(operation.approved, operation.currency ?? 'CNY', locale)}
      </p>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div className={paper.code}>
        <Suspense>
          <Qr text={operation.id} label="" />
        </Suspense>
      </div>
      <p>{t('receipt_keep')}</p>
    </div>,
    document.body,
  );
}

/** The receipt on the screen, with what prints it. */
export function ReceiptDialog({
  operation,
  onClose,
}: {
  operation: Operation;
  onClose: () => void;
}) {
  const { t, locale } = useWords();
  const [width, setWidth] = useChoice('receipt_width', ['broad', 'narrow'] as const, 'broad');
  const rows = useRows(operation);
  return (
    <Dialog title={t('receipt')} onClose={onClose}>
      <p className={styles.receiptSum}>
        {t(KIND_TEXT[operation.kind] ?? 'kind_other')}
        <strong>{formatMoney(operation.approved, operation.currency ?? 'CNY', locale)}</strong>
      </p>
      <div className={styles.receiptCode}>
        <Suspense>
          <Qr text={operation.id} label={t('receipt_code', { id: operation.id })} />
        </Suspense>
      </div>
      <dl className={parts.pairs}>
        {rows.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div className={parts.row}>
        <Segments
          label={t('receipt_width')}
          value={width}
          options={[
            { value: 'narrow', text: '58 mm' },
            { value: 'broad', text: '80 mm' },
          ]}
          onChange={setWidth}
        />
      </div>
      <div className={parts.row}>
        <Button look="primary" onClick={() => window.print()}>
          {t('print')}
        </Button>
        <Button onClick={onClose}>{t('close')}</Button>
      </div>
      <Paper operation={operation} width={width} />
    </Dialog>
  );
}
