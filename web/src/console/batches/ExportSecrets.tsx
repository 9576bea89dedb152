// Exports numbers and PINs, once: says so, and asks the person to confirm that the file has a safe place.
import { DownloadOutlined } from '@ant-design/icons';
import { Alert, Button, Checkbox } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/shared/Dialog';
import { ErrorBox } from '@/shared/ErrorBox';
import { useFormat } from '@/shared/format';
import { exportSecrets } from './export';
import type { Batch } from './progress';

export function ExportSecrets({ batch, onDone }: { batch: Batch; onDone: () => void }) {
  const { t } = useTranslation(['batches', 'common']);
  const { count } = useFormat();
  const [open, setOpen] = useState(false);
  const [safe, setSafe] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await exportSecrets(batch.id);
      setOpen(false);
      onDone();
    } catch (failure) {
      setError(failure);
      onDone();
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button
        type="primary"
        icon={<DownloadOutlined />}
        onClick={() => {
          setSafe(false);
          setError(undefined);
          setOpen(true);
        }}
      >
        {t('export')}
      </Button>
      <Dialog
        open={open}
        title={t('export')}
        okText={t('export_confirm')}
        cancelText={t('common:action.cancel')}
        okButtonProps={{ danger: true, disabled: !safe }}
        confirmLoading={busy}
        mask={{ closable: false }}
        closable={!busy}
        onOk={() => void run()}
        onCancel={() => !busy && setOpen(false)}
      >
        <div className="column">
          <Alert
            type="warning"
            showIcon
            title={t('export_once', { cards: count(batch.count) })}
            description={
              <ul className="bullets">
                <li>{t('export_warning_pins')}</li>
                <li>{t('export_warning_money')}</li>
                <li>{t('export_warning_break')}</li>
              </ul>
            }
          />
          <Checkbox
            checked={safe}
            disabled={busy}
            onChange={(event) => setSafe(event.target.checked)}
          >
            {t('export_safe')}
          </Checkbox>
          {error !== undefined && <ErrorBox error={error} />}
        </div>
      </Dialog>
    </>
  );
}
