// Things of the catalog on screen: by name where it is known, chosen by name where one is asked for.
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCatalog, useName, type CatalogKind } from './names';
import './common.css';

export function Named({ kind, id, to }: { kind: CatalogKind; id: string; to?: string }) {
  const name = useName(kind, id);
  const shown = name ? <span title={id}>{name}</span> : <code>{id}</code>;
  return to ? <Link to={to}>{shown}</Link> : shown;
}

interface SelectProps {
  kind: CatalogKind;
  id?: string;
  value?: string;
  onChange?: (id: string | undefined) => void;
  /** Only those of this merchant or store. */
  parent?: string;
  /** Only those that are in use. */
  active?: boolean;
  allowClear?: boolean;
  disabled?: boolean;
  className?: string;
  placeholder?: string;
  'aria-label'?: string;
}

function useOptions(kind: CatalogKind, parent?: string, active?: boolean) {
  const all = useCatalog(kind);
  const options = all.data
    ?.filter(
      (entry) => (!parent || entry.parent === parent) && (!active || entry.status === 'active'),
    )
    .map(({ id, name }) => ({ value: id, label: name }));
  return { options, loading: all.isLoading };
}

export function CatalogSelect({ kind, parent, active, ...rest }: SelectProps) {
  const { t } = useTranslation('catalog');
  const { options, loading } = useOptions(kind, parent, active);
  return (
    <Select
      placeholder={t('any')}
      {...rest}
      showSearch={{ optionFilterProp: 'label' }}
      loading={loading}
      options={options}
      notFoundContent={t('none')}
    />
  );
}

interface ManyProps extends Omit<SelectProps, 'value' | 'onChange'> {
  value?: string[];
  onChange?: (ids: string[]) => void;
}

export function CatalogMultiSelect({ kind, parent, active, ...rest }: ManyProps) {
  const { t } = useTranslation('catalog');
  const { options, loading } = useOptions(kind, parent, active);
  return (
    <Select
      {...rest}
      mode="multiple"
      showSearch={{ optionFilterProp: 'label' }}
      loading={loading}
      options={options}
      notFoundContent={t('none')}
    />
  );
}
