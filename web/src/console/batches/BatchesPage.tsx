// Batches of cards, newest first, with their progress while they are made.
import { PlusOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { client, unwrap } from '@/api/client';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { Absent, Count, Moment } from '@/shared/format';
import { EmptyState, Page } from '@/shared/page';
import { Named } from '../catalog/Named';
import { FaceValue } from './FaceValue';
import { NewBatch } from './NewBatch';
import { BatchProgress, BatchStatus } from './parts';
import { ASK_MS, isRunning, type Batch } from './progress';
import '../cards/cards.css';
import './batches.css';

export function Component() {
  const { t } = useTranslation('batches');
  const queries = useQueryClient();
  const [params] = useSearchParams();
  const asked = params.get('program') ?? undefined;
  const [creating, setCreating] = useState(asked !== undefined);
  const [running, setRunning] = useState(false);
  const list = useCursorList<Batch>(
    ['batches'],
    async ({ limit, cursor, signal }) => {
      const page = await unwrap(
        client.GET('/v1/batches', { params: { query: { limit, cursor } }, signal }),
      );
      setRunning(page.items.some(isRunning));
      return page;
    },
    { refetchInterval: running ? ASK_MS : undefined },
  );
  const add = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setCreating(true)}>
      {t('new')}
    </Button>
  );
  const columns: Column<Batch>[] = [
    {
      title: t('created'),
      render: (_, row) => (
        <Link to={`/batches/${row.id}`}>
          <Moment at={row.created_at} />
        </Link>
      ),
    },
    {
      title: t('program'),
      render: (_, row) => (
        <Named kind="programs" id={row.program} to={`/programs/${row.program}`} />
      ),
    },
    { title: t('count'), align: 'right', render: (_, row) => <Count value={row.count} /> },
    { title: t('face_value'), align: 'right', render: (_, row) => <FaceValue batch={row} /> },
    { title: t('status.title'), render: (_, row) => <BatchStatus batch={row} /> },
    { title: t('progress'), render: (_, row) => <BatchProgress batch={row} /> },
    {
      title: t('exported'),
      render: (_, row) => (row.exported_at ? <Moment at={row.exported_at} /> : <Absent />),
    },
  ];
  return (
    <Page title={t('title')} lead={t('lead')} actions={add}>
      <CursorTable
        label={t('title')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        empty={<EmptyState title={t('empty')} hint={t('empty_hint')} action={add} />}
      />
      {creating && (
        <NewBatch
          program={asked}
          onClose={() => setCreating(false)}
          onDone={() => {
            setCreating(false);
            void queries.invalidateQueries({ queryKey: ['batches'] });
          }}
        />
      )}
    </Page>
  );
}
