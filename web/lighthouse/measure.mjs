// What Lighthouse says of the dashboard with demo data, for somebody who is logged in: one line of JSON, and an exit
// code that says whether the bounds are kept. Lighthouse is a package of its own, as it brings 200 others that neither
// building nor testing the screens needs.
//
//     node measure.mjs               HEXIAO_BINARY, or target/release/hexiao, or target/debug/hexiao
//     HEXIAO_LIGHTHOUSE_RUNS=5       runs of each, whose median counts (3)
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import lighthouse from 'lighthouse';
import desktop from 'lighthouse/core/config/desktop-config.js';
import puppeteer from 'puppeteer-core';

const root = resolve(import.meta.dirname, '../..');
const runs = Number(process.env.HEXIAO_LIGHTHOUSE_RUNS ?? 3);
const BOUNDS = { performance: 90, accessibility: 95 };
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];
const READY_MS = 60_000;

const first = (paths, what) => {
  const found = paths.find((path) => path && existsSync(path));
  if (!found) throw new Error(`no ${what} at ${paths.filter(Boolean).join(', ')}`);
  return found;
};

const binary = first(
  [
    process.env.HEXIAO_BINARY && resolve(root, process.env.HEXIAO_BINARY),
    join(root, 'target/release/hexiao'),
    join(root, 'target/debug/hexiao'),
  ],
  'server',
);
const browserPath = first(
  [
    process.env.HEXIAO_BROWSER,
    process.env.CHROME_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ],
  'browser',
);

/** The real server with demo data, and the screens as they were built last. */
async function startServer(folder) {
  const args = ['serve', '--demo', '--json', '--listen', '127.0.0.1:0', '--drain-delay', '0'];
  args.push('--db', `sqlite:${join(folder, 'hexiao.db')}`, '--keys', join(folder, 'keys'));
  args.push('--second-factor', 'optional', '--log', 'warn', '--address-limit', '1000000');
  const dist = join(root, 'web/dist');
  if (existsSync(join(dist, 'index.html'))) args.push('--screens', dist);
  const child = spawn(binary, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const late = setTimeout(() => child.kill('SIGKILL'), READY_MS);
  let url;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue;
    const said = JSON.parse(line);
    if (said.address) url = said.address;
    if (said.users) {
      clearTimeout(late);
      return { child, url, users: said.users };
    }
  }
  throw new Error('the server ended before it was ready');
}

async function logIn(browser, { url, users }) {
  const { login, password } = users.find((user) => user.login === 'admin');
  const page = await browser.newPage();
  await page.goto(`${url}/favicon.svg`);
  const status = await page.evaluate(async (body) => {
    const headers = { 'Content-Type': 'application/json' };
    return (await fetch('/v1/sessions', { method: 'POST', headers, body })).status;
  }, JSON.stringify({ login, password }));
  if (status !== 201) throw new Error(`the log-in was answered with ${status}`);
  await page.close();
}

async function measureOnce(url, port, config) {
  const flags = { port, output: 'json', logLevel: 'error', disableStorageReset: true };
  const { lhr } = await lighthouse(url, { ...flags, onlyCategories: CATEGORIES }, config);
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
  const score = (name) => Math.round(lhr.categories[name].score * 100);
  const ms = (name) => Math.round(lhr.audits[name].numericValue);
  const said = {
    performance: score('performance'),
    accessibility: score('accessibility'),
    best_practices: score('best-practices'),
    first_contentful_paint_ms: ms('first-contentful-paint'),
    largest_contentful_paint_ms: ms('largest-contentful-paint'),
    total_blocking_time_ms: ms('total-blocking-time'),
    layout_shift: Math.round(lhr.audits['cumulative-layout-shift'].numericValue * 1000) / 1000,
  };
  return { said, lhr };
}

function median(results) {
  const sorted = results.toSorted((a, b) => a.said.performance - b.said.performance);
  return sorted[Math.floor(sorted.length / 2)];
}

async function measure(name, url, port, config) {
  const results = [];
  for (let run = 0; run < runs; run += 1) results.push(await measureOnce(url, port, config));
  const { said, lhr } = median(results);
  mkdirSync(join(root, 'target'), { recursive: true });
  writeFileSync(join(root, `target/lighthouse-${name}.json`), JSON.stringify(lhr));
  return said;
}

const folder = mkdtempSync(join(tmpdir(), 'hexiao-lighthouse-'));
let server;
let browser;
try {
  server = await startServer(folder);
  browser = await puppeteer.launch({
    executablePath: browserPath,
    headless: true,
    userDataDir: join(folder, 'browser'),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  });
  await logIn(browser, server);
  const port = Number(new URL(browser.wsEndpoint()).port);
  const page = `${server.url}/dashboard`;
  const told = {
    page: '/dashboard',
    server: binary.includes('/release/') ? 'release' : 'debug',
    browser: await browser.version(),
    runs,
    desktop: await measure('desktop', page, port, desktop),
    mobile: await measure('mobile', page, port, undefined),
  };
  console.log(JSON.stringify(told));
  for (const [preset, said] of Object.entries({ desktop: told.desktop, mobile: told.mobile }))
    for (const [name, least] of Object.entries(BOUNDS))
      if (said[name] < least) {
        console.error(`${preset}: ${name} is ${said[name]}, and has to be ${least}`);
        process.exitCode = 1;
      }
} finally {
  await browser?.close();
  server?.child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
