// An account of the ledger in words: "Owed to merchant · Demo Store" rather than "merchant:mer_…", which is its title.
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Named } from './Named';

const KINDS = [
  'cards',
  'card',
  'merchant',
  'channel',
  'promotion',
  'fees',
  'breakage',
  'residual',
  'bank',
  'suspense',
];

/** Of whom the account is, where that says more than its kind: the issuer is the reader's own. */
function Owner({ kind, id }: { kind: string; id: string }) {
  if (kind === 'cards') return <Named kind="programs" id={id} />;
  if (kind === 'merchant') return <Named kind="merchants" id={id} />;
  if (kind === 'card') return <Link to={`/cards/${id}`}>{id}</Link>;
  if (kind === 'channel') return id;
  return null;
}

export function AccountName({ account }: { account: string }) {
  const { t } = useTranslation('catalog');
  const [kind = '', id = ''] = account.split(':');
  if (!KINDS.includes(kind)) return <code>{account}</code>;
  const hasOwner = ['cards', 'merchant', 'card', 'channel'].includes(kind);
  return (
    <span title={account}>
      {t(`accounts.${kind}`)}
      {hasOwner && ' · '}
      <Owner kind={kind} id={id} />
    </span>
  );
}
