import { ProfileOutlined } from '@ant-design/icons';
import type { Section } from '../section';

const READ = ['catalog_read'] as const;
const WRITE = ['catalog_write'] as const;

export default {
  menu: [
    {
      path: '/programs',
      label: 'programs',
      icon: <ProfileOutlined />,
      group: 'cards',
      order: 30,
      anyOf: READ,
    },
  ],
  routes: [
    { path: 'programs', lazy: () => import('./ProgramsPage'), anyOf: READ },
    { path: 'programs/new', lazy: () => import('./NewProgramPage'), anyOf: WRITE },
    { path: 'programs/:id', lazy: () => import('./ProgramPage'), anyOf: READ },
  ],
  opens: { prog: '/programs/' },
} satisfies Section;
