// Where passkeys are good. Pages speak of them only where the server has them for the page's own origin: browsers have
// none at bare addresses such as 127.0.0.1.
import { useQuery } from '@tanstack/react-query';
import { client, unwrap } from '@/api/client';

export interface PasskeyPlace {
  /** Whether passkeys are good on this page. */
  here: boolean;
  /** Where they are good instead. */
  elsewhere?: string;
}

/** Whether this page has passkeys; nothing until the server has said so. */
export function usePasskeyPlace(): PasskeyPlace | undefined {
  const { data } = useQuery({
    queryKey: ['passkey-origins'],
    queryFn: ({ signal }) => unwrap(client.GET('/v1/passkey-origins', { signal })),
    staleTime: Infinity,
    retry: false,
  });
  if (!data) return undefined;
  const works = typeof PublicKeyCredential === 'function' && isSecureContext;
  return {
    here: works && data.origins.includes(location.origin),
    elsewhere: data.origins.find((origin) => origin !== location.origin),
  };
}
