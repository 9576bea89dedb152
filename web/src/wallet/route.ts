// The wallet's addresses: few enough that the browser's history is all they need.
import { useSyncExternalStore, type MouseEvent } from 'react';

export type Route =
  | { page: 'home' }
  | { page: 'add' }
  | { page: 'gifts' }
  | { page: 'card'; card: string }
  | { page: 'pay'; card: string };

export function routeOf(path: string): Route {
  const [, , first, card, last] = path.split('/');
  if (first === 'add') return { page: 'add' };
  if (first === 'gifts') return { page: 'gifts' };
  if (first === 'cards' && card)
    return last === 'pay' ? { page: 'pay', card } : { page: 'card', card };
  return { page: 'home' };
}

export const paths = {
  home: '/wallet',
  add: '/wallet/add',
  gifts: '/wallet/gifts',
  card: (card: string) => `/wallet/cards/${card}`,
  pay: (card: string) => `/wallet/cards/${card}/pay`,
};

const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());

function subscribe(listener: () => void) {
  listeners.add(listener);
  addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('popstate', listener);
  };
}

export function go(path: string, replace = false) {
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  scrollTo(0, 0);
  tell();
}

/** For links: stays on the page, unless a new tab is wanted. */
export function follow(event: MouseEvent<HTMLAnchorElement>) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(event.currentTarget.pathname);
}

export const useRoute = (): Route =>
  routeOf(useSyncExternalStore(subscribe, () => location.pathname));
