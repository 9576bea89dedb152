// Who is linked to an identity provider. Unlinking ends the sessions that it let the person in.
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { ActionButton } from '@/shared/ActionButton';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { Moment } from '@/shared/format';
import { EmptyState } from '@/shared/page';

type Linked = components['schemas']['LinkedUser'];

export function LinkedUsers({ provider }: { provider: string }) {
  const { t } = useTranslation('users');
  const queries = useQueryClient();
  const key = ['linked-users', provider];
  const list = useCursorList<Linked>(key, ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/identity-providers/{id}/users', {
        params: { path: { id: provider }, query: { limit, cursor } },
        signal,
      }),
    ),
  );
  const unlink = async (user: string) => {
    const params = { path: { id: provider, user } };
    await unwrap(client.DELETE('/v1/identity-providers/{id}/users/{user}', { params }));
    await queries.invalidateQueries({ queryKey: key });
  };
  const columns: Column<Linked>[] = [
    { title: t('name'), render: (_, of) => of.name },
    { title: t('login'), render: (_, of) => of.login },
    { title: t('provider.subject'), render: (_, of) => <code>{of.subject}</code> },
    { title: t('provider.linked_at'), render: (_, of) => <Moment at={of.linked_at} /> },
    {
      title: t('change'),
      render: (_, of) => (
        <ActionButton
          size="small"
          danger
          consequence={t('provider.unlink_sure')}
          run={() => unlink(of.user)}
        >
          {t('provider.unlink')}
        </ActionButton>
      ),
    },
  ];
  return (
    <CursorTable
      label={t('provider.people')}
      list={list}
      columns={columns}
      rowKey={(of) => of.user}
      empty={<EmptyState title={t('provider.nobody')} hint={t('provider.nobody_hint')} />}
    />
  );
}
