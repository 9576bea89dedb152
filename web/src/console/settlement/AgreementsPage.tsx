// Settlement agreements: what each merchant pays and when it is paid. A change is a new version with a date; a
// dry run says beforehand what it would have cost.
import { Button, Drawer } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQueryClient } from '@tanstack/react-query';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { useFilters } from '@/shared/filters';
import { Day, Moment } from '@/shared/format';
import { MerchantName, MerchantSelect } from '@/shared/merchants';
import { EmptyState, Page } from '@/shared/page';
import { useCan, useSession } from '@/shared/session';
import { AgreementForm } from './AgreementForm';
import { useTermsInWords } from './terms-in-words';

type Agreement = components['schemas']['Agreement'];

export function Component() {
  const { t } = useTranslation('settlement');
  const words = useTermsInWords();
  const cache = useQueryClient();
  const [filters, setFilters] = useFilters(['merchant'] as const);
  const bound = useSession().merchant;
  const mayWrite = useCan('settlement_write') && !bound;
  const [draft, setDraft] = useState<Agreement | 'new'>();
  const list = useCursorList<Agreement>(['agreements', filters], ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/agreements', {
        params: { query: { limit, cursor, merchant: filters.merchant } },
        signal,
      }),
    ),
  );
  const columns: Column<Agreement>[] = [
    {
      title: t('merchant'),
      render: (_, a) => (a.merchant ? <MerchantName id={a.merchant} /> : t('agreement.default')),
    },
    { title: t('agreement.effective_from'), render: (_, a) => <Day date={a.effective_from} /> },
    {
      title: t('agreement.terms'),
      render: (_, a) => (
        <ul className="terms">
          {words(a.terms, a.currency).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      ),
    },
    { title: t('agreement.created_at'), render: (_, a) => <Moment at={a.created_at} /> },
    {
      title: t('agreement.actions'),
      render: (_, a) =>
        mayWrite && (
          <Button size="small" onClick={() => setDraft(a)}>
            {t('agreement.change')}
          </Button>
        ),
    },
  ];
  return (
    <Page
      title={t('agreements.title')}
      lead={t('agreements.lead')}
      actions={
        mayWrite && (
          <Button type="primary" onClick={() => setDraft('new')}>
            {t('agreement.new')}
          </Button>
        )
      }
    >
      {!bound && (
        <div className="filters">
          <label>
            {t('merchant')}
            <MerchantSelect
              allowClear
              value={filters.merchant}
              onChange={(merchant) => setFilters({ merchant })}
              aria-label={t('merchant')}
            />
          </label>
        </div>
      )}
      <CursorTable
        label={t('agreements.title')}
        list={list}
        columns={columns}
        rowKey={(a) => a.id}
        empty={<EmptyState title={t('agreements.empty')} hint={t('agreements.empty_hint')} />}
      />
      <Drawer
        open={draft !== undefined}
        onClose={() => setDraft(undefined)}
        title={draft === 'new' ? t('agreement.new') : t('agreement.change')}
        size={640}
        destroyOnHidden
      >
        {draft !== undefined && (
          <AgreementForm
            from={draft === 'new' ? undefined : draft}
            done={async () => {
              setDraft(undefined);
              await cache.invalidateQueries({ queryKey: ['agreements'] });
            }}
          />
        )}
      </Drawer>
    </Page>
  );
}
