// Prints what a browser loads for each entry before its first page, compressed, and fails above the budget.
// Follows the static imports of the entry, and of the pages named in FIRST, through the manifests of the two builds.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** Compressed bytes of JavaScript. Phones open the till and the wallet over mobile networks. */
const BUDGETS = { 'index.html': 300 * 1024, 'till.html': 40 * 1024, 'wallet.html': 40 * 1024 };
const texts = (...names) => names.map((name) => `src/locales/zh/${name}.json`);

/** What belongs to the first load of an entry beside it: for the console the log-in, the dashboard, their texts. */
const FIRST = {
  'index.html': [
    'src/console/login/LoginPage.tsx',
    'src/console/dashboard/DashboardPage.tsx',
    ...texts('common', 'nav', 'errors', 'login', 'dashboard', 'declines'),
  ],
  'till.html': [],
  'wallet.html': [],
};

const read = (name) => JSON.parse(readFileSync(`dist/.vite/${name}.json`, 'utf8'));
const [console_, handheld] = [read('manifest'), read('handheld')];

function reach(manifest, key, seen) {
  const chunk = manifest[key];
  if (!chunk || seen.has(key)) return seen;
  seen.add(key);
  for (const next of chunk.imports ?? []) reach(manifest, next, seen);
  return seen;
}

let failed = false;
for (const [entry, pages] of Object.entries(FIRST)) {
  const keys = new Set();
  const manifest = entry === 'index.html' ? console_ : handheld;
  for (const key of [entry, ...pages]) {
    if (!manifest[key]) throw new Error(`${key} is not in the build; correct FIRST`);
    reach(manifest, key, keys);
  }
  const size = [...keys]
    .map((key) => manifest[key].file)
    .filter((file) => file.endsWith('.js'))
    .reduce((sum, file) => sum + gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length, 0);
  const budget = BUDGETS[entry];
  const verdict = size > budget ? `OVER ${budget / 1024} KiB` : 'ok';
  console.log(
    `${entry.padEnd(12)} ${(size / 1024).toFixed(1).padStart(7)} KiB gzip, ${keys.size} files: ${verdict}`,
  );
  failed ||= size > budget;
}
process.exitCode = failed ? 1 : 0;
