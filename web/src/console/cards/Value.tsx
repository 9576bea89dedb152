// A card's value: what can be spent, where it came from, and what is set aside.
import { useTranslation } from 'react-i18next';
import type { components } from '@/api/schema';
import { Absent, Money, Moment } from '@/shared/format';
import { Facts, Panel } from '@/shared/page';
import { StatusTag, type Tone } from '@/shared/StatusTag';
import { Named } from '../catalog/Named';
import type { Card } from './actions';
import { SmallTable } from './SmallTable';

type Lot = components['schemas']['Lot'];
type Hold = components['schemas']['Hold'];
interface Written {
  currency: string;
  exponent: number;
}

export function Balance({ card, exponent }: { card: Card; exponent: number }) {
  const { t } = useTranslation('cards');
  const money = (amount: number) => (
    <Money amount={amount} currency={card.currency} exponent={exponent} />
  );
  return (
    <Panel>
      <p className="available">
        <span>{t('available')}</span>
        <strong>{money(card.available)}</strong>
      </p>
      <Facts
        rows={[
          [t('balance'), money(card.balance)],
          [t('held'), money(card.held)],
          [t('claimable'), card.claimable > 0 ? money(card.claimable) : undefined],
        ]}
      />
    </Panel>
  );
}

export function Lots({ lots, currency, exponent }: { lots: Lot[] } & Written) {
  const { t } = useTranslation('cards');
  const money = (amount: number) => (
    <Money amount={amount} currency={currency} exponent={exponent} />
  );
  if (lots.length === 0) return <p className="quiet">{t('lots_none')}</p>;
  return (
    <SmallTable<Lot>
      label={t('lots')}
      rows={lots}
      rowKey={(lot) => lot.no}
      columns={[
        { title: t('source'), render: (_, lot) => t(`sources.${lot.source}`) },
        { title: t('granted'), align: 'right', render: (_, lot) => money(lot.granted) },
        { title: t('remaining'), align: 'right', render: (_, lot) => money(lot.remaining) },
        {
          title: t('expired_of'),
          align: 'right',
          render: (_, lot) => (lot.expired > 0 ? money(lot.expired) : <Absent />),
        },
        {
          title: t('expires_at'),
          render: (_, lot) => (lot.expires_at ? <Moment at={lot.expires_at} /> : t('with_card')),
        },
        {
          title: t('funder'),
          render: (_, lot) =>
            lot.funder ? <Named kind="merchants" id={lot.funder} /> : <Absent />,
        },
      ]}
    />
  );
}

const HOLD_TONES: Record<Hold['status'], Tone> = {
  open: 'waiting',
  captured: 'good',
  released: 'neutral',
  expired: 'neutral',
};

export function Holds({ holds, currency, exponent }: { holds: Hold[] } & Written) {
  const { t } = useTranslation('cards');
  const money = (amount: number) => (
    <Money amount={amount} currency={currency} exponent={exponent} />
  );
  if (holds.length === 0) return <p className="quiet">{t('holds_none')}</p>;
  return (
    <SmallTable<Hold>
      label={t('holds')}
      rows={holds}
      rowKey={(hold) => hold.id}
      columns={[
        {
          title: t('state'),
          render: (_, hold) => (
            <StatusTag tone={HOLD_TONES[hold.status]}>{t(`hold_states.${hold.status}`)}</StatusTag>
          ),
        },
        { title: t('amount'), align: 'right', render: (_, hold) => money(hold.amount) },
        { title: t('remaining_held'), align: 'right', render: (_, hold) => money(hold.remaining) },
        { title: t('captured'), align: 'right', render: (_, hold) => money(hold.captured) },
        {
          title: t('merchant'),
          render: (_, hold) => <Named kind="merchants" id={hold.merchant} />,
        },
        { title: t('created_at'), render: (_, hold) => <Moment at={hold.created_at} /> },
        { title: t('until'), render: (_, hold) => <Moment at={hold.expires_at} /> },
      ]}
    />
  );
}
