import { CheckSquareOutlined } from '@ant-design/icons';
import type { Section } from '../section';
import { WaitingBadge } from './WaitingBadge';

const SEES = [
  'approve_issue',
  'approve_adjust',
  'approve_refund',
  'approve_terms',
  'payouts_approve',
  'reconciliation_approve',
  'cards_issue',
  'adjust',
  'refund_unlinked',
  'settlement_write',
] as const;

export default {
  menu: [
    {
      path: '/approvals',
      label: 'approvals',
      icon: <CheckSquareOutlined />,
      group: 'overview',
      order: 20,
      anyOf: SEES,
      badge: WaitingBadge,
    },
  ],
  routes: [
    { path: 'approvals', lazy: () => import('./InboxPage'), anyOf: SEES },
    { path: 'approvals/:id', lazy: () => import('./InboxPage'), anyOf: SEES },
  ],
  opens: { apr: '/approvals/' },
} satisfies Section;
