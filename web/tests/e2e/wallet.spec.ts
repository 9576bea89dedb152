// The wallet on a real server: signing in, codes with and without a network, and a card on its way to somebody else.
import type { Page } from '@playwright/test';
import { expect, expectAccessible, test, type Server } from '../fixtures';

const HOLDER = '13800000001';

async function signIn(page: Page, server: Server, phone: string) {
  await page.goto(`/wallet?issuer=${server.demo.issuer}`);
  await page.getByLabel('手机号').fill(phone);
  await page.getByRole('button', { name: '获取验证码' }).click();
  const hint = page.getByRole('status').filter({ hasText: '验证码' });
  const code = /\d{6}/.exec((await hint.textContent()) ?? '')?.[0];
  expect(code).toBeDefined();
  await page.getByLabel('验证码').fill(code!);
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.getByRole('link', { name: '添加卡' })).toBeVisible();
}

/** Puts a card with a PIN into the wallet that is open. */
async function addCard(page: Page, server: Server, place: number): Promise<string> {
  const card = server.demo.cards.benefit?.[place];
  if (!card?.pin) throw new Error('the demo has too few cards with a PIN');
  await page.getByRole('link', { name: '添加卡' }).click();
  await page.getByLabel('卡号').fill(card.number);
  await page.getByLabel('卡密码').fill(card.pin);
  await page.getByRole('button', { name: '添加卡' }).click();
  await expect(page.getByText(`•••• ${card.number.slice(-4)}`)).toBeVisible();
  return card.number;
}

const codeOf = async (page: Page) => {
  const text = await page.getByText(/^28\d\d \d{4} \d{4} \d{4} \d{4}$/).textContent();
  return text!.replaceAll(' ', '');
};

const pay = (server: Server, code: string, key: string) =>
  fetch(`${server.url}/v1/redemptions`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${server.demo.cashier_key}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
    },
    body: JSON.stringify({
      card: { code },
      amount: 100,
      currency: 'CNY',
      store: server.demo.store,
    }),
  });

test('a holder pays with a code, which works once @postgres', async ({ page, server }) => {
  await page.goto(`/wallet?issuer=${server.demo.issuer}`);
  await expectAccessible(page);
  await signIn(page, server, HOLDER);
  await expectAccessible(page);
  await page.getByRole('link', { name: /付款/ }).first().click();
  const code = await codeOf(page);
  await expectAccessible(page);
  const key = `wallet-e2e-${code}`;
  const paid = await pay(server, code, key);
  expect(paid.status).toBe(201);
  expect(await paid.json()).toMatchObject({ status: 'approved', approved: 100 });
  const again = await pay(server, code, `${key}-again`);
  expect(await again.json()).toMatchObject({ code: 'code_used' });
});

test('a code is shown without a network, and nothing that could pay is in storage', async ({
  page,
  context,
  server,
}) => {
  // A phone of its own: each gets one code a minute.
  await signIn(page, server, '13900000031');
  await addCard(page, server, 1);
  await page.getByRole('link', { name: '付款' }).click();
  const first = await codeOf(page);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const storage = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(storage).not.toContain(first);
  const answers = await page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return all.flat().map((request) => new URL(request.url).pathname);
  });
  expect(answers.length).toBeGreaterThan(10);
  expect(answers.filter((path) => path.startsWith('/v1'))).toEqual([]);

  await context.setOffline(true);
  await page.reload();
  const offline = await codeOf(page);
  const paid = await pay(server, offline, `wallet-offline-${offline}`);
  expect([201, 409]).toContain(paid.status); // 409: the same step as before, if the test was quick
  if (paid.status === 201) expect(await paid.json()).toMatchObject({ status: 'approved' });
  await page.goto('/wallet');
  await expect(page.getByText('付款码仍可使用')).toBeVisible();
  await context.setOffline(false);
});

test('a card is added, given away, accepted, and reported lost', async ({
  page,
  browser,
  server,
}) => {
  await signIn(page, server, '13900000021');
  await addCard(page, server, 0);
  await expectAccessible(page);

  await page.getByRole('button', { name: '转赠' }).click();
  await page.getByLabel('对方手机号').fill('13900000022');
  await page.getByRole('dialog').getByRole('button', { name: '转赠' }).click();
  await expect(page.getByText('等待接受')).toBeVisible();
  await expectAccessible(page);

  const other = await browser.newContext({ baseURL: server.url, locale: 'zh-CN' });
  const receiver = await other.newPage();
  await signIn(receiver, server, '13900000022');
  await receiver.getByRole('link', { name: '去查看' }).click();
  await receiver.getByRole('button', { name: '接受' }).click();
  await expect(receiver.getByText('已接受')).toBeVisible();
  await receiver.getByRole('link', { name: '返回' }).click();
  await receiver.getByRole('link', { name: /详情/ }).click();
  await receiver.getByRole('button', { name: '挂失' }).click();
  await receiver.getByRole('dialog').getByRole('button', { name: '挂失' }).click();
  await expect(receiver.getByText('已挂失').first()).toBeVisible();
  await other.close();

  await page.goto('/wallet');
  await expect(page.getByText('还没有卡')).toBeVisible();
});

test('the wallet fits from 360 pixels to 4K', async ({ page, server }) => {
  await signIn(page, server, '13900000041');
  for (const [width, height] of [
    [360, 740],
    [1024, 768],
    [3840, 2160],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const path of ['/wallet', '/wallet/gifts', '/wallet/add']) {
      await page.goto(path);
      await page.waitForLoadState('networkidle');
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect(sideways, `${path}, ${width} pixels wide`).toBe(false);
    }
  }
});
