// One batch: its progress while it is made, and the export of its numbers and PINs.
import { Alert } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { api } from '@/api/client';
import { Count, Moment } from '@/shared/format';
import { Id } from '@/shared/Id';
import { Facts, Loaded, Page, Panel } from '@/shared/page';
import { useCan } from '@/shared/session';
import { Named } from '../catalog/Named';
import { ExportSecrets } from './ExportSecrets';
import { FaceValue } from './FaceValue';
import { BatchProgress, BatchStatus } from './parts';
import { ASK_MS, isRunning, type Batch } from './progress';
import '../cards/cards.css';
import './batches.css';

function Shown({ batch }: { batch: Batch }) {
  const { t } = useTranslation('batches');
  return (
    <>
      {batch.failure && (
        <Alert type="error" showIcon title={t('failed')} description={batch.failure} />
      )}
      {batch.exported_at && (
        <Alert
          type="info"
          showIcon
          title={
            <>
              {t('exported_at')} <Moment at={batch.exported_at} />
            </>
          }
        />
      )}
      <Panel>
        <BatchProgress batch={batch} />
        <Facts
          rows={[
            [t('status.title'), <BatchStatus key="status" batch={batch} />],
            [
              t('program'),
              <Named
                key="program"
                kind="programs"
                id={batch.program}
                to={`/programs/${batch.program}`}
              />,
            ],
            [t('count'), <Count key="count" value={batch.count} />],
            [t('face_value'), <FaceValue key="face" batch={batch} />],
            [t('total_value'), <FaceValue key="total" batch={batch} times={batch.count} />],
            [t('activate_short'), t(batch.activate ? 'yes' : 'no')],
            [t('created'), <Moment key="created" at={batch.created_at} />],
            [t('completed'), batch.completed_at ? <Moment at={batch.completed_at} /> : undefined],
            ['ID', <Id key="id" id={batch.id} />],
          ]}
        />
      </Panel>
    </>
  );
}

export function Component() {
  const { t } = useTranslation('batches');
  const { id = '' } = useParams();
  const mayExport = useCan('cards_export');
  const query = api.useQuery(
    'get',
    '/v1/batches/{id}',
    { params: { path: { id } } },
    { refetchInterval: ({ state }) => (state.data && isRunning(state.data) ? ASK_MS : false) },
  );
  const batch = query.data;
  const ready = batch && batch.status === 'complete' && !batch.exported_at;
  return (
    <Page
      title={t('batch')}
      above={<Link to="/batches">← {t('back')}</Link>}
      actions={
        mayExport && ready && <ExportSecrets batch={batch} onDone={() => void query.refetch()} />
      }
    >
      <Loaded query={query}>{(found) => <Shown batch={found} />}</Loaded>
    </Page>
  );
}
