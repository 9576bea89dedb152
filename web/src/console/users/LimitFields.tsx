// How much of one kind of work needs no second person: for one operation, and for a day altogether. Terms have no
// amount: they need a second person or they do not.
import { Checkbox, Form } from 'antd';
import { useTranslation } from 'react-i18next';
import type { LimitKind, Role } from '@/api/pending';
import { currencyExponent } from '@/shared/money';
import { MoneyInput } from '@/shared/MoneyInput';

export const LIMIT_KINDS: LimitKind[] = ['issue', 'adjust', 'unlinked_refund', 'terms'];
const NONE = { per_operation: 0, per_day: 0 };
export const NO_LIMITS: Role['limits'] = {
  issue: NONE,
  adjust: NONE,
  unlinked_refund: NONE,
  terms: NONE,
};

/** What the server takes for no limit at all: the largest amount. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;
/** Any amount above zero frees terms from the second person. */
const FREE = { per_operation: 1, per_day: 1 };

export function LimitFields({
  kind,
  currency,
  disabled,
}: {
  kind: LimitKind;
  currency: string;
  disabled: boolean;
}) {
  const { t } = useTranslation('users');
  if (kind === 'terms') {
    return (
      <Form.Item
        name={['limits', kind]}
        valuePropName="checked"
        getValueProps={(value?: { per_operation: number }) => ({
          checked: (value?.per_operation ?? 0) === 0,
        })}
        normalize={(checked: boolean) => (checked ? NONE : FREE)}
      >
        <Checkbox>{t('terms_second_person')}</Checkbox>
      </Form.Item>
    );
  }
  const exponent = currencyExponent(currency);
  return (
    <fieldset className="limit">
      <legend>{t(`limit.${kind}`)}</legend>
      {(['per_operation', 'per_day'] as const).map((span) => (
        <Form.Item key={span} name={['limits', kind, span]} label={t(span)}>
          <LimitAmount currency={currency} exponent={exponent} disabled={disabled} />
        </Form.Item>
      ))}
    </fieldset>
  );
}

interface AmountProps {
  id?: string;
  value?: number;
  onChange?: (minor: number | undefined) => void;
  currency: string;
  exponent: number;
  disabled: boolean;
}

function LimitAmount({ value, onChange, ...rest }: AmountProps) {
  const { t } = useTranslation('users');
  const unlimited = value === UNLIMITED;
  return (
    <>
      <MoneyInput
        {...rest}
        value={unlimited ? undefined : value}
        onChange={onChange}
        disabled={rest.disabled || unlimited}
      />
      <Checkbox
        checked={unlimited}
        onChange={(event) => onChange?.(event.target.checked ? UNLIMITED : 0)}
      >
        {t('unlimited')}
      </Checkbox>
    </>
  );
}
