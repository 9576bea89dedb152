// The till on a real server: a sale, a refund, and what happens when the connection is lost in between.
import type { Page, Route } from '@playwright/test';
import { expect, expectAccessible, test, type Server } from '../fixtures';
import { giftCard } from '../fixtures/cards.ts';

const UNSETTLED = 'hexiao.till.unsettled';

interface Operation {
  id: string;
  kind: string;
  status: string;
  approved: number;
  decline?: { code: string };
}

async function available(server: Server, id: string): Promise<number> {
  const { body } = await server.call('GET', `/v1/cards/${id}`);
  return (body as { card: { available: number } }).card.available;
}

/** What a plugged-in scanner does: keys without a pause, then Enter. */
async function scan(page: Page, text: string) {
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

async function enterAmount(page: Page, amount: string) {
  await page.getByLabel('金额').fill(amount);
  await page.keyboard.press('Enter');
  await expect(page.getByText('应收')).toBeVisible();
}

const openTill = async (page: Page) => {
  await page.goto('/till');
  await expect(page.getByLabel('金额')).toBeVisible();
};

/** How many refunds the day's figures count; other tests sold here before. */
async function refundsToday(page: Page): Promise<number> {
  await page.getByRole('button', { name: '今日' }).press('Enter');
  const said = page.getByText(/^退款 \d+ 笔|^今天还没有交易/);
  return Number((await said.textContent())!.match(/\d+/)?.[0] ?? 0);
}

const kept = (page: Page) =>
  page.evaluate((place) => localStorage.getItem(place) ?? '[]', UNSETTLED);

test('a cashier logs in, sells and refunds without a mouse @postgres', async ({ page, server }) => {
  const { id, number } = await giftCard(server);
  const before = await available(server, id);
  const { login, password } = server.demo.users.find((user) => user.login === 'cashier')!;
  await page.goto('/till');
  await expect(page.getByLabel('账号')).toBeFocused();
  await page.keyboard.type(login);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('金额')).toBeFocused();
  await expectAccessible(page);

  const already = await refundsToday(page);
  await page.getByRole('button', { name: '收款', exact: true }).press('Enter');
  await expect(page.getByLabel('金额')).toBeFocused();
  await page.keyboard.type('35');
  await page.keyboard.press('Enter');
  await expectAccessible(page);
  await scan(page, number);
  await expect(page.getByRole('heading', { name: '收款成功' })).toBeVisible();
  await expectAccessible(page);
  expect(await available(server, id)).toBe(before - 3500);

  await page.getByRole('button', { name: '小票' }).click();
  const receipt = page.getByRole('dialog', { name: '小票' });
  const operation = await receipt.getByText(/^op_/).textContent();
  await expect(receipt.getByRole('img', { name: /op_/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: '下一笔' }).press('Enter');

  await page.getByRole('button', { name: '退款', exact: true }).press('Enter');
  await scan(page, operation!);
  await expect(page.getByLabel('退款金额')).toHaveValue('35.00');
  await page.getByLabel('退款金额').fill('10');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: '退款成功' })).toBeVisible();
  expect(await available(server, id)).toBe(before - 2500);
  expect(await kept(page)).toBe('[]');

  expect(await refundsToday(page)).toBe(already + 1);
  await expectAccessible(page);
});

test('takes what a card has, and says what is still to pay', async ({ page, server, signIn }) => {
  const { id, number } = await giftCard(server);
  expect(await available(server, id)).toBeGreaterThan(0);
  await signIn('cashier');
  await openTill(page);
  await enterAmount(page, '9999');
  await scan(page, number);
  await expect(page.getByText('余额不足', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: /先扣卡内/ }).click();
  await expect(page.getByRole('heading', { name: '收款成功' })).toBeVisible();
  await expect(page.getByText('还需另付')).toBeVisible();
  expect(await available(server, id)).toBe(0);
});

