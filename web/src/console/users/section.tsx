import { IdcardOutlined, SafetyOutlined, TeamOutlined } from '@ant-design/icons';
import type { Section } from '../section';

export default {
  menu: [
    {
      path: '/users',
      label: 'users',
      icon: <TeamOutlined />,
      group: 'admin',
      order: 10,
      anyOf: ['users'],
    },
    {
      path: '/roles',
      label: 'roles',
      icon: <SafetyOutlined />,
      group: 'admin',
      order: 20,
      anyOf: ['users'],
    },
    {
      path: '/identity-providers',
      label: 'identity_providers',
      icon: <IdcardOutlined />,
      group: 'admin',
      order: 25,
      anyOf: ['users'],
    },
  ],
  routes: [
    { path: 'identity-providers', lazy: () => import('./ProvidersPage'), anyOf: ['users'] },
    { path: 'users', lazy: () => import('./UsersPage'), anyOf: ['users'] },
    { path: 'users/:id', lazy: () => import('./UserPage'), anyOf: ['users'] },
    { path: 'roles', lazy: () => import('./RolesPage'), anyOf: ['users'] },
    { path: 'roles/:id', lazy: () => import('./RolePage'), anyOf: ['users'] },
  ],
  opens: { user: '/users/', role: '/roles/' },
} satisfies Section;
