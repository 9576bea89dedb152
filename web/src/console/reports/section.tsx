import { BarChartOutlined, BookOutlined } from '@ant-design/icons';
import type { Section } from '../section';

export default {
  menu: [
    {
      path: '/reports',
      label: 'reports',
      icon: <BarChartOutlined />,
      group: 'finance',
      order: 40,
      anyOf: ['accounting_read'],
    },
    {
      path: '/ledger',
      label: 'ledger',
      icon: <BookOutlined />,
      group: 'finance',
      order: 50,
      anyOf: ['ledger_read'],
    },
  ],
  routes: [
    { path: 'reports', lazy: () => import('./ReportsPage'), anyOf: ['accounting_read'] },
    { path: 'reports/:report', lazy: () => import('./ReportsPage'), anyOf: ['accounting_read'] },
    { path: 'ledger', lazy: () => import('./TrialBalancePage'), anyOf: ['ledger_read'] },
  ],
} satisfies Section;
