// What an address may make the log-in do.

/** `?to=` may come from anybody: another site, or a scheme, is not followed. */
export function safePath(to: string | null): string {
  return to && /^\/(?![/\\])/.test(to) ? to : '/dashboard';
}

/** The token of an invitation: `#token=abc` or `#abc`. */
export function tokenOf(hash: string): string {
  const text = hash.replace(/^#/, '');
  return new URLSearchParams(text).get('token') ?? text;
}
