import { CreditCardOutlined } from '@ant-design/icons';
import type { Section } from '../section';

const READ = ['cards_read'] as const;

export default {
  menu: [
    {
      path: '/cards',
      label: 'cards',
      icon: <CreditCardOutlined />,
      group: 'cards',
      order: 10,
      anyOf: READ,
    },
  ],
  routes: [
    { path: 'cards', lazy: () => import('./CardsPage'), anyOf: READ },
    { path: 'cards/:id', lazy: () => import('./CardPage'), anyOf: READ },
  ],
  opens: { card: '/cards/' },
} satisfies Section;
