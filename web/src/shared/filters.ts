// Filters of a list live in the address, so that a view can be bookmarked, shared and come back to. Card
// numbers and names never belong there: look a card up by a request's body instead.
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';

export type Filters<K extends string> = Partial<Record<K, string>>;

/** `const [filters, setFilters] = useFilters(['status', 'merchant'])`. An empty value removes the filter. */
export function useFilters<K extends string>(
  names: readonly K[],
): [Filters<K>, (change: Filters<K>) => void] {
  const [params, setParams] = useSearchParams();
  const joined = names.join();
  const filters = useMemo(() => {
    const found: Filters<K> = {};
    for (const name of joined.split(',') as K[]) {
      const value = params.get(name);
      if (value) found[name] = value;
    }
    return found;
  }, [params, joined]);
  const change = useCallback(
    (changed: Filters<K>) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changed) as [K, string | undefined][]) {
            if (value) after.set(name, value);
            else after.delete(name);
          }
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [filters, change];
}
