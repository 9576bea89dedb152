// Both languages say the same things, and every code that the server documents has a text.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

type Texts = { [key: string]: string | Texts };
const here = (path: string) => new URL(path, import.meta.url);
const read = (language: string, file: string): Texts =>
  JSON.parse(readFileSync(here(`./${language}/${file}`), 'utf8')) as Texts;

/** `count_one` and `count_other` are forms of one text; Chinese has only the latter. */
const withoutPlural = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, '');

function leaves(texts: Texts, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === 'string') found.set(prefix + withoutPlural(key), value);
    else leaves(value, `${prefix}${key}.`).forEach((text, path) => found.set(path, text));
  }
  return found;
}

const placeholders = (text: string) =>
  [...text.matchAll(/{{\s*(\w+)/g)].map((match) => match[1]).sort();

const files = readdirSync(here('./zh')).sort();

it('has the same files in both languages', () => {
  expect(readdirSync(here('./en')).sort()).toEqual(files);
});

describe.each(files)('%s', (file) => {
  const zh = leaves(read('zh', file));
  const en = leaves(read('en', file));

  it('has the same keys in both languages', () => {
    expect([...en.keys()].sort()).toEqual([...zh.keys()].sort());
  });
  it('leaves no text empty', () => {
    const empty = [...zh, ...en].filter(([, text]) => text.trim() === '');
    expect(empty).toEqual([]);
  });
  it('fills in the same values', () => {
    for (const [key, text] of zh) {
      const used = new Set(placeholders(text));
      const other = new Set(placeholders(en.get(key) ?? ''));
      // A plural may leave its number out in one language ("one card").
      used.delete('count');
      other.delete('count');
      expect([...other], key).toEqual([...used]);
    }
  });
  it('has Chinese in the Chinese file', () => {
    const foreign = [...zh].filter(([, text]) => /[a-z]{4,} [a-z]{3,} [a-z]{3,}/.test(text));
    expect(foreign).toEqual([]);
  });
});

describe('codes of the server', () => {
  const page = readFileSync(here('../../../docs/api-errors.md'), 'utf8');
  const [refusals = '', declines = ''] = page.split(/^## Decline/m);

  it('has a title and a cure for every refusal', () => {
    const codes = [...refusals.matchAll(/^\| \d{3} \| `(\w+)`/gm)].map((match) => match[1]!);
    expect(codes.length).toBeGreaterThan(50);
    const texts = read('zh', 'errors.json');
    expect(codes.filter((code) => !texts[code])).toEqual([]);
  });
  it('has a text for every decline', () => {
    const codes = [...declines.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1]!);
    expect(codes.length).toBeGreaterThan(30);
    const texts = read('zh', 'declines.json');
    expect(codes.filter((code) => !texts[code])).toEqual([]);
  });
});
