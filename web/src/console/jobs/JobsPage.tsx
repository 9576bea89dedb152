// How the service is: its parts, and its jobs with what they last did. Asked again every ten seconds.
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { Absent, Count, Moment } from '@/shared/format';
import { Facts, Loaded, Page, Panel } from '@/shared/page';
import { ScrollTable } from '@/shared/ScrollTable';
import { StatusTag, type Tone } from '@/shared/StatusTag';

type Job = components['schemas']['Job'];
type ServiceHealth = components['schemas']['ServiceHealth'];

const EVERY_MS = 10_000;

export function Component() {
  const { t } = useTranslation('jobs');
  const health = useQuery({
    queryKey: ['service', 'health'],
    queryFn: ({ signal }) => unwrap(client.GET('/v1/service/health', { signal })),
    refetchInterval: EVERY_MS,
  });
  const jobs = useQuery({
    queryKey: ['service', 'jobs'],
    queryFn: ({ signal }) => unwrap(client.GET('/v1/service/jobs', { signal })),
    refetchInterval: EVERY_MS,
  });
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Panel title={t('health')}>
        <Loaded query={health}>{(data) => <Health health={data} />}</Loaded>
      </Panel>
      <Panel title={t('jobs')}>
        <Loaded query={jobs}>{({ items }) => <Jobs jobs={items} />}</Loaded>
      </Panel>
    </Page>
  );
}

const PART_TONES: Record<string, Tone> = {
  ok: 'good',
  degraded: 'waiting',
  failing: 'bad',
};

function Health({ health }: { health: ServiceHealth }) {
  const { t, i18n } = useTranslation('jobs');
  const named = (name: string) => (i18n.exists(`jobs:part.${name}`) ? t(`part.${name}`) : name);
  return (
    <>
      <Facts
        rows={[
          [
            t('all'),
            <StatusTag key="all" tone={PART_TONES[health.status] ?? 'bad'}>
              {t(`part_status.${health.status}`)}
            </StatusTag>,
          ],
          [t('version'), health.version],
          [t('started_at'), <Moment key="started" at={health.started_at} />],
          [t('nodes'), <Count key="nodes" value={health.nodes} />],
        ]}
      />
      <ul className="rows">
        {health.checks.map((check) => (
          <li key={check.name}>
            <div>
              {named(check.name)}
              {check.detail && <div className="row-note">{check.detail}</div>}
              {check.took_us !== undefined && (
                <div className="row-note">
                  {t('answered_in', { ms: (check.took_us / 1000).toFixed(1) })}
                </div>
              )}
            </div>
            <StatusTag tone={PART_TONES[check.status] ?? 'bad'}>
              {t(`part_status.${check.status}`)}
            </StatusTag>
          </li>
        ))}
      </ul>
    </>
  );
}

const JOB_TONES: Record<string, Tone> = {
  ok: 'good',
  failing: 'bad',
  late: 'bad',
  starting: 'waiting',
  elsewhere: 'neutral',
};

function Jobs({ jobs }: { jobs: Job[] }) {
  const { t, i18n } = useTranslation('jobs');
  return (
    <ScrollTable<Job>
      aria-label={t('jobs')}
      dataSource={jobs}
      rowKey="name"
      locale={{ emptyText: t('empty') }}
      columns={[
        {
          title: t('job'),
          render: (_, job) => (
            <>
              {i18n.exists(`jobs:name.${job.name}`) ? t(`name.${job.name}`) : job.name}
              {i18n.exists(`jobs:about.${job.name}`) && (
                <div className="row-note">{t(`about.${job.name}`)}</div>
              )}
              {job.last_error && job.status === 'failing' && (
                <div className="row-note">{job.last_error}</div>
              )}
            </>
          ),
        },
        {
          title: t('status'),
          render: (_, job) => (
            <StatusTag tone={JOB_TONES[job.status] ?? 'bad'}>
              {t(`job_status.${job.status}`)}
            </StatusTag>
          ),
        },
        { title: t('last_run'), render: (_, job) => <Moment at={job.last_run} /> },
        { title: t('last_success'), render: (_, job) => <Moment at={job.last_success} /> },
        {
          title: t('lag'),
          align: 'right',
          render: (_, job) =>
            job.lag_seconds === undefined ? <Absent /> : t('seconds', { count: job.lag_seconds }),
        },
        { title: t('done'), align: 'right', render: (_, job) => <Count value={job.done} /> },
        {
          title: t('failures'),
          align: 'right',
          render: (_, job) => <Count value={job.failures} />,
        },
      ]}
    />
  );
}
