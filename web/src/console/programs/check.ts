// What stands against rules, asked of the server while somebody writes: it alone knows the rules of rules and the
// law. Nothing is saved by asking.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import type { Rules } from './rules';

export type Finding = components['schemas']['ProgramFinding'];
export type Check = components['schemas']['ProgramCheck'];

const WRITING_MS = 400;

/** The value once it has not changed for a moment. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), WRITING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** `program`: the one that the rules would change. */
export function useCheck(currency: string, rules: Rules | undefined, program?: string) {
  const asked = useSettled(
    rules && JSON.stringify({ currency, rules, ...(program ? { program } : {}) }),
  );
  return useQuery({
    queryKey: ['program-check', asked],
    queryFn: ({ signal }) =>
      unwrap(client.POST('/v1/programs/check', { body: JSON.parse(asked!), signal })),
    enabled: asked !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

/** `/rules/denominations/amounts` → `denominations_amounts`: the key of its text. */
export function ruleKey(pointer: string | null | undefined): string {
  return (pointer ?? '').replace(/^\/rules\//, '').replaceAll('/', '_');
}

/** The form's field that a finding is about. Where a whole choice is wrong, its kind stands for it. */
export function fieldOf(pointer: string | null | undefined): string[] {
  const path = (pointer ?? '').split('/').slice(1);
  const last = path.at(-1);
  if (path.length === 2 && (last === 'validity' || last === 'denominations' || last === 'pin')) {
    return [...path, 'kind'];
  }
  if (path[1] === 'validity' && last === 'at') return ['rules', 'validity', 'last_day'];
  return path;
}

export function sameField(name: readonly (string | number)[], finding: Finding): boolean {
  return fieldOf(finding.pointer).join('/') === name.join('/');
}
