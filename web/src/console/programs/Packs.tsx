// Policy packs: which one a program is under, and what it says, with article and source.
import { Button, Drawer, Select, Tag } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { components } from '@/api/schema';
import { Day } from '@/shared/format';
import { LawSource } from '@/shared/LawSource';
import { Loaded } from '@/shared/page';

type Pack = components['schemas']['PolicyPack'];

export const usePacks = () => api.useQuery('get', '/v1/policy-packs', {}, { staleTime: 600_000 });

export function useTitle() {
  const { i18n } = useTranslation();
  return (label: { zh: string; en: string }) => (i18n.language === 'zh' ? label.zh : label.en);
}

function PackRules({ pack }: { pack: Pack }) {
  const { t } = useTranslation('programs');
  const title = useTitle();
  return (
    <>
      <p className="quiet">
        {t('not_advice')} {pack.extends.length > 0 && <>+ {pack.extends.join(', ')}</>}
      </p>
      {pack.versions.toReversed().map((version) => (
        <section key={version.version}>
          <h3>
            {t('pack_version', { version: version.version, from: '' })}{' '}
            <Day date={version.effective_from} />{' '}
            {version.in_force && <Tag>{t('pack_in_force')}</Tag>}
          </h3>
          <ul className="pack-rules">
            {version.rules.map((rule) => (
              <li key={rule.rule}>
                <p>{title(rule.text)}</p>
                <p className="finding-source">
                  <LawSource rule={rule} /> ·{' '}
                  <span title={t(`pack_mark.${rule.mark}`)}>
                    {rule.mark} ({t(`pack_mark.${rule.mark}`)})
                  </span>
                </p>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

/** Opens the rules of a pack, and of those that it extends. */
export function PackButton({ id }: { id: string }) {
  const { t } = useTranslation('programs');
  const title = useTitle();
  const [open, setOpen] = useState(false);
  const packs = usePacks();
  const pack = packs.data?.items.find((entry) => entry.id === id);
  const above = packs.data?.items.filter((entry) => pack?.extends.includes(entry.id)) ?? [];
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        {t('pack_show')}
      </Button>
      <Drawer
        open={open}
        onClose={() => setOpen(false)}
        size="large"
        title={pack ? t('pack_rules', { title: title(pack.title) }) : id}
      >
        <Loaded query={packs}>
          {() => (
            // It scrolls and has nothing to jump to, so the keyboard needs the text itself.
            <div tabIndex={0} role="region" aria-label={t('pack')}>
              {[...(pack ? [pack] : []), ...above].map((entry) => (
                <section key={entry.id} className="column">
                  <h2>{title(entry.title)}</h2>
                  <PackRules pack={entry} />
                </section>
              ))}
            </div>
          )}
        </Loaded>
      </Drawer>
    </>
  );
}

interface SelectProps {
  id?: string;
  value?: string | null;
  onChange?: (id: string | undefined) => void;
  disabled?: boolean;
  currency: string;
}

export function PackSelect({ value, onChange, currency, ...rest }: SelectProps) {
  const { t } = useTranslation('programs');
  const title = useTitle();
  const packs = usePacks();
  const options = packs.data?.items.map((pack) => ({
    value: pack.id,
    label: `${title(pack.title)} (${pack.jurisdiction})`,
    disabled: pack.currency !== currency,
  }));
  return (
    <div className="pack-select">
      <Select
        {...rest}
        value={value ?? undefined}
        onChange={onChange}
        allowClear
        loading={packs.isPending}
        options={options}
        placeholder={t('no_pack')}
      />
      {value && <PackButton id={value} />}
    </div>
  );
}
