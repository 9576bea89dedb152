// What may be done with a card, by its state, its program and the person's permissions. It only keeps the page
// tidy: the server decides.
import type { components } from '@/api/schema';
import type { Permission } from '@/shared/session';

export type Card = components['schemas']['Card'];
export type Program = components['schemas']['Program'];

export const ACTIONS = [
  'activate',
  'load',
  'bind',
  'unfreeze',
  'freeze',
  'report_lost',
  'replace',
  'adjust',
  'reactivate',
  'exchange',
  'holder_refund',
  'close',
] as const;
export type Action = (typeof ACTIONS)[number];

interface Rule {
  scope: Permission;
  states: readonly Card['state'][];
  /** Whether the card and its program allow it; the program is unknown to who may not read it. */
  when?: (card: Card, program: Program | undefined) => boolean;
  /** Whether it cannot be undone. */
  final?: boolean;
}

const IN_USE = ['active', 'frozen'] as const;

export const RULES: Record<Action, Rule> = {
  activate: { scope: 'load', states: ['stocked'] },
  load: {
    scope: 'load',
    states: ['active'],
    when: (_, program) => program?.rules.reloadable !== false,
  },
  bind: { scope: 'cards_manage', states: ['stocked', ...IN_USE], when: (card) => !card.member },
  unfreeze: {
    scope: 'cards_manage',
    states: ['frozen', 'active'],
    when: (card) => card.state === 'frozen' || card.pin_locked,
  },
  freeze: { scope: 'cards_manage', states: ['active'] },
  report_lost: {
    scope: 'cards_manage',
    states: IN_USE,
    when: (_, program) => program?.rules.registered !== false,
    final: true,
  },
  replace: { scope: 'cards_manage', states: [...IN_USE, 'lost'], final: true },
  adjust: { scope: 'adjust', states: IN_USE },
  reactivate: {
    scope: 'adjust',
    states: ['expired'],
    when: (_, program) => program?.rules.residual !== 'exchange',
  },
  exchange: {
    scope: 'adjust',
    states: ['expired'],
    when: (_, program) => program?.rules.residual !== 'reactivate',
    final: true,
  },
  holder_refund: {
    scope: 'holder_refund',
    states: [...IN_USE, 'expired', 'lost'],
    when: (_, program) => program === undefined || Boolean(program.rules.policy_pack),
    final: true,
  },
  close: {
    scope: 'cards_manage',
    states: ['stocked', 'active', 'frozen', 'expired'],
    when: (card) => card.balance === 0 && card.held === 0,
    final: true,
  },
};

export function actionsFor(
  card: Card,
  program: Program | undefined,
  permissions: readonly string[],
): Action[] {
  return ACTIONS.filter((action) => {
    const { scope, states, when } = RULES[action];
    return (
      permissions.includes(scope) && states.includes(card.state) && (when?.(card, program) ?? true)
    );
  });
}
