// Merchants: who accepts cards and is paid for it.
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { EntityPage } from './EntityPage';

type Merchant = components['schemas']['Merchant'];

export function Component() {
  const { t } = useTranslation('catalog');
  return (
    <EntityPage<Merchant>
      kind="merchants"
      read={({ limit, cursor, signal }) =>
        unwrap(client.GET('/v1/merchants', { params: { query: { limit, cursor } }, signal }))
      }
      create={({ name }) => unwrap(client.POST('/v1/merchants', { body: { name } }))}
      change={(id, body) =>
        unwrap(client.PATCH('/v1/merchants/{id}', { params: { path: { id } }, body }))
      }
      links={(row) => <Link to={`/operations?merchant=${row.id}`}>{t('operations')}</Link>}
    />
  );
}
