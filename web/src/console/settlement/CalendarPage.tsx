// The working days that due dates are counted by: a year's listed days, which win over Monday to Friday.
import { Button, Table, Upload } from 'antd';
import { LeftOutlined, RightOutlined, UploadOutlined } from '@ant-design/icons';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQueryClient } from '@tanstack/react-query';
import { api, client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { ErrorBox } from '@/shared/ErrorBox';
import { Day } from '@/shared/format';
import { EmptyState, Loaded, Page } from '@/shared/page';
import { useCan, useSession } from '@/shared/session';
import { StatusTag } from '@/shared/StatusTag';

type Year = components['schemas']['CalendarYear'];

export function Component() {
  const { t } = useTranslation('settlement');
  const [year, setYear] = useState(() => new Date().getFullYear());
  const bound = useSession().merchant;
  const mayWrite = useCan('settlement_write') && !bound;
  const query = api.useQuery('get', '/v1/calendar-days', { params: { query: { year } } });
  return (
    <Page
      title={t('calendar.title')}
      lead={t('calendar.lead')}
      actions={
        <>
          <Button
            icon={<LeftOutlined />}
            aria-label={t('calendar.before')}
            onClick={() => setYear(year - 1)}
          />
          <strong aria-live="polite">{year}</strong>
          <Button
            icon={<RightOutlined />}
            aria-label={t('calendar.after')}
            onClick={() => setYear(year + 1)}
          />
          {mayWrite && <Import />}
        </>
      }
    >
      <Loaded query={query}>
        {(found) =>
          found.days.length === 0 ? (
            <EmptyState title={t('calendar.empty', { year })} hint={t('calendar.empty_hint')} />
          ) : (
            <Days year={found} />
          )
        }
      </Loaded>
    </Page>
  );
}

function Days({ year }: { year: Year }) {
  const { t } = useTranslation('settlement');
  return (
    <>
      <p>{year.imported ? t('calendar.imported') : t('calendar.built_in')}</p>
      <Table
        size="small"
        aria-label={t('calendar.title')}
        pagination={false}
        rowKey={(day) => day.date}
        dataSource={year.days}
        columns={[
          { title: t('day'), render: (_, day) => <Day date={day.date} /> },
          { title: t('calendar.name'), dataIndex: 'name' },
          {
            title: t('calendar.kind'),
            render: (_, day) => (
              <StatusTag tone={day.working ? 'neutral' : 'good'}>
                {t(day.working ? 'calendar.working' : 'calendar.free')}
              </StatusTag>
            ),
          },
        ]}
      />
    </>
  );
}

/** A file `{"year": 2027, "days": [{"date", "name", "working"}]}`; it replaces the year as a whole. */
function Import() {
  const { t } = useTranslation('settlement');
  const cache = useQueryClient();
  const [error, setError] = useState<unknown>();
  const take = async (file: File) => {
    setError(undefined);
    try {
      const body = JSON.parse(await file.text()) as Pick<Year, 'year' | 'days'>;
      await unwrap(client.PUT('/v1/calendar-days', { body }));
      await cache.invalidateQueries({ queryKey: ['get', '/v1/calendar-days'] });
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <>
      <Upload
        accept=".json,application/json"
        showUploadList={false}
        beforeUpload={(file) => {
          void take(file);
          return false;
        }}
      >
        <Button icon={<UploadOutlined />}>{t('calendar.import')}</Button>
      </Upload>
      {error !== undefined && <ErrorBox error={error} />}
    </>
  );
}
