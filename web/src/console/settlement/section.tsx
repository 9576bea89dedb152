import {
  AuditOutlined,
  BankOutlined,
  CalendarOutlined,
  FileDoneOutlined,
  SendOutlined,
} from '@ant-design/icons';
import type { Section } from '../section';

const READ = ['settlement_read'] as const;

export default {
  menu: [
    {
      path: '/statements',
      label: 'statements',
      icon: <FileDoneOutlined />,
      group: 'finance',
      order: 10,
      anyOf: READ,
    },
    {
      path: '/payouts',
      label: 'payouts',
      icon: <SendOutlined />,
      group: 'finance',
      order: 20,
      anyOf: READ,
    },
    {
      path: '/agreements',
      label: 'agreements',
      icon: <AuditOutlined />,
      group: 'merchants',
      order: 50,
      anyOf: READ,
    },
    {
      path: '/payees',
      label: 'payees',
      icon: <BankOutlined />,
      group: 'merchants',
      order: 60,
      anyOf: READ,
    },
    {
      path: '/calendar',
      label: 'calendar',
      icon: <CalendarOutlined />,
      group: 'merchants',
      order: 70,
      anyOf: READ,
    },
  ],
  routes: [
    { path: 'statements', lazy: () => import('./StatementsPage'), anyOf: READ },
    { path: 'statements/:id', lazy: () => import('./StatementPage'), anyOf: READ },
    { path: 'payouts', lazy: () => import('./PayoutsPage'), anyOf: READ },
    { path: 'agreements', lazy: () => import('./AgreementsPage'), anyOf: READ },
    { path: 'payees', lazy: () => import('./PayeesPage'), anyOf: READ },
    { path: 'calendar', lazy: () => import('./CalendarPage'), anyOf: READ },
  ],
  opens: { st: '/statements/' },
} satisfies Section;
