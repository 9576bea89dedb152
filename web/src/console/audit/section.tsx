import { FileSearchOutlined } from '@ant-design/icons';
import type { Section } from '../section';

export default {
  menu: [
    {
      path: '/audit',
      label: 'audit',
      icon: <FileSearchOutlined />,
      group: 'admin',
      order: 30,
      anyOf: ['audit_read'],
    },
  ],
  routes: [{ path: 'audit', lazy: () => import('./AuditPage'), anyOf: ['audit_read'] }],
} satisfies Section;
