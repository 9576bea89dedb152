// A field for an amount: the person types yuan, the form holds minor units (or undefined while it is no amount).
import { Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { minorToDecimal, parseMoney } from './money';

interface Props {
  id?: string;
  value?: number | null;
  onChange?: (minor: number | undefined) => void;
  currency: string;
  exponent: number;
  disabled?: boolean;
  'aria-label'?: string;
}

export function MoneyInput({ value, onChange, currency, exponent, ...rest }: Props) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<{ text: string; minor: number | undefined }>();
  // What was typed stays as it is while it means the form's value; "12." is not turned into "12.00" at once.
  const text =
    typed && typed.minor === (value ?? undefined)
      ? typed.text
      : value == null
        ? ''
        : minorToDecimal(value, exponent);
  const parsed = text === '' ? undefined : parseMoney(text, exponent);
  const wrong = parsed && 'wrong' in parsed ? parsed.wrong : undefined;
  const change = (next: string) => {
    const result = parseMoney(next, exponent);
    const minor = 'minor' in result ? result.minor : undefined;
    setTyped({ text: next, minor });
    onChange?.(minor);
  };
  return (
    <>
      <Input
        {...rest}
        inputMode="decimal"
        autoComplete="off"
        suffix={currency}
        value={text}
        status={wrong ? 'error' : undefined}
        aria-invalid={Boolean(wrong)}
        onChange={(event) => change(event.target.value)}
      />
      {wrong && (
        <span role="alert" className="field-error">
          {t(`money.${wrong}`, { places: exponent })}
        </span>
      )}
    </>
  );
}
