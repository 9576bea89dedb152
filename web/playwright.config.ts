// The screens in a real browser, on a real server with demo data: each worker starts its own, on a free port.
//
//   sqlite       every test of tests/e2e, on a database in a file
//   postgres     those of them that are tagged @postgres, on PostgreSQL (HEXIAO_DB names it; scripts/web starts one)
//   screenshots  tests/screenshots: pictures of every page into target/screenshots
//   speed        tests/speed: how long a slow phone takes; by `scripts/web speed`, as one line of JSON
//
// Motion is off, as for people who asked their system for that: a click on what still moves may land beside it.
// Only e2e/motion.spec.ts turns it on.
//
// The browser is the system's. Nothing is downloaded, and no test is tried again: a flaky test is a bug.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from '@playwright/test';
import type { ServerOptions } from './tests/fixtures/server.ts';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.HEXIAO_BROWSER ?? BROWSERS.find((path) => existsSync(path));
if (!executablePath)
  throw new Error(
    `no browser at ${BROWSERS.join(', ')}: run scripts/setup screens, or set HEXIAO_BROWSER`,
  );

const workers = Number(
  process.env.HEXIAO_BROWSER_WORKERS ?? Math.max(1, Math.floor(availableParallelism() / 2)),
);

export default defineConfig<object, ServerOptions>({
  testDir: './tests',
  outputDir: './test-results',
  forbidOnly: !!process.env.CI,
  retries: 0,
  workers,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['./tests/fixtures/last-words.ts']],
  use: {
    browserName: 'chromium',
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    viewport: { width: 1440, height: 900 },
    contextOptions: { reducedMotion: 'reduce' },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath,
      headless: true,
      // Nothing that a browser does by itself: no look-ups, no updates, no QUIC.
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'sqlite', testMatch: 'e2e/**/*.spec.ts', use: { database: 'sqlite' } },
    // One server on the one database: a worker that is started again finds the demo data that it left.
    {
      name: 'postgres',
      testMatch: 'e2e/**/*.spec.ts',
      grep: /@postgres/,
      workers: 1,
      use: { database: 'postgres' },
    },
    {
      name: 'speed',
      testMatch: 'speed/**/*.spec.ts',
      workers: 1,
      use: { database: 'sqlite', trace: 'off' },
    },
    { name: 'screenshots', testMatch: 'screenshots/**/*.spec.ts', use: { database: 'sqlite' } },
  ],
});
