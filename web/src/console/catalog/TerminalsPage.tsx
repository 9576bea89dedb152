// Terminals: the tills of a store.
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { EntityPage } from './EntityPage';
import { Named } from './Named';

type Terminal = components['schemas']['Terminal'];

export function Component() {
  const { t } = useTranslation('catalog');
  return (
    <EntityPage<Terminal>
      kind="terminals"
      read={({ limit, cursor, signal }) =>
        unwrap(client.GET('/v1/terminals', { params: { query: { limit, cursor } }, signal }))
      }
      create={({ name, parent }) =>
        unwrap(client.POST('/v1/terminals', { body: { name, store: parent ?? '' } }))
      }
      change={(id, body) =>
        unwrap(client.PATCH('/v1/terminals/{id}', { params: { path: { id } }, body }))
      }
      parent={{
        kind: 'stores',
        column: {
          title: t('parent.stores'),
          render: (_, row) => <Named kind="stores" id={row.store} />,
        },
      }}
      links={(row) => <Link to={`/operations?terminal=${row.id}`}>{t('operations')}</Link>}
    />
  );
}
