// Everything about one card on one page: state, value, what happened, and what may be done now.
import { DownloadOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Alert, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { ActionButton } from '@/shared/ActionButton';
import { download } from '@/shared/download';
import { Moment, useFormat } from '@/shared/format';
import { Id } from '@/shared/Id';
import { currencyExponent } from '@/shared/money';
import { Facts, Loaded, Page, Panel } from '@/shared/page';
import { useCan, useSession } from '@/shared/session';
import { Named } from '../catalog/Named';
import { ActionDialog } from './ActionDialog';
import { actionsFor, RULES, type Action, type Card, type Program } from './actions';
import { CardStateTag } from './CardStateTag';
import { HolderRefund } from './HolderRefund';
import { Timeline } from './Timeline';
import { Balance, Holds, Lots } from './Value';
import './cards.css';

type Detail = components['schemas']['CardDetail'];

function About({ card, exponent }: { card: Card; exponent: number }) {
  const { t } = useTranslation('cards');
  const { money } = useFormat();
  return (
    <Panel>
      <Facts
        rows={[
          [
            t('state'),
            <span key="state" className="row-actions">
              <CardStateTag state={card.state} />
              {card.state_reason && <span>{card.state_reason}</span>}
            </span>,
          ],
          [
            t('program'),
            <Named
              key="program"
              kind="programs"
              id={card.program}
              to={`/programs/${card.program}`}
            />,
          ],
          ['ID', <Id key="id" id={card.id} />],
          [t('member'), card.member ?? undefined],
          [
            t('face_value'),
            card.face_value != null ? money(card.face_value, card.currency, exponent) : undefined,
          ],
          [t('activated_at'), card.activated_at ? <Moment at={card.activated_at} /> : undefined],
          [
            t('expires_at'),
            card.expires_at ? (
              <Moment at={card.expires_at} />
            ) : card.activated_at ? (
              t('never')
            ) : undefined,
          ],
          [t('created_at'), <Moment key="created" at={card.created_at} />],
          [
            t('batch'),
            card.batch ? <Id id={card.batch} to={`/batches/${card.batch}`} /> : undefined,
          ],
          [
            t('replaced_by'),
            card.replaced_by ? (
              <Id id={card.replaced_by} to={`/cards/${card.replaced_by}`} />
            ) : undefined,
          ],
        ]}
      />
    </Panel>
  );
}

function Evidence({ card }: { card: Card }) {
  const { t } = useTranslation('cards');
  return (
    <ActionButton
      icon={<DownloadOutlined />}
      title={t('evidence')}
      consequence={<p>{t('evidence_consequence')}</p>}
      run={() => download(`/v1/cards/${card.id}/evidence`, `evidence-${card.id}.ndjson`)}
    >
      {t('evidence')}
    </ActionButton>
  );
}

function Actions({
  card,
  program,
  onOpen,
}: {
  card: Card;
  program?: Program;
  onOpen: (action: Action) => void;
}) {
  const { t } = useTranslation('cards');
  const { permissions } = useSession();
  const mayExport = useCan('evidence');
  const actions = actionsFor(card, program, permissions);
  return (
    <div className="actions" role="group" aria-label={t('actions_label')}>
      {actions.map((action, index) => (
        <Button
          key={action}
          type={index === 0 && !RULES[action].final ? 'primary' : 'default'}
          danger={RULES[action].final}
          onClick={() => onOpen(action)}
        >
          {t(`actions.${action}.name`)}
        </Button>
      ))}
      {mayExport && <Evidence card={card} />}
    </div>
  );
}

function Shown({ detail }: { detail: Detail }) {
  const { t } = useTranslation('cards');
  const queries = useQueryClient();
  const mayRead = useCan('catalog_read');
  const [action, setAction] = useState<Action>();
  const { card, lots, holds } = detail;
  const program = api.useQuery(
    'get',
    '/v1/programs/{id}',
    { params: { path: { id: card.program } } },
    { enabled: mayRead, staleTime: 60_000 },
  ).data;
  const exponent = program?.currency_exponent ?? currencyExponent(card.currency);
  const changed = () => {
    setAction(undefined);
    void queries.invalidateQueries({ queryKey: ['get', '/v1/cards/{id}'] });
    void queries.invalidateQueries({ queryKey: ['cards', card.id] });
  };
  const close = () => {
    // An answer that never came may have changed the card: look again.
    changed();
  };
  const written = { currency: card.currency, exponent };
  return (
    <>
      {card.pin_locked && <Alert type="warning" showIcon title={t('pin_locked')} />}
      <Actions card={card} program={program} onOpen={setAction} />
      <div className="card-top">
        <Balance card={card} exponent={exponent} />
        <About card={card} exponent={exponent} />
      </div>
      <Panel title={t('lots')}>
        <Lots lots={lots} {...written} />
      </Panel>
      <Panel title={t('holds')}>
        <Holds holds={holds} {...written} />
      </Panel>
      <Panel title={t('timeline')}>
        <Timeline card={card.id} {...written} onDone={changed} />
      </Panel>
      {action === 'holder_refund' && (
        <HolderRefund card={card} exponent={exponent} onClose={close} onDone={changed} />
      )}
      {action && action !== 'holder_refund' && (
        <ActionDialog
          key={action}
          action={action}
          card={card}
          program={program}
          exponent={exponent}
          onClose={close}
          onDone={changed}
        />
      )}
    </>
  );
}

export function Component() {
  const { t } = useTranslation('cards');
  const { id = '' } = useParams();
  const query = api.useQuery('get', '/v1/cards/{id}', { params: { path: { id } } });
  return (
    <Page
      title={query.data ? t('card_title', { last4: query.data.card.last4 }) : t('card')}
      above={<Link to="/cards">← {t('back')}</Link>}
    >
      <Loaded query={query}>{(detail) => <Shown key={detail.card.id} detail={detail} />}</Loaded>
    </Page>
  );
}
