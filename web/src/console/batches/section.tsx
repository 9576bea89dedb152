import { InboxOutlined } from '@ant-design/icons';
import type { Section } from '../section';

const ISSUE = ['cards_issue'] as const;

export default {
  menu: [
    {
      path: '/batches',
      label: 'batches',
      icon: <InboxOutlined />,
      group: 'cards',
      order: 40,
      anyOf: ISSUE,
    },
  ],
  routes: [
    { path: 'batches', lazy: () => import('./BatchesPage'), anyOf: ISSUE },
    { path: 'batches/:id', lazy: () => import('./BatchPage'), anyOf: ISSUE },
  ],
  opens: { batch: '/batches/' },
} satisfies Section;
