// Merchants by name: lists carry ids, people know names. The first pages of the catalog are kept for the select
// and for names; a merchant beyond them is read by itself when its row is shown.
import { Select } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { useCan, useSession } from './session';

const PAGE = 200;
const MOST = 1_000;
const FRESH_MS = 5 * 60_000;

interface Named {
  id: string;
  name: string;
}

async function readMerchants(signal: AbortSignal): Promise<Named[]> {
  const found: Named[] = [];
  let cursor: string | undefined;
  do {
    const page = await unwrap(
      client.GET('/v1/merchants', { params: { query: { limit: PAGE, cursor } }, signal }),
    );
    found.push(...page.items.map(({ id, name }) => ({ id, name })));
    cursor = page.next_cursor ?? undefined;
  } while (cursor && found.length < MOST);
  return found;
}

function useMerchants(enabled: boolean) {
  return useQuery({
    queryKey: ['merchant-names'],
    queryFn: ({ signal }) => readMerchants(signal),
    staleTime: FRESH_MS,
    enabled,
  });
}

/** The name of a merchant; its id where the name may not be read or is not there yet. */
export function MerchantName({ id }: { id: string }) {
  const { merchant: own } = useSession();
  const allowed = useCan('catalog_read') && own?.id !== id;
  const all = useMerchants(allowed);
  const listed = all.data?.find((merchant) => merchant.id === id);
  const beyond = useQuery({
    queryKey: ['merchant-name', id],
    queryFn: ({ signal }) =>
      unwrap(client.GET('/v1/merchants/{id}', { params: { path: { id } }, signal })),
    staleTime: FRESH_MS,
    enabled: allowed && all.data !== undefined && !listed,
  });
  const name = own?.id === id ? own.name : (listed?.name ?? beyond.data?.name);
  return name ? <span title={id}>{name}</span> : <code>{id}</code>;
}

interface SelectProps {
  id?: string;
  value?: string;
  onChange?: (merchant: string | undefined) => void;
  allowClear?: boolean;
  placeholder?: string;
  'aria-label'?: string;
}

/** Chooses a merchant by its name. Nothing for people who are bound to one: they have no choice. */
export function MerchantSelect(props: SelectProps) {
  const { t } = useTranslation();
  const all = useMerchants(true);
  return (
    <Select
      placeholder={t('merchant.any')}
      {...props}
      showSearch={{ optionFilterProp: 'label' }}
      loading={all.isPending}
      options={all.data?.map(({ id, name }) => ({ value: id, label: name }))}
      style={{ minWidth: 200 }}
      notFoundContent={t('merchant.none')}
    />
  );
}
