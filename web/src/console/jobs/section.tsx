import { ClockCircleOutlined } from '@ant-design/icons';
import type { Section } from '../section';

export default {
  menu: [
    {
      path: '/jobs',
      label: 'jobs',
      icon: <ClockCircleOutlined />,
      group: 'admin',
      order: 40,
      anyOf: ['service_read'],
    },
  ],
  routes: [{ path: 'jobs', lazy: () => import('./JobsPage'), anyOf: ['service_read'] }],
} satisfies Section;
