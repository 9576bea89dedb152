// Fields of the rule editor that antd does not bring: a choice, a length of time, amounts, and a form item that
// shows what the server has against its rule.
import { MinusCircleOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Form, InputNumber, Radio, Select, type FormItemProps } from 'antd';
import { createContext, useContext, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { MoneyInput } from '@/shared/MoneyInput';
import { sameField, type Finding } from './check';
import { largestUnit, UNITS, type Unit } from './duration';
import { useFindingText } from './finding-text';

export const FindingsContext = createContext<readonly Finding[]>([]);
export const CurrencyContext = createContext({ currency: 'CNY', exponent: 2 });

interface RuleItemProps extends Omit<FormItemProps, 'name'> {
  /** The path below `rules`. */
  rule: readonly string[];
  /** A key of `field`; its name in the rules, if not given. */
  text?: string;
  /** Holds fields of its own, such as a list. */
  group?: boolean;
}

/** A field of the rules, marked where something stands against it. */
export function RuleItem({ rule, text, group, children, ...item }: RuleItemProps) {
  const { t } = useTranslation('programs');
  const textOf = useFindingText();
  const name = ['rules', ...rule];
  const found = useContext(FindingsContext).filter((finding) => sameField(name, finding));
  const marked = found.length > 0 && {
    validateStatus: 'warning' as const,
    help: found.map((finding) => <div key={finding.code}>{textOf(finding)}</div>),
  };
  return (
    <Form.Item
      name={group ? undefined : name}
      label={t(`field.${text ?? rule.at(-1)!}`)}
      {...item}
      {...(marked || {})}
    >
      {children}
    </Form.Item>
  );
}

interface ChoiceProps {
  id?: string;
  value?: string;
  onChange?: (value: string) => void;
  /** A key of `choice`. */
  of: string;
  among: readonly string[];
}

/** One of a few: all are seen at once. */
export function Choice({ of, among, onChange, ...rest }: ChoiceProps) {
  const { t } = useTranslation('programs');
  return (
    <Radio.Group
      {...rest}
      onChange={(event) => onChange?.(event.target.value as string)}
      options={among.map((value) => ({ value, label: t(`choice.${of}.${value}`) }))}
    />
  );
}

interface DurationProps {
  id?: string;
  value?: number;
  onChange?: (seconds: number | undefined) => void;
  'aria-label'?: string;
}

/** A number and its unit; the form holds seconds. */
export function DurationInput({ value, onChange, id, ...rest }: DurationProps) {
  const { t } = useTranslation('programs');
  const [chosen, setUnit] = useState<Unit>();
  const unit = chosen ?? largestUnit(value ?? 60);
  return (
    <span className="duration">
      <InputNumber
        {...rest}
        id={id}
        min={1}
        precision={0}
        value={value === undefined ? undefined : value / UNITS[unit]}
        onChange={(count) =>
          onChange?.(count == null ? undefined : Math.round(count * UNITS[unit]))
        }
      />
      <Select<Unit>
        aria-label={t('unit_label')}
        value={unit}
        onChange={(next) => {
          setUnit(next);
          if (value !== undefined)
            onChange?.(Math.max(1, Math.round(value / UNITS[unit])) * UNITS[next]);
        }}
        options={(Object.keys(UNITS) as Unit[]).map((entry) => ({
          value: entry,
          label: t(`unit.${entry}`),
        }))}
      />
    </span>
  );
}

interface MoneyFieldProps {
  id?: string;
  value?: number | null;
  onChange?: (minor: number | undefined) => void;
  'aria-label'?: string;
}

/** An amount in the program's currency. */
export function MoneyField(props: MoneyFieldProps) {
  return <MoneyInput {...props} {...useContext(CurrencyContext)} />;
}

/** Up to a hundred amounts, each in a field of its own. */
export function AmountsField() {
  const { t } = useTranslation('programs');
  return (
    <Form.List name={['rules', 'denominations', 'amounts']}>
      {(fields, { add, remove }) => (
        <div className="amounts">
          {fields.map((field, index) => (
            <div key={field.key} className="amount">
              <Form.Item name={field.name} noStyle>
                <MoneyField aria-label={t('field.amount_n', { n: index + 1 })} />
              </Form.Item>
              {fields.length > 1 && (
                <Button
                  type="text"
                  icon={<MinusCircleOutlined />}
                  aria-label={t('field.remove_amount', { n: index + 1 })}
                  onClick={() => remove(field.name)}
                />
              )}
            </div>
          ))}
          {fields.length < 100 && (
            <Button icon={<PlusOutlined />} onClick={() => add()}>
              {t('field.add_amount')}
            </Button>
          )}
        </div>
      )}
    </Form.List>
  );
}
