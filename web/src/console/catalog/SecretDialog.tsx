// A new API key, shown this once. It closes only after the person says that it is kept; it is never written to
// storage, an address or a log.
import { Alert, Button, Checkbox, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { components } from '@/api/schema';
import { Dialog } from '@/shared/Dialog';
import { CopyButton } from '@/shared/Id';

type WithSecret = components['schemas']['ClientWithSecret'];

export function SecretDialog({ made, onClose }: { made: WithSecret; onClose: () => void }) {
  const { t } = useTranslation('catalog');
  const [kept, setKept] = useState(false);
  return (
    <Dialog
      open
      title={t('clients.secret_title', { name: made.client.name })}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={
        <Button type="primary" disabled={!kept} onClick={onClose}>
          {t('clients.secret_done')}
        </Button>
      }
    >
      <div className="column">
        <Alert
          type="warning"
          showIcon
          title={t('clients.secret_once')}
          description={t('clients.secret_hint')}
        />
        <div className="secret">
          <Input
            readOnly
            value={made.secret}
            aria-label={t('clients.secret')}
            onFocus={(event) => event.target.select()}
          />
          <CopyButton text={made.secret} />
        </div>
        <Checkbox checked={kept} onChange={(event) => setKept(event.target.checked)}>
          {t('clients.secret_kept')}
        </Checkbox>
      </div>
    </Dialog>
  );
}
