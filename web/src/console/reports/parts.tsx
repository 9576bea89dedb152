// What all reports share: the period they are about, their download, and tables of figures.
import { Button } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { DateFilter } from '@/shared/DateField';
import { ErrorBox } from '@/shared/ErrorBox';
import { download, withQuery } from '@/shared/download';
import { useTimeZone } from '@/shared/session';
import { dayOf } from '@/shared/time';
import { PackButton, usePacks, useTitle } from '../programs/Packs';

export interface Period {
  from: string;
  to: string;
}

/** From the first of this month to today. */
export function usePeriod(): [Period, (period: Period) => void] {
  const today = dayOf(new Date(), useTimeZone());
  return useState<Period>({ from: `${today.slice(0, 8)}01`, to: today });
}

export function PeriodFields({
  period,
  onChange,
}: {
  period: Period;
  onChange: (period: Period) => void;
}) {
  const { t } = useTranslation('reports');
  const field = (name: keyof Period) => (
    <DateFilter
      label={t(name)}
      needed
      value={period[name]}
      onChange={(day) => day && onChange({ ...period, [name]: day })}
    />
  );
  return (
    <>
      {field('from')}
      {field('to')}
    </>
  );
}

/** The same report as a file for the books. */
export function CsvButton({
  path,
  query,
}: {
  path: string;
  query: Record<string, string | undefined>;
}) {
  const [error, setError] = useState<unknown>();
  const name = `${path.split('/').at(-1)}.csv`;
  const run = async () => {
    setError(undefined);
    try {
      await download(withQuery(path, { ...query, format: 'csv' }), name);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <>
      <Button icon={<DownloadOutlined />} onClick={() => void run()}>
        CSV
      </Button>
      {error !== undefined && <ErrorBox error={error} />}
    </>
  );
}

/** A program by its name. */
export function ProgramName({ id }: { id: string | null | undefined }) {
  const { t } = useTranslation('reports');
  const query = api.useQuery(
    'get',
    '/v1/programs',
    { params: { query: { limit: 200 } } },
    { staleTime: 300_000, enabled: Boolean(id) },
  );
  if (!id) return t('no_program');
  const name = query.data?.items.find((program) => program.id === id)?.name;
  return name ? <span title={id}>{name}</span> : <code>{id}</code>;
}

/** The rules that a report follows, "cn-single-purpose 2012-11-01", by their title, and a look at them. */
export function RulesName({ rules }: { rules: string }) {
  const { t } = useTranslation('reports');
  const titleIn = useTitle();
  const packs = usePacks();
  const [id = '', version = ''] = rules.split(' ');
  const title = packs.data?.items.find((pack) => pack.id === id)?.title;
  if (!title) return rules;
  return (
    <>
      {titleIn(title)} · {t('rules_version', { version })} <PackButton id={id} />
    </>
  );
}

export function Controls({ children }: { children: ReactNode }) {
  return <div className="filters">{children}</div>;
}

interface Answer<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

/** A report asked for as JSON: the description allows CSV as well, which is text. */
export function asJson<T>(query: Answer<T>): Answer<Exclude<T, string>> {
  return query as Answer<Exclude<T, string>>;
}