test('a connection that is lost in the middle of a sale charges once @postgres', async ({
  page,
  server,
  signIn,
}) => {
  const { id, number } = await giftCard(server);
  const before = await available(server, id);
  await signIn('cashier');
  await openTill(page);
  const keys = new Set<string>();
  let attempts = 0;
  await page.route('**/v1/redemptions', async (route) => {
    attempts += 1;
    keys.add(route.request().headers()['idempotency-key'] ?? '');
    // Twice the server gets the request, and its answer is lost on the way.
    if (attempts <= 2) {
      await route.fetch();
      return route.abort('connectionreset');
    }
    return route.continue();
  });
  await enterAmount(page, '12.34');
  await scan(page, number);
  await expect(page.getByRole('heading', { name: '收款成功' })).toBeVisible();
  expect(attempts).toBe(3);
  expect(keys.size).toBe(1);
  expect(await available(server, id)).toBe(before - 1234);
  expect(await kept(page)).toBe('[]');
});

/** Sends a sale whose answer never comes, then loads the page anew, as after a crash. */
async function loseAnswer(
  page: Page,
  number: string,
  amount: string,
  onRequest: (route: Route) => Promise<unknown>,
) {
  await page.route('**/v1/redemptions', async (route) => {
    await onRequest(route);
    await route.abort('connectionreset');
  });
  await enterAmount(page, amount);
  await scan(page, number);
  await expect(page.getByText('连接中断')).toBeVisible();
  const storage = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(storage).not.toContain(number);
  page.once('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await page.unroute('**/v1/redemptions');
  await page.getByRole('button', { name: /待确认/ }).click();
}

test('after a reload, a sale that was stored is found by its key', async ({
  page,
  server,
  signIn,
}) => {
  const { id, number } = await giftCard(server);
  const before = await available(server, id);
  await signIn('cashier');
  await openTill(page);
  await loseAnswer(page, number, '20', (route) => route.fetch());
  await expectAccessible(page);
  await page.getByRole('button', { name: '查询结果' }).click();
  await expect(page.getByRole('heading', { name: '收款成功' })).toBeVisible();
  await page.getByRole('button', { name: '完成' }).click();
  expect(await kept(page)).toBe('[]');
  expect(await available(server, id)).toBe(before - 2000);
});

test('after a reload, a sale that never arrived is kept from arriving late', async ({
  page,
  server,
  signIn,
}) => {
  const { id, number } = await giftCard(server);
  const before = await available(server, id);
  await signIn('cashier');
  await openTill(page);
  let lost: { key: string; body: string } | undefined;
  await loseAnswer(page, number, '20', async (route) => {
    lost = {
      key: route.request().headers()['idempotency-key'] ?? '',
      body: route.request().postData() ?? '',
    };
  });
  await page.getByRole('button', { name: '查询结果' }).click();
  await expect(page.getByText('服务器没有收到这笔请求')).toBeVisible();
  await page.getByRole('button', { name: '冲正' }).click();
  await expect(page.getByRole('heading', { name: '已冲正' })).toBeVisible();
  await page.getByRole('button', { name: '完成' }).click();
  expect(await kept(page)).toBe('[]');

  // The request arrives after all, from the same cashier.
  const late = await page.evaluate(async ({ key, body }) => {
    const session = (await (await fetch('/v1/sessions/current')).json()) as { csrf_token: string };
    const headers = {
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
      'X-CSRF-Token': session.csrf_token,
    };
    return (
      await fetch('/v1/redemptions', { method: 'POST', headers, body })
    ).json() as Promise<unknown>;
  }, lost!);
  expect((late as Operation).decline?.code).toBe('reversed_before_arrival');
  expect(await available(server, id)).toBe(before);
});

test('without a server nothing can be sold, and the page says so', async ({ page, signIn }) => {
  await signIn('cashier');
  await openTill(page);
  await page.route('**/healthz', (route) => route.abort('internetdisconnected'));
  await page.evaluate(() => dispatchEvent(new Event('offline')));
  await expect(page.getByRole('alert')).toContainText('无法连接服务器');
  await expect(page.getByRole('button', { name: '下一步' })).toBeDisabled();
  await page.unroute('**/healthz');
  await expect(page.getByRole('button', { name: '下一步' })).toBeEnabled();
});

test('the till fits from 360 pixels to 4K', async ({ page, signIn }) => {
  await signIn('cashier');
  for (const [width, height] of [
    [360, 740],
    [1024, 768],
    [3840, 2160],
  ] as const) {
    await page.setViewportSize({ width, height });
    await openTill(page);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(sideways, `${width} pixels wide`).toBe(false);
  }
});
