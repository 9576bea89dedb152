// What was asked for, as a checker reads it: names instead of ids, amounts as money. The request itself, to the
// letter, is below it for whoever wants to see that.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Approval } from '@/api/pending';
import { Day, Money, Moment } from '@/shared/format';
import { Id } from '@/shared/Id';
import { Facts } from '@/shared/page';
import { Named } from '../catalog/Named';
import type { CatalogKind } from '../catalog/names';
import { useTermsInWords } from '../settlement/terms-in-words';

const AMOUNTS = new Set(['amount', 'face_value', 'bonus']);
const NAMED: Record<string, CatalogKind> = {
  program: 'programs',
  merchant: 'merchants',
  store: 'stores',
  terminal: 'terminals',
};
/** Fields whose values are words of the page of cards. */
const WORDS: Record<string, string> = { direction: 'cards:directions', source: 'cards:sources' };

type Terms = Parameters<ReturnType<typeof useTermsInWords>>[0];

function useValue(currency: string) {
  const { t } = useTranslation(['approvals', 'cards']);
  const terms = useTermsInWords();
  return (name: string, value: unknown): ReactNode => {
    if (typeof value === 'number')
      return AMOUNTS.has(name) ? <Money amount={value} currency={currency} /> : String(value);
    if (typeof value === 'boolean') return t(value ? 'yes' : 'no');
    if (name === 'terms' && value)
      return (
        <ul className="terms">
          {terms(value as Terms, currency).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      );
    const text = typeof value === 'string' ? value : (value as { id?: string } | null)?.id;
    if (text === undefined) return <code>{JSON.stringify(value)}</code>;
    if (NAMED[name]) return <Named kind={NAMED[name]} id={text} />;
    if (text.startsWith('card_')) return <Id id={text} to={`/cards/${text}`} />;
    if (WORDS[name]) return t(`${WORDS[name]}.${text}`);
    if (/^\d{4}-\d\d-\d\d$/.test(text)) return <Day date={text} />;
    if (/^\d{4}-\d\d-\d\dT/.test(text)) return <Moment at={text} />;
    return text;
  };
}

export function RequestInWords({ approval }: { approval: Approval }) {
  const { t, i18n } = useTranslation('approvals');
  const value = useValue(approval.currency);
  const body = approval.body as Record<string, unknown>;
  const label = (name: string) =>
    i18n.exists(`approvals:fields.${name}`) ? t(`fields.${name}`) : name;
  return (
    <>
      <Facts
        rows={Object.entries(body)
          .filter(([, given]) => given !== null)
          .map(([name, given]) => [label(name), value(name, given)] as const)}
      />
      <details>
        <summary>{t('to_the_letter')}</summary>
        <pre className="panel" tabIndex={0} style={{ overflowX: 'auto' }}>
          {JSON.stringify(approval.body, null, 2)}
        </pre>
      </details>
    </>
  );
}
