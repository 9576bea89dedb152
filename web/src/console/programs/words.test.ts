import i18next, { type i18n } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';
import en from '../../locales/en/programs.json';
import zh from '../../locales/zh/programs.json';
import { formatMoney } from '@/shared/money';
import { formatDuration } from './duration';
import type { Rules } from './rules';
import { forBuyer, forStaff, type Sentence, type Writing } from './words';

const texts: Record<'en' | 'zh', i18n> = {
  en: i18next.createInstance(),
  zh: i18next.createInstance(),
};

beforeAll(async () => {
  for (const language of ['en', 'zh'] as const) {
    await texts[language].init({
      lng: language,
      ns: ['programs'],
      defaultNS: 'programs',
      resources: { en: { programs: en }, zh: { programs: zh } },
      fallbackLng: false,
      interpolation: { escapeValue: false },
    });
  }
});

function writing(locale: 'en' | 'zh'): Writing {
  const list = (type: 'conjunction' | 'disjunction') => (items: string[]) =>
    new Intl.ListFormat(locale, { type }).format(items);
  return {
    money: (minor) => formatMoney(minor, 'CNY', locale === 'zh' ? 'zh-CN' : 'en', 2),
    lastDay: (moment) => moment.slice(0, 10),
    either: list('disjunction'),
    all: list('conjunction'),
    name: (_, id) => `<${id}>`,
    duration: (seconds) => formatDuration(seconds, locale),
  };
}

const plain: Rules = {
  denominations: { kind: 'free', min: 0, max: 100_000 },
  validity: { kind: 'unlimited' },
  reversal_seconds: 86_400,
};

function say(rules: Partial<Rules>, language: 'en' | 'zh' = 'en'): string[] {
  const all = { ...plain, ...rules };
  const write = writing(language);
  return [...forBuyer(all, write), ...forStaff(all, write)].map(({ key, values }) =>
    texts[language].t(`words.${key}`, values),
  );
}

describe('rules in plain words', () => {
  it.each<[Partial<Rules>, string]>([
    [{}, 'Buy it for any amount up to CN¥1,000.00.'],
    [
      { denominations: { kind: 'free', min: 1_000, max: 5_000 } },
      'Buy it for any amount from CN¥10.00 to CN¥50.00.',
    ],
    [
      { denominations: { kind: 'fixed', amounts: [20_000, 10_000] } },
      'Buy it for CN¥100.00 or CN¥200.00.',
    ],
    [{}, 'Use it for ever: it never expires.'],
    [
      { validity: { kind: 'months', months: 36 } },
      'It is valid for 3 years after it is activated.',
    ],
    [{ validity: { kind: 'months', months: 1 } }, 'It is valid for 1 month after it is activated.'],
    [{ validity: { kind: 'days', days: 90 } }, 'It is valid for 90 days after it is activated.'],
    [
      { validity: { kind: 'until', at: '2027-01-01T00:00:00Z' } },
      'It is valid through 2027-01-01.',
    ],
    [{}, 'Pay with it at every merchant of the issuer.'],
    [{ acceptance: { merchants: ['a', 'b'] } }, 'Pay with it at <a> and <b>.'],
    [
      { acceptance: { stores: ['a', 'b', 'c', 'd', 'e', 'f'] } },
      'Pay with it only in 6 stores, among them <a>, <b>, <c>, <d>, and <e>.',
    ],
    [{ acceptance: { channels: ['online'] } }, 'Pay with it only through: online.'],
    [{ redemption_min: 100, redemption_max: 500 }, 'A payment is CN¥1.00 to CN¥5.00.'],
    [{ redemption_max: 500 }, 'A payment is at most CN¥5.00.'],
    [{ daily_count: 1 }, 'It pays at most 1 time a day.'],
    [{ balance_cap: 50_000 }, 'It holds at most CN¥500.00.'],
    [{}, 'Pay without a PIN.'],
    [{ pin: { kind: 'above', amount: 20_000 } }, 'A payment above CN¥200.00 needs the PIN.'],
    [{ pin_issued: true }, 'It comes with a PIN; if given, it is checked.'],
    [{ member_required: true }, 'It must be bound to a member before it pays.'],
    [{ reloadable: true }, 'Load it again when it is used up.'],
    [{}, 'It cannot be loaded again.'],
    [{ refund_days: 7 }, 'Goods brought back within 7 days are refunded to the card.'],
    [
      { validity: { kind: 'days', days: 1 }, residual: 'breakage' },
      'What is left when it expires is lost.',
    ],
    [
      { validity: { kind: 'days', days: 1 }, reactivation_months: 12 },
      'A reactivated card is valid for 12 more months.',
    ],
    [{ hold_seconds: 900 }, 'A hold gives its value back after 15 minutes unless it is captured.'],
    [{ lot_order: 'bonus_first' }, 'Bonus is used before paid value.'],
  ])('%j', (rules, expected) => {
    expect(say(rules)).toContain(expected);
  });

  it('says nothing about the end of what never ends', () => {
    expect(say({ residual: 'breakage' }).join()).not.toMatch(/expires is/);
  });

  it('writes Chinese', () => {
    const words = say({ validity: { kind: 'months', months: 36 }, registered: true }, 'zh');
    expect(words).toContain('激活后 3 年内有效。');
    expect(words).toContain('丢失可以挂失，并补办新卡、保留余额。');
    expect(words).toContain('预授权未完成的，15分钟后自动解冻。');
  });

  it('has a text in both languages for every sentence there can be', () => {
    const some: Partial<Rules>[] = [
      ...(['pro_rata', 'paid_first', 'bonus_first'] as const).map((lot_order) => ({ lot_order })),
      ...(['keep_claimable', 'exchange', 'reactivate', 'breakage'] as const).map((residual) => ({
        residual,
        validity: { kind: 'days' as const, days: 2 },
        reactivation_months: 2,
      })),
      ...(['never', 'always', 'card_not_present'] as const).map((kind) => ({
        pin: { kind },
        pin_issued: true,
      })),
      { pin: { kind: 'above', amount: 1 } },
      { redemption_min: 1, daily_count: 2, daily_amount: 3, balance_cap: 4, refund_days: 2 },
      { redemption_max: 1, registered: true, member_required: true },
      { reloadable: true, transferable: true, cash_out: true },
      { acceptance: { merchants: ['a'], stores: ['b'], channels: ['c'] } },
      { acceptance: { merchants: [...'abcdef'], stores: [...'abcdef'] } },
      { validity: { kind: 'until', at: '2027-01-01T00:00:00Z' } },
    ];
    const sentences: Sentence[] = some.flatMap((rules) => {
      const all = { ...plain, ...rules };
      return [...forBuyer(all, writing('en')), ...forStaff(all, writing('en'))];
    });
    for (const language of ['en', 'zh'] as const) {
      for (const { key, values } of sentences) {
        const text = texts[language].t(`words.${key}`, values);
        expect(text, key).not.toBe(`words.${key}`);
        expect(text, key).not.toMatch(/\{\{/);
      }
    }
  });
});
