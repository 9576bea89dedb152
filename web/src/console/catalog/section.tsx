import { ApiOutlined, LaptopOutlined, ShopOutlined, TeamOutlined } from '@ant-design/icons';
import type { Section } from '../section';

const READ = ['catalog_read'] as const;
const CLIENTS = ['clients', 'platform'] as const;

export default {
  menu: [
    {
      path: '/merchants',
      label: 'merchants',
      icon: <TeamOutlined />,
      group: 'merchants',
      order: 10,
      anyOf: READ,
    },
    {
      path: '/stores',
      label: 'stores',
      icon: <ShopOutlined />,
      group: 'merchants',
      order: 20,
      anyOf: READ,
    },
    {
      path: '/terminals',
      label: 'terminals',
      icon: <LaptopOutlined />,
      group: 'merchants',
      order: 30,
      anyOf: READ,
    },
    {
      path: '/clients',
      label: 'clients',
      icon: <ApiOutlined />,
      group: 'admin',
      order: 25,
      anyOf: CLIENTS,
    },
  ],
  routes: [
    { path: 'merchants', lazy: () => import('./MerchantsPage'), anyOf: READ },
    { path: 'stores', lazy: () => import('./StoresPage'), anyOf: READ },
    { path: 'terminals', lazy: () => import('./TerminalsPage'), anyOf: READ },
    { path: 'clients', lazy: () => import('./ClientsPage'), anyOf: CLIENTS },
  ],
} satisfies Section;
