// What the address says of somebody who came back from an identity provider.
import type { LoginAnswer } from '@/api/pending';

const TURNED_AWAY = ['not_linked', 'provider_refused', 'expired', 'unreachable', 'failed'] as const;

export interface CameBack {
  /** Why he was not let in. */
  turnedAway?: (typeof TURNED_AWAY)[number];
  /** What is still asked of him. */
  begun?: LoginAnswer;
}

/** Whoever has logged in since did not come back just now. */
export function forgetCameBack() {
  const address = new URL(location.href);
  address.searchParams.delete('sign_in');
  address.searchParams.delete('factors');
  history.replaceState(history.state, '', address);
}

/** Anybody can write an address: only what is known counts, and the server asks all the same. */
export function cameBack(params: URLSearchParams): CameBack {
  const said = params.get('sign_in');
  const turnedAway = TURNED_AWAY.find((why) => why === said);
  if (turnedAway) return { turnedAway };
  if (said !== 'second_factor_needed' && said !== 'second_factor_enrolment_needed') return {};
  const named = (params.get('factors') ?? '').split('.');
  const factors = (['totp', 'passkey'] as const).filter((factor) => named.includes(factor));
  // The page has no token yet; while signing in, the browser's word for where a request comes from will do.
  return { begun: { status: said, second_factors: [...factors, 'recovery_code'], csrf_token: '' } };
}
