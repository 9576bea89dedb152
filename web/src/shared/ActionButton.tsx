// A button that does something at the server: asks first where that matters, waits, and shows what went wrong
// beside itself.
import { Button, type ButtonProps } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from './Dialog';
import { ErrorBox } from './ErrorBox';

interface Props extends Omit<ButtonProps, 'onClick' | 'title'> {
  /** What will happen, asked before it does. Without it the button acts at once. */
  consequence?: ReactNode;
  title?: string;
  run: () => Promise<unknown>;
  children: ReactNode;
}

export function ActionButton({ consequence, title, run, children, ...button }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const act = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await run();
      setOpen(false);
    } catch (failure) {
      setError(failure);
      setOpen(true);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button
        {...button}
        loading={busy && !open}
        onClick={() => {
          setError(undefined);
          if (consequence) setOpen(true);
          else void act();
        }}
      >
        {children}
      </Button>
      <Dialog
        open={open}
        title={title ?? children}
        okText={consequence ? t('action.confirm') : t('action.retry')}
        cancelText={t('action.cancel')}
        okButtonProps={{ danger: button.danger }}
        confirmLoading={busy}
        onOk={() => void act()}
        onCancel={() => setOpen(false)}
      >
        {consequence}
        {error !== undefined && <ErrorBox error={error} />}
      </Dialog>
    </>
  );
}
