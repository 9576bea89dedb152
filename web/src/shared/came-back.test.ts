import { expect, test } from 'vitest';
import { cameBack } from './came-back';

test('only what is known of an address counts', () => {
  const of = (query: string) => cameBack(new URLSearchParams(query));
  expect(of('')).toEqual({});
  expect(of('sign_in=complete')).toEqual({});
  expect(of('sign_in=%3Cscript%3E')).toEqual({});
  expect(of('sign_in=not_linked')).toEqual({ turnedAway: 'not_linked' });
  expect(of('sign_in=second_factor_needed&factors=totp.other')).toEqual({
    begun: {
      status: 'second_factor_needed',
      second_factors: ['totp', 'recovery_code'],
      csrf_token: '',
    },
  });
  expect(of('sign_in=second_factor_enrolment_needed').begun?.status).toBe(
    'second_factor_enrolment_needed',
  );
});
