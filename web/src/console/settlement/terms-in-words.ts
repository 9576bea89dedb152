// The terms of an agreement as sentences that a merchant understands.
import { useTranslation } from 'react-i18next';
import type { components } from '@/api/schema';
import { useFormat } from '@/shared/format';

type Terms = components['schemas']['Terms'];
type Texts = (key: string, values?: Record<string, unknown>) => string;
type Formats = Pick<ReturnType<typeof useFormat>, 'money' | 'basisPoints'>;

function cycle(terms: Terms, t: Texts): string {
  const c = terms.cycle;
  if (c.kind === 't_plus') return t('words.t_plus', { days: c.days });
  const plus = c.plus ?? 0;
  if (c.kind === 'weekly') return t('words.weekly', { weekday: t(`weekday.${c.weekday}`), plus });
  return c.day === 'last'
    ? t('words.month_end', { plus })
    : t('words.monthly', { day: c.day, plus });
}

function fees(terms: Terms, currency: string, t: Texts, f: Formats): string[] {
  const fee = terms.fees ?? {};
  const lines: string[] = [];
  for (const tier of fee.tiers ?? []) {
    lines.push(
      t('words.tier', {
        from: f.money(tier.from, currency),
        rate: f.basisPoints(tier.basis_points),
      }),
    );
  }
  const percent =
    !fee.tiers?.length && fee.basis_points ? f.basisPoints(fee.basis_points) : undefined;
  const fixed = fee.fixed ? f.money(fee.fixed, currency) : undefined;
  if (percent && fixed) lines.push(t('words.both', { percent, fixed }));
  else if (percent) lines.push(t('words.percent', { percent }));
  else if (fixed) lines.push(t('words.fixed', { fixed }));
  if (fee.floor) lines.push(t('words.floor', { amount: f.money(fee.floor, currency) }));
  if (fee.cap) lines.push(t('words.cap', { amount: f.money(fee.cap, currency) }));
  if (fee.yearly) lines.push(t('words.yearly', { amount: f.money(fee.yearly, currency) }));
  return lines.length > 0 ? lines : [t('words.no_fee')];
}

export function termsInWords(terms: Terms, currency: string, t: Texts, f: Formats): string[] {
  const lines = [cycle(terms, t), ...fees(terms, currency, t, f)];
  if (terms.refunds_return_fee) lines.push(t('words.fee_returned'));
  if (terms.minimum_payout) {
    lines.push(t('words.minimum', { amount: f.money(terms.minimum_payout, currency) }));
  }
  const parts = terms.splits?.receivers.length ?? 0;
  if (parts > 0) lines.push(t('words.splits', { count: parts }));
  return lines;
}

export function useTermsInWords() {
  const { t } = useTranslation('settlement');
  const formats = useFormat();
  return (terms: Terms, currency: string) => termsInWords(terms, currency, t as Texts, formats);
}
