import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { titleOfLaw } from './law';

interface Pack {
  versions: { rules: { source: string }[] }[];
}

const PACKS = new URL('../../../crates/domain/policies/', import.meta.url);
const packs = readdirSync(PACKS).map(
  (file) => JSON.parse(readFileSync(new URL(file, PACKS), 'utf8')) as Pack,
);
const sources = new Set(
  packs.flatMap((pack) => pack.versions.flatMap(({ rules }) => rules.map((rule) => rule.source))),
);

describe('the title of a law', () => {
  it('is known in Chinese for each law of the policy packs', () => {
    expect(sources.size).toBeGreaterThan(5);
    for (const source of sources) expect(titleOfLaw(source, 'zh'), source).not.toBe(source);
  });
  it('is what the server says in English, and where it is not known', () => {
    for (const source of sources) expect(titleOfLaw(source, 'en')).toBe(source);
    expect(titleOfLaw('A law of tomorrow', 'zh')).toBe('A law of tomorrow');
  });
});
