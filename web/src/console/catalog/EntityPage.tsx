// The pages of merchants, stores and terminals: one list, one form, one way to close. They differ in their
// parent only.
import { PlusOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList, type CursorPage, type CursorRequest } from '@/shared/cursor-list';
import { Moment } from '@/shared/format';
import { Id } from '@/shared/Id';
import { EmptyState, Page } from '@/shared/page';
import { useCan } from '@/shared/session';
import { StatusTag } from '@/shared/StatusTag';
import { EntityDialog, type Change } from './EntityDialog';
import './common.css';

export interface Entity {
  id: string;
  name: string;
  status: 'active' | 'closed';
  created_at: string;
  version: number;
}

interface Props<T extends Entity> {
  /** A key of the texts: `merchants`, `stores`, `terminals`. */
  kind: 'merchants' | 'stores' | 'terminals';
  read: (request: CursorRequest) => Promise<CursorPage<T>>;
  create: (values: { name: string; parent?: string }) => Promise<unknown>;
  change: (id: string, change: Change) => Promise<unknown>;
  /** What it belongs to, as a column. */
  parent?: { kind: 'merchants' | 'stores'; column: Column<T> };
  links: (row: T) => ReactNode;
}

export function ActiveTag({ status }: { status: Entity['status'] }) {
  const { t } = useTranslation('catalog');
  return (
    <StatusTag tone={status === 'active' ? 'good' : 'neutral'}>{t(`status.${status}`)}</StatusTag>
  );
}

export function EntityPage<T extends Entity>({
  kind,
  read,
  create,
  change,
  parent,
  links,
}: Props<T>) {
  const { t } = useTranslation(['catalog', 'common']);
  const queries = useQueryClient();
  const mayWrite = useCan('catalog_write');
  const [open, setOpen] = useState<T | 'new'>();
  const list = useCursorList<T>(['catalog', kind], read);
  const done = async () => {
    setOpen(undefined);
    await queries.invalidateQueries({ queryKey: ['catalog', kind] });
    await queries.invalidateQueries({ queryKey: ['catalog-names', kind] });
  };
  const add = mayWrite && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setOpen('new')}>
      {t(`${kind}.new`)}
    </Button>
  );
  const columns: Column<T>[] = [
    { title: t('name'), dataIndex: 'name' },
    ...(parent ? [parent.column] : []),
    { title: t('status.title'), render: (_, row) => <ActiveTag status={row.status} /> },
    { title: t('created'), render: (_, row) => <Moment at={row.created_at} /> },
    { title: t('id'), render: (_, row) => <Id id={row.id} /> },
    {
      title: t('actions'),
      render: (_, row) => (
        <span className="row-actions">
          {mayWrite && (
            <Button
              size="small"
              onClick={() => setOpen(row)}
              aria-label={t('edit_named', { name: row.name })}
            >
              {t('common:action.edit')}
            </Button>
          )}
          {links(row)}
        </span>
      ),
    },
  ];
  return (
    <Page title={t(`${kind}.title`)} lead={t(`${kind}.lead`)} actions={add}>
      <CursorTable
        label={t(`${kind}.title`)}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        empty={
          <EmptyState title={t(`${kind}.empty`)} hint={t(`${kind}.empty_hint`)} action={add} />
        }
      />
      {open && (
        <EntityDialog
          kind={kind}
          entity={open === 'new' ? undefined : open}
          parent={parent?.kind}
          onClose={() => setOpen(undefined)}
          create={create}
          change={change}
          onDone={done}
        />
      )}
    </Page>
  );
}
