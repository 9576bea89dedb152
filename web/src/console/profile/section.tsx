import type { Section } from '../section';

export default {
  menu: [],
  routes: [{ path: 'profile', lazy: () => import('./ProfilePage') }],
} satisfies Section;
