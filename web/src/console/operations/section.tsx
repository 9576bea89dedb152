import { UnorderedListOutlined } from '@ant-design/icons';
import type { Section } from '../section';

const READ = ['cards_read'] as const;

export default {
  menu: [
    {
      path: '/operations',
      label: 'operations',
      icon: <UnorderedListOutlined />,
      group: 'cards',
      order: 20,
      anyOf: READ,
    },
  ],
  routes: [
    { path: 'operations', lazy: () => import('./OperationsPage'), anyOf: READ },
    { path: 'operations/:id', lazy: () => import('./OperationPage'), anyOf: READ },
  ],
  opens: { op: '/operations/' },
} satisfies Section;
