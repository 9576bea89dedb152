import { DashboardOutlined } from '@ant-design/icons';
import type { Section } from '../section';

export default {
  menu: [
    {
      path: '/dashboard',
      label: 'dashboard',
      icon: <DashboardOutlined />,
      group: 'overview',
      order: 10,
      anyOf: [],
    },
  ],
  routes: [{ path: 'dashboard', lazy: () => import('./DashboardPage'), plain: true }],
} satisfies Section;
