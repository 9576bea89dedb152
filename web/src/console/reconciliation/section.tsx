import { DiffOutlined } from '@ant-design/icons';
import type { Section } from '../section';

const READ = ['reconciliation_read'] as const;

export default {
  menu: [
    {
      path: '/reconciliation',
      label: 'reconciliation',
      icon: <DiffOutlined />,
      group: 'finance',
      order: 30,
      anyOf: READ,
    },
  ],
  routes: [
    { path: 'reconciliation', lazy: () => import('./WorkListPage'), anyOf: READ },
    { path: 'reconciliation/files', lazy: () => import('./FilesPage'), anyOf: READ },
    { path: 'reconciliation/files/:id', lazy: () => import('./FilePage'), anyOf: READ },
  ],
} satisfies Section;
