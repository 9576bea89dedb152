// A new program.
import { useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { currencyExponent } from '@/shared/money';
import { Page } from '@/shared/page';
import { useSession } from '@/shared/session';
import { Editor } from './Editor';
import { newDraft, type ProgramDraft, type Rules } from './rules';

type Currency = components['schemas']['Currency'];

export function Component() {
  const { t } = useTranslation('programs');
  const { message } = App.useApp();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { issuer } = useSession();
  const currency = issuer?.currency ?? 'CNY';
  const draft = useMemo(() => newDraft(currency, currencyExponent(currency)), [currency]);
  const save = async (values: ProgramDraft, rules: Rules) => {
    const made = await unwrap(
      client.POST('/v1/programs', {
        body: {
          name: values.name ?? '',
          currency: values.currency as Currency,
          number_prefix: values.number_prefix ?? '',
          number_length: values.number_length,
          rules,
        },
      }),
    );
    void message.success(t('saved'));
    await queries.invalidateQueries({ queryKey: ['programs'] });
    await queries.invalidateQueries({ queryKey: ['catalog-names', 'programs'] });
    await navigate(`/programs/${made.id}`);
  };
  return (
    <Page title={t('new')} above={<Link to="/programs">← {t('back')}</Link>}>
      <Editor draft={draft} save={save} onCancel={() => void navigate('/programs')} />
    </Page>
  );
}
