// How the card looks, and what its rules mean, while they are being written.
import { CheckOutlined, CloseOutlined, InfoCircleOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { useSession } from '@/shared/session';
import type { Rules } from './rules';
import { forBuyer, forStaff, type Sentence } from './words';
import { useWriting } from './writing';

const ICONS = {
  can: <CheckOutlined aria-hidden="true" />,
  cannot: <CloseOutlined aria-hidden="true" />,
  note: <InfoCircleOutlined aria-hidden="true" />,
};

function Sentences({ sentences }: { sentences: Sentence[] }) {
  const { t } = useTranslation('programs');
  return (
    <ul className="sentences">
      {sentences.map(({ key, values, kind }) => (
        <li key={key} className={`sentence-${kind}`}>
          {ICONS[kind]}
          <span>{t(`words.${key}`, values)}</span>
        </li>
      ))}
    </ul>
  );
}

/** The digits that are known of a number, the rest as dots, in groups of four. */
export function maskedNumber(prefix: string | undefined, length: number): string {
  const digits = (prefix ?? '').replace(/\D/g, '').slice(0, 8);
  return (digits.padEnd(length, '•').match(/.{1,4}/g) ?? []).join(' ');
}

interface CardProps {
  name?: string;
  prefix?: string;
  length: number;
  face?: string;
  registered?: boolean;
}

export function CardFace({ name, prefix, length, face }: CardProps) {
  const { t } = useTranslation('programs');
  const { issuer } = useSession();
  return (
    <div className="card-face" aria-hidden="true">
      <span className="card-face-issuer">{issuer?.name}</span>
      <span className="card-face-name">{name || t('unnamed')}</span>
      <span className="card-face-value">{face}</span>
      <span className="card-face-number">{maskedNumber(prefix, length)}</span>
    </div>
  );
}

interface Props extends CardProps {
  currency: string;
  exponent: number;
  rules: Rules | undefined;
}

export function Preview({ currency, exponent, rules, ...card }: Props) {
  const { t } = useTranslation('programs');
  const write = useWriting(currency, exponent);
  const values = rules?.denominations;
  const most = values?.kind === 'fixed' ? Math.max(...values.amounts) : values?.max;
  return (
    <>
      <CardFace {...card} face={most ? write.money(most) : undefined} />
      {rules && (
        <>
          <h3>{t('for_buyer')}</h3>
          <Sentences sentences={forBuyer(rules, write)} />
          <h3>{t('for_staff')}</h3>
          <Sentences sentences={forStaff(rules, write)} />
        </>
      )}
    </>
  );
}
