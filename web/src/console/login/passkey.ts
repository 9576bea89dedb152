// WebAuthn between the server's JSON and the browser's binary fields.
import type { components } from '@/api/schema';

type Schemas = components['schemas'];
type CreationOptions = Schemas['PasskeyCreation']['options'];
type RequestOptions = Schemas['PasskeyChallenge']['options'];
type Attestation = Schemas['PasskeyAttestationRequest'];
type Assertion = Schemas['PasskeyAssertionRequest'];

/** The person turned the browser's question down, or let it pass. */
export const wasDeclined = (error: unknown) =>
  error instanceof DOMException && ['NotAllowedError', 'AbortError'].includes(error.name);

/** The browser's authenticator has one of the account's passkeys already. */
export const wasThere = (error: unknown) =>
  error instanceof DOMException && error.name === 'InvalidStateError';

export function fromBase64url(text: string): ArrayBuffer {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0)).buffer;
}

export function toBase64url(bytes: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const withBinaryIds = (list: { type: 'public-key'; id: string }[]) =>
  list.map((entry) => ({ ...entry, id: fromBase64url(entry.id) }));

/** Asks for a passkey at log-in; the answer is ready to be sent. */
export async function askPasskey(options: RequestOptions): Promise<Assertion> {
  const credential = (await navigator.credentials.get({
    publicKey: {
      ...options,
      userVerification: options.userVerification as UserVerificationRequirement,
      challenge: fromBase64url(options.challenge),
      allowCredentials: withBinaryIds(options.allowCredentials),
    },
  })) as PublicKeyCredential | null;
  if (!credential) throw new DOMException('no passkey', 'NotAllowedError');
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    id: credential.id,
    type: 'public-key',
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      authenticatorData: toBase64url(response.authenticatorData),
      signature: toBase64url(response.signature),
      ...(response.userHandle?.byteLength && { userHandle: toBase64url(response.userHandle) }),
    },
  };
}

/** Makes a new passkey. */
export async function makePasskey(options: CreationOptions): Promise<Attestation> {
  const credential = (await navigator.credentials.create({
    publicKey: {
      ...options,
      attestation: options.attestation as AttestationConveyancePreference,
      authenticatorSelection: {
        residentKey: options.authenticatorSelection.residentKey as ResidentKeyRequirement,
        userVerification: options.authenticatorSelection
          .userVerification as UserVerificationRequirement,
      },
      challenge: fromBase64url(options.challenge),
      user: { ...options.user, id: fromBase64url(options.user.id) },
      excludeCredentials: withBinaryIds(options.excludeCredentials),
    },
  })) as PublicKeyCredential | null;
  if (!credential) throw new DOMException('no passkey', 'NotAllowedError');
  const response = credential.response as AuthenticatorAttestationResponse;
  return {
    id: credential.id,
    type: 'public-key',
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      attestationObject: toBase64url(response.attestationObject),
    },
  };
}
