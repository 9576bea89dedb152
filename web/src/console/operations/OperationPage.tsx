// One operation on a page of its own, for links.
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { api } from '@/api/client';
import { Loaded, Page, Panel } from '@/shared/page';
import { OperationDetail } from './OperationDetail';
import { RefundButton } from './OperationDrawer';
import '../cards/cards.css';

export function Component() {
  const { t } = useTranslation('operations');
  const { id = '' } = useParams();
  const query = api.useQuery('get', '/v1/operations/{id}', { params: { path: { id } } });
  return (
    <Page
      title={query.data ? t(`kinds.${query.data.kind}`) : t('title')}
      above={<Link to="/operations">← {t('back')}</Link>}
      actions={
        query.data && <RefundButton operation={query.data} onDone={() => void query.refetch()} />
      }
    >
      <Loaded query={query}>
        {(operation) => (
          <Panel>
            <OperationDetail operation={operation} />
          </Panel>
        )}
      </Loaded>
    </Page>
  );
}
