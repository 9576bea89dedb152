// Whether the window is as narrow as a phone: lists are then stacked and the menu is a drawer.
import { useSyncExternalStore } from 'react';

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    () => matchMedia(query).matches,
  );
}

export const useNarrow = () => useMedia('(max-width: 639px)');
export const useDrawerMenu = () => useMedia('(max-width: 959px)');
