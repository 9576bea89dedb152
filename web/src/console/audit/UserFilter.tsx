// Chooses a user by name.
import { useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';

export function UserFilter(props: {
  value?: string;
  onChange: (user: string | undefined) => void;
}) {
  const { t } = useTranslation('audit');
  const users = useQuery({
    queryKey: ['users', 'names'],
    queryFn: ({ signal }) =>
      unwrap(client.GET('/v1/users', { params: { query: { limit: 200 } }, signal })),
    staleTime: 60_000,
  });
  return (
    <label>
      {t('user')}
      <Select
        {...props}
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        loading={users.isLoading}
        options={users.data?.items.map(({ id, name }) => ({ value: id, label: name }))}
        style={{ minWidth: 160 }}
      />
    </label>
  );
}
