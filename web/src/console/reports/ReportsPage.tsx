// The reports of accounting, one tab each; the address names the report, so that it can be bookmarked.
import { Tabs } from 'antd';
import type { ComponentType } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { Page } from '@/shared/page';
import { Ageing } from './Ageing';
import { Breakage } from './Breakage';
import { Custody } from './Custody';
import { Invoices } from './Invoices';
import { Journal } from './Journal';
import { Liability } from './Liability';
import { Quarterly } from './Quarterly';

const REPORTS: Record<string, ComponentType> = {
  liability: Liability,
  ageing: Ageing,
  breakage: Breakage,
  custody: Custody,
  quarterly: Quarterly,
  journal: Journal,
  invoices: Invoices,
};

export function Component() {
  const { t } = useTranslation('reports');
  const navigate = useNavigate();
  const { report = 'liability' } = useParams();
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Tabs
        activeKey={report in REPORTS ? report : 'liability'}
        onChange={(key) => void navigate(`/reports/${key}`)}
        destroyOnHidden
        items={Object.entries(REPORTS).map(([key, Report]) => ({
          key,
          label: t(`${key}.title`),
          children: (
            <div className="report">
              <Report />
            </div>
          ),
        }))}
      />
    </Page>
  );
}
