// Errors as the server words them (RFC 9457). The code is what the console builds on; texts come from the
// locale `errors`, and from the server where a code has no text yet.
import type { components } from './schema';

export type Problem = components['schemas']['Problem'];

/** The problem in an error thrown by `api` or `unwrap`; undefined if the network or the page failed. */
export function asProblem(error: unknown): Problem | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && 'status' in error) {
    return error as Problem;
  }
  return undefined;
}

/** `/rules/balance_cap` → `['rules', 'balance_cap']`: the name of the form field that is wrong. */
export function pointerToName(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Whether sending the same request once more can help. */
export function isTransient(error: unknown): boolean {
  const problem = asProblem(error);
  return problem ? [429, 503, 504].includes(problem.status) : error instanceof TypeError;
}
