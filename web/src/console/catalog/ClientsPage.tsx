// API clients: the programs of shops, tills and partners that call the server. A key is shown once, when it is
// made; the server keeps only what is needed to check it.
import { PlusOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button, Tag } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { Absent, Count, Moment } from '@/shared/format';
import { Id } from '@/shared/Id';
import { EmptyState, Page } from '@/shared/page';
import { ClientDialog } from './ClientDialog';
import { ActiveTag } from './EntityPage';
import { Named } from './Named';
import { RotateButton } from './RotateButton';
import { SecretDialog } from './SecretDialog';

export type ApiClient = components['schemas']['Client'];
type WithSecret = components['schemas']['ClientWithSecret'];

const SHOWN_SCOPES = 3;

function Scopes({ scopes }: { scopes: readonly string[] }) {
  const rest = scopes.slice(SHOWN_SCOPES);
  return (
    <span className="tags">
      {scopes.slice(0, SHOWN_SCOPES).map((scope) => (
        <Tag key={scope}>{scope}</Tag>
      ))}
      {rest.length > 0 && <span title={rest.join(', ')}>+{rest.length}</span>}
    </span>
  );
}

export function Component() {
  const { t } = useTranslation(['catalog', 'common']);
  const queries = useQueryClient();
  const [open, setOpen] = useState<ApiClient | 'new'>();
  const [made, setMade] = useState<WithSecret>();
  const list = useCursorList<ApiClient>(['catalog', 'clients'], ({ limit, cursor, signal }) =>
    unwrap(client.GET('/v1/clients', { params: { query: { limit, cursor } }, signal })),
  );
  const refresh = () => queries.invalidateQueries({ queryKey: ['catalog', 'clients'] });
  const add = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setOpen('new')}>
      {t('clients.new')}
    </Button>
  );
  const columns: Column<ApiClient>[] = [
    { title: t('name'), dataIndex: 'name' },
    {
      title: t('clients.merchant'),
      render: (_, row) =>
        row.merchant ? <Named kind="merchants" id={row.merchant} /> : <Absent />,
    },
    { title: t('clients.scopes'), render: (_, row) => <Scopes scopes={row.scopes} /> },
    { title: t('clients.rate'), render: (_, row) => <Count value={row.rate_per_second} /> },
    { title: t('status.title'), render: (_, row) => <ActiveTag status={row.status} /> },
    { title: t('created'), render: (_, row) => <Moment at={row.created_at} /> },
    { title: t('id'), render: (_, row) => <Id id={row.id} /> },
    {
      title: t('actions'),
      render: (_, row) => (
        <span className="row-actions">
          <Button
            size="small"
            onClick={() => setOpen(row)}
            aria-label={t('edit_named', { name: row.name })}
          >
            {t('common:action.edit')}
          </Button>
          <RotateButton row={row} onMade={setMade} />
          <Link to={`/operations?client=${row.id}`}>{t('operations')}</Link>
        </span>
      ),
    },
  ];
  return (
    <Page title={t('clients.title')} lead={t('clients.lead')} actions={add}>
      <CursorTable
        label={t('clients.title')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        empty={
          <EmptyState title={t('clients.empty')} hint={t('clients.empty_hint')} action={add} />
        }
      />
      {open && (
        <ClientDialog
          entity={open === 'new' ? undefined : open}
          onClose={() => setOpen(undefined)}
          onDone={(secret) => {
            setOpen(undefined);
            setMade(secret);
            void refresh();
          }}
        />
      )}
      {made && (
        <SecretDialog
          made={made}
          onClose={() => {
            setMade(undefined);
            void refresh();
          }}
        />
      )}
    </Page>
  );
}
