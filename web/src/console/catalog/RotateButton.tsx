// Gives a client a new key. The old one ends at once, so this asks first.
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { useTranslation } from 'react-i18next';
import { ActionButton } from '@/shared/ActionButton';

type ApiClient = components['schemas']['Client'];
type WithSecret = components['schemas']['ClientWithSecret'];

export function RotateButton({
  row,
  onMade,
}: {
  row: ApiClient;
  onMade: (made: WithSecret) => void;
}) {
  const { t } = useTranslation('catalog');
  const rotate = async () => {
    const params = { path: { id: row.id } };
    const body = { version: row.version };
    onMade(await unwrap(client.POST('/v1/clients/{id}/rotate-secret', { params, body })));
  };
  return (
    <ActionButton
      size="small"
      danger
      title={t('clients.rotate_title', { name: row.name })}
      consequence={<p>{t('clients.rotate_consequence')}</p>}
      run={rotate}
      aria-label={t('clients.rotate_title', { name: row.name })}
    >
      {t('clients.rotate')}
    </ActionButton>
  );
}
