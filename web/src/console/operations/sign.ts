// Whether an operation brought value onto a card or took it off, as the card's holder sees it.
import type { components } from '@/api/schema';

export type Operation = components['schemas']['Operation'];
export type Sign = '+' | '-' | '';

const ONTO: readonly Operation['kind'][] = [
  'activation',
  'load',
  'refund',
  'unlinked_refund',
  'reactivation',
];
const OFF: readonly Operation['kind'][] = [
  'redemption',
  'capture',
  'cash_out',
  'expiry',
  'holder_refund',
];
const ACROSS: readonly Operation['kind'][] = ['transfer', 'merge', 'replacement', 'exchange'];

export function signOn(operation: Operation, card: string): Sign {
  const { kind } = operation;
  if (ONTO.includes(kind)) return '+';
  if (OFF.includes(kind)) return '-';
  if (ACROSS.includes(kind)) return operation.to?.id === card ? '+' : '-';
  if (kind === 'adjustment') return operation.direction === 'debit' ? '-' : '+';
  // A reversal turns round what its original did; holds and states move no value.
  return '';
}

/** The card as the operation left it. */
export function afterOn(operation: Operation, card: string) {
  return operation.to?.id === card
    ? operation.to
    : operation.card?.id === card
      ? operation.card
      : undefined;
}

/** What can be given back with a refund. */
export function refundable(operation: Operation): boolean {
  return (
    operation.status === 'approved' &&
    (operation.kind === 'redemption' || operation.kind === 'capture')
  );
}
