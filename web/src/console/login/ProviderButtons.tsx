// Buttons of the companies that can say who somebody is. `?issuer=` in the address names whose; without it the server
// says what everybody may see. Nothing is shown while that is not known: a password works in any case.
import { useMutation, useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { ErrorBox } from '@/shared/ErrorBox';

export default function ProviderButtons({ issuer }: { issuer: string | null }) {
  const { t } = useTranslation('login');
  const options = useQuery({
    queryKey: ['sign-in-options', issuer],
    retry: false,
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/v1/sign-in-options', { params: { query: issuer ? { issuer } : {} }, signal }),
      ),
  });
  const go = useMutation({
    mutationFn: (provider: string) =>
      unwrap(client.POST('/v1/sessions/openid', { body: { provider } })),
    onSuccess: ({ authorize_url }) => location.assign(authorize_url),
  });
  const providers = options.data?.identity_providers ?? [];
  if (providers.length === 0) return null;
  return (
    <div className="login-providers">
      <p className="login-or">{t('or')}</p>
      {go.error && <ErrorBox error={go.error} />}
      {providers.map(({ provider, name }) => (
        <Button
          key={provider}
          block
          loading={go.isPending && go.variables === provider}
          disabled={go.isSuccess}
          onClick={() => go.mutate(provider)}
        >
          {t('by_provider', { name })}
        </Button>
      ))}
    </div>
  );
}
