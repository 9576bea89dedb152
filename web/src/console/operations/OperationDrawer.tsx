// An operation beside the list it was opened from.
import { Button, Drawer } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCan } from '@/shared/session';
import { OperationDetail } from './OperationDetail';
import type { Operation } from './query';
import { RefundDialog } from './RefundDialog';
import { refundable } from './sign';

interface Props {
  operation: Operation;
  onClose: () => void;
  /** Something was done. */
  onDone: () => void;
}

export function RefundButton({ operation, onDone }: Omit<Props, 'onClose'>) {
  const { t } = useTranslation('operations');
  const mayRefund = useCan('refund');
  const [open, setOpen] = useState(false);
  if (!mayRefund || !refundable(operation)) return null;
  return (
    <>
      <Button danger onClick={() => setOpen(true)}>
        {t('refund')}
      </Button>
      {open && (
        <RefundDialog
          operation={operation}
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            onDone();
          }}
        />
      )}
    </>
  );
}

export function OperationDrawer({ operation, onClose, onDone }: Props) {
  const { t } = useTranslation('operations');
  return (
    <Drawer
      open
      onClose={onClose}
      size="large"
      title={t(`kinds.${operation.kind}`)}
      extra={<RefundButton operation={operation} onDone={onDone} />}
    >
      <OperationDetail operation={operation} />
    </Drawer>
  );
}
