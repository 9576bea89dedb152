// How long a card holder waits on a middling phone in a mobile network, from the tap on the link to the field, the
// cards or the payment code being there. Nothing is in any cache: each time is the first time.
//
// The profile is Lighthouse's for mobile, applied by the browser while it loads, not computed afterwards: 150 ms
// for each round trip, 1.6 Mbit/s down, 750 kbit/s up, and a processor four times slower than this machine's.
//
// Writes one line of JSON to HEXIAO_SPEED_OUT (target/web-speed.json): medians over HEXIAO_SPEED_RUNS runs (5), in ms.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, type Server, test } from '../fixtures';

const PHONE = '13800000001';
const runs = Number(process.env.HEXIAO_SPEED_RUNS ?? 5);
const out = resolve(
  import.meta.dirname,
  '../../..',
  process.env.HEXIAO_SPEED_OUT ?? 'target/web-speed.json',
);
/** What "usable" is held to, and with it this test. */
const BUDGET_MS = 1_500;

const PROFILE = { round_trip_ms: 150, down_kbit_s: 1600, up_kbit_s: 750, cpu_slowdown: 4 };
const DEVICE = {
  viewport: { width: 412, height: 823 },
  deviceScaleFactor: 1.75,
  isMobile: true,
  hasTouch: true,
  locale: 'zh-CN',
  reducedMotion: 'no-preference' as const,
  // It would be a cache, and it is not there on a first visit.
  serviceWorkers: 'block' as const,
};

/** Asks the page itself, at each frame: what the browser's own protocol costs is not part of the wait. */
function watch(selector: string) {
  const waiting = window as unknown as { usableAt?: number };
  const look = () => {
    const found = document.querySelector(selector);
    if (found?.checkVisibility() && !found.matches(':disabled')) {
      // The frame after the one that it was first in: it has been painted then.
      requestAnimationFrame(() => (waiting.usableAt = performance.now()));
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

interface Visit {
  ms: number;
  requests: number;
  kib: number;
  script_ms: number;
}

async function visit(context: BrowserContext, url: string, selector: string): Promise<Visit> {
  const page = await context.newPage();
  const protocol = await context.newCDPSession(page);
  let requests = 0;
  let bytes = 0;
  protocol.on('Network.responseReceived', () => (requests += 1));
  protocol.on('Network.loadingFinished', (done) => (bytes += done.encodedDataLength));
  await protocol.send('Network.enable');
  await protocol.send('Performance.enable');
  await protocol.send('Network.clearBrowserCache');
  await protocol.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: PROFILE.round_trip_ms,
    downloadThroughput: (PROFILE.down_kbit_s * 1000) / 8,
    uploadThroughput: (PROFILE.up_kbit_s * 1000) / 8,
  });
  await protocol.send('Emulation.setCPUThrottlingRate', { rate: PROFILE.cpu_slowdown });
  await page.addInitScript(watch, selector);
  await page.goto(url, { waitUntil: 'commit' });
  const at = await page.waitForFunction(
    () => (window as unknown as { usableAt?: number }).usableAt,
    undefined,
    { polling: 100 },
  );
  const ms = Math.round((await at.jsonValue()) ?? NaN);
  const { metrics } = await protocol.send('Performance.getMetrics');
  const script = metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? NaN;
  await page.close();
  return {
    ms,
    requests,
    kib: Math.round(bytes / 102.4) / 10,
    script_ms: Math.round(script * 1000),
  };
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function measure(visits: () => Promise<Visit>) {
  const all: Visit[] = [];
  for (let run = 0; run < runs; run++) all.push(await visits());
  const of = (name: keyof Visit) => median(all.map((one) => one[name]));
  return {
    ms: of('ms'),
    worst_ms: Math.max(...all.map(({ ms }) => ms)),
    requests: of('requests'),
    kib: of('kib'),
    script_ms: of('script_ms'),
  };
}

async function signIn(page: Page, server: Server) {
  await page.goto(`/wallet?issuer=${server.demo.issuer}`);
  await page.getByLabel('手机号').fill(PHONE);
  await page.getByRole('button', { name: '获取验证码' }).click();
  const hint = page.getByRole('status').filter({ hasText: '验证码' });
  const code = /\d{6}/.exec((await hint.textContent()) ?? '')?.[0];
  await page.getByLabel('验证码').fill(code!);
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.getByRole('link', { name: '添加卡' })).toBeVisible();
}

test('the wallet can be used soon on a slow phone', async ({ browser, server }) => {
  test.setTimeout(60_000 + runs * 30_000);
  const wallet = `${server.url}/wallet?issuer=${server.demo.issuer}`;
  const stranger = async () => {
    const context = await browser.newContext(DEVICE);
    const seen = await visit(context, wallet, 'input[type=tel]');
    await context.close();
    return seen;
  };
  const sign_in = await measure(stranger);

  const context = await browser.newContext({ ...DEVICE, baseURL: server.url });
  const page = await context.newPage();
  await signIn(page, server);
  await page.getByRole('link', { name: /付款/ }).first().click();
  await expect(page.getByText(/^28\d\d( \d{4}){4}$/)).toBeVisible();
  const code = page.url();
  const cards = await measure(() => visit(context, wallet, 'a[href$="/pay"]'));
  const payment_code = await measure(() => visit(context, code, 'section progress'));
  await context.close();

  const result = {
    name: 'wallet-first-load',
    runs,
    profile: PROFILE,
    sign_in,
    cards,
    payment_code,
  };
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(result)}\n`);
  for (const [name, { ms }] of Object.entries({ sign_in, cards, payment_code }))
    expect.soft(ms, `${name}, median of ${runs}`).toBeLessThanOrEqual(BUDGET_MS);
});
