// Identity providers: companies whose people log in with them. Their secrets are entered here and never shown.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { ActionButton } from '@/shared/ActionButton';
import { CopyButton } from '@/shared/Id';
import { EmptyState, Loaded, Page } from '@/shared/page';
import { useSession } from '@/shared/session';
import { StatusTag } from '@/shared/StatusTag';
import { LinkedUsers } from './LinkedUsers';
import { ProviderDialog } from './ProviderDialog';

export type Provider = components['schemas']['IdentityProvider'];

const KEY = ['identity-providers'];

export function Component() {
  const { t } = useTranslation('users');
  const queries = useQueryClient();
  const session = useSession();
  const [edited, setEdited] = useState<Provider | 'new'>();
  const query = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => unwrap(client.GET('/v1/identity-providers', { signal })),
  });
  const again = () => queries.invalidateQueries({ queryKey: KEY });
  const issuer = session.issuer?.id;
  const page = `${location.origin}/login${issuer ? `?issuer=${issuer}` : ''}`;
  const add = (
    <Button type="primary" onClick={() => setEdited('new')}>
      {t('provider.add')}
    </Button>
  );
  return (
    <Page title={t('provider.title')} lead={t('provider.lead')} actions={add}>
      <p>
        {t('provider.login_page')} <code>{page}</code>
        <CopyButton text={page} />
      </p>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title={t('provider.empty')} hint={t('provider.empty_hint')} action={add} />
          ) : (
            <ul className="rows panel">
              {items.map((provider) => (
                <Row
                  key={provider.id}
                  provider={provider}
                  onChange={() => setEdited(provider)}
                  onDone={again}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      {edited && (
        <ProviderDialog
          provider={edited === 'new' ? undefined : edited}
          onClose={() => {
            setEdited(undefined);
            void again();
          }}
        />
      )}
    </Page>
  );
}

interface RowProps {
  provider: Provider;
  onChange: () => void;
  onDone: () => Promise<void>;
}

function Row({ provider, onChange, onDone }: RowProps) {
  const { t } = useTranslation('users');
  const [shown, setShown] = useState(false);
  const [found, setFound] = useState<components['schemas']['IdentityProviderCheck']>();
  const path = { id: provider.id };
  const isOpen = provider.status === 'active';
  const check = async () =>
    setFound(await unwrap(client.POST('/v1/identity-providers/{id}/check', { params: { path } })));
  const turn = async () => {
    const body = { version: provider.version, status: isOpen ? 'closed' : 'active' } as const;
    await unwrap(client.PATCH('/v1/identity-providers/{id}', { params: { path }, body }));
    await onDone();
  };
  return (
    <li>
      <div>
        <strong>{provider.name}</strong>{' '}
        <StatusTag tone={isOpen ? 'good' : 'bad'}>{t(`provider.${provider.status}`)}</StatusTag>
        <div className="row-note">{provider.issuer_url}</div>
        <div className="row-note">
          {t('provider.client_id')}: <code>{provider.client_id}</code>
          {provider.trusted_second_factor && <> · {t('provider.trusted')}</>}
        </div>
        {found && (
          <Alert
            type={found.works ? 'success' : 'warning'}
            showIcon
            title={found.works ? t('provider.works') : t('provider.fails')}
            description={found.problem}
          />
        )}
        {shown && <LinkedUsers provider={provider.id} />}
      </div>
      <div className="actions">
        <Button size="small" aria-expanded={shown} onClick={() => setShown(!shown)}>
          {t('provider.people')}
        </Button>
        <ActionButton size="small" run={check}>
          {t('provider.check')}
        </ActionButton>
        <Button size="small" onClick={onChange}>
          {t('change')}
        </Button>
        <ActionButton
          size="small"
          danger={isOpen}
          consequence={t(isOpen ? 'provider.close_sure' : 'provider.open_sure')}
          run={turn}
        >
          {t(isOpen ? 'provider.close' : 'provider.open')}
        </ActionButton>
      </div>
    </li>
  );
}
