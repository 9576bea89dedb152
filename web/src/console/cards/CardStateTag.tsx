// Where a card is in its life.
import { useTranslation } from 'react-i18next';
import { StatusTag, type Tone } from '@/shared/StatusTag';
import type { Card } from './actions';

const TONES: Record<Card['state'], Tone> = {
  stocked: 'neutral',
  active: 'good',
  frozen: 'waiting',
  lost: 'bad',
  expired: 'bad',
  closed: 'neutral',
};

export function CardStateTag({ state }: { state: Card['state'] }) {
  const { t } = useTranslation('cards');
  return <StatusTag tone={TONES[state]}>{t(`states.${state}`)}</StatusTag>;
}
