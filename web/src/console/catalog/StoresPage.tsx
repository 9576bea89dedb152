// Stores: where a merchant sells.
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { EntityPage } from './EntityPage';
import { Named } from './Named';

type Store = components['schemas']['Store'];

export function Component() {
  const { t } = useTranslation('catalog');
  return (
    <EntityPage<Store>
      kind="stores"
      read={({ limit, cursor, signal }) =>
        unwrap(client.GET('/v1/stores', { params: { query: { limit, cursor } }, signal }))
      }
      create={({ name, parent }) =>
        unwrap(client.POST('/v1/stores', { body: { name, merchant: parent ?? '' } }))
      }
      change={(id, body) =>
        unwrap(client.PATCH('/v1/stores/{id}', { params: { path: { id } }, body }))
      }
      parent={{
        kind: 'merchants',
        column: {
          title: t('parent.merchants'),
          render: (_, row) => <Named kind="merchants" id={row.merchant} />,
        },
      }}
      links={(row) => <Link to={`/operations?store=${row.id}`}>{t('operations')}</Link>}
    />
  );
}
