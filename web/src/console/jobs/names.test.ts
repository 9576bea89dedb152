// Every job of the server has a name and a line about it, in both languages.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import en from '../../locales/en/jobs.json';
import zh from '../../locales/zh/jobs.json';

const source = readFileSync(
  new URL('../../../../crates/jobs/src/runner.rs', import.meta.url),
  'utf8',
);
const list = /const NAMES: &\[&str\] = &\[([^\]]*)\]/.exec(source)?.[1] ?? '';
const names = [...list.matchAll(/"(\w+)"/g)].map((match) => match[1]!).sort();

test('the list of jobs was read', () => expect(names.length).toBeGreaterThan(5));

test.each([
  ['zh', zh],
  ['en', en],
])('jobs have names and explanations in %s', (_, texts) => {
  expect(Object.keys(texts.name).sort()).toEqual(names);
  expect(Object.keys(texts.about).sort()).toEqual(names);
});
