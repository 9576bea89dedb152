// The filters of the explorer.
import { Button, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { DateFilter } from '@/shared/DateField';
import { useErrorText } from '@/shared/ErrorBox';
import { readCardName } from '../cards/card-name';
import { CatalogSelect } from '../catalog/Named';
import { useReadable } from '../catalog/names';
import { KINDS } from './kinds';
import { FILTERS, type OperationFilters } from './query';

interface Props {
  filters: OperationFilters;
  onChange: (change: OperationFilters) => void;
}

/** Takes a number too: it is looked up at once, and only the card's id goes into the address. */
function CardFilter({ filters, onChange }: Props) {
  const { t } = useTranslation(['operations', 'cards']);
  const errorText = useErrorText();
  const [wrong, setWrong] = useState<string>();
  const find = async (text: string) => {
    setWrong(undefined);
    if (text.trim() === '') return onChange({ card: undefined });
    const name = readCardName(text);
    if (!name) return setWrong(t('cards:card_pattern'));
    if ('id' in name) return onChange({ card: name.id });
    try {
      const card = await unwrap(client.POST('/v1/cards/lookup', { body: { number: name.number } }));
      onChange({ card: card.id });
    } catch (error) {
      setWrong(errorText(error).title);
    }
  };
  return (
    <label>
      {t('card')}
      <Input.Search
        key={filters.card ?? ''}
        defaultValue={filters.card}
        placeholder={t('cards:number_or_id')}
        className="filter"
        allowClear
        autoComplete="off"
        spellCheck={false}
        maxLength={40}
        status={wrong ? 'error' : undefined}
        onSearch={(text) => void find(text)}
      />
      {wrong && (
        <span role="alert" className="field-error">
          {wrong}
        </span>
      )}
    </label>
  );
}

export function FilterBar({ filters, onChange }: Props) {
  const { t } = useTranslation(['operations', 'common']);
  const clients = useReadable('clients');
  const some = FILTERS.some((name) => filters[name]);
  const options = (names: readonly string[], of: string) =>
    names.map((value) => ({ value, label: t(`${of}.${value}`) }));
  return (
    <div className="filters" role="search" aria-label={t('filters')}>
      <DateFilter
        label={t('from')}
        value={filters.from}
        max={filters.to}
        onChange={(from) => onChange({ from })}
      />
      <DateFilter
        label={t('to')}
        value={filters.to}
        min={filters.from}
        onChange={(to) => onChange({ to })}
      />
      <label>
        {t('kind')}
        <Select
          className="filter"
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={t('any')}
          value={filters.kind}
          onChange={(kind) => onChange({ kind })}
          options={options(KINDS, 'kinds')}
        />
      </label>
      <label>
        {t('status')}
        <Select
          className="filter"
          allowClear
          placeholder={t('any')}
          value={filters.status}
          onChange={(status) => onChange({ status })}
          options={options(['approved', 'declined'], 'statuses')}
        />
      </label>
      <label>
        {t('merchant')}
        <CatalogSelect
          kind="merchants"
          className="filter"
          allowClear
          value={filters.merchant}
          onChange={(merchant) => onChange({ merchant, store: undefined, terminal: undefined })}
        />
      </label>
      <label>
        {t('store')}
        <CatalogSelect
          kind="stores"
          className="filter"
          allowClear
          parent={filters.merchant}
          value={filters.store}
          onChange={(store) => onChange({ store, terminal: undefined })}
        />
      </label>
      <label>
        {t('terminal')}
        <CatalogSelect
          kind="terminals"
          className="filter"
          allowClear
          parent={filters.store}
          value={filters.terminal}
          onChange={(terminal) => onChange({ terminal })}
        />
      </label>
      {clients && (
        <label>
          {t('client')}
          <CatalogSelect
            kind="clients"
            className="filter"
            allowClear
            value={filters.client}
            onChange={(id) => onChange({ client: id })}
          />
        </label>
      )}
      <CardFilter filters={filters} onChange={onChange} />
      {some && (
        <Button
          onClick={() => onChange(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}
        >
          {t('common:action.reset')}
        </Button>
      )}
    </div>
  );
}
