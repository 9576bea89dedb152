// A sale whose answer is lost, however it is lost: each ends as one charge or none, never as two.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test, type Server } from '../fixtures';
import { giftCard } from '../fixtures/cards.ts';
import { signIn as logIn } from '../fixtures/sign-in.ts';

const UNSETTLED = 'hexiao.till.unsettled';

async function available(server: Server, id: string): Promise<number> {
  const { body } = await server.call('GET', `/v1/cards/${id}`);
  return (body as { card: { available: number } }).card.available;
}

async function scan(page: Page, text: string) {
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

async function sell(page: Page, amount: string, number: string) {
  await page.goto('/till');
  await page.getByLabel('金额', { exact: true }).fill(amount);
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('卡号或付款码')).toBeFocused();
  await scan(page, number);
}

const approved = (page: Page) =>
  expect(page.getByRole('heading', { name: '收款成功' })).toBeVisible();
const kept = (page: Page) =>
  page.evaluate((place) => localStorage.getItem(place) ?? '[]', UNSETTLED);

/** The server books it; its answer goes astray. */
async function bookAndLose(page: Page) {
  await page.route('**/v1/redemptions', async (route) => {
    await route.fetch();
    await route.abort('connectionreset');
  });
}

async function settle(page: Page) {
  await page.getByRole('button', { name: /待确认/ }).click();
  await page.getByRole('button', { name: '查询结果' }).click();
  await approved(page);
  await page.getByRole('button', { name: '完成' }).click();
  expect(await kept(page)).toBe('[]');
}

test('a browser that is closed and opened again finds the sale it left', async ({
  playwright,
  server,
  launchOptions,
}) => {
  const card = await giftCard(server);
  const before = await available(server, card.id);
  const profile = mkdtempSync(join(tmpdir(), 'hexiao-profile-'));
  const open = () =>
    playwright.chromium.launchPersistentContext(profile, {
      ...launchOptions,
      baseURL: server.url,
      locale: 'zh-CN',
    });
  try {
    const first = await open();
    const page = await first.newPage();
    await logIn(page, server, 'cashier');
    await bookAndLose(page);
    await sell(page, '21', card.number);
    await expect(page.getByText('连接中断')).toBeVisible();
    const everything = await page.evaluate(async () => {
      const names = (await indexedDB.databases()).map(({ name }) => name);
      return JSON.stringify({ ...localStorage, ...sessionStorage, names });
    });
    expect(everything).not.toContain(card.number);
    await first.close();

    const second = await open();
    const again = await second.newPage();
    await logIn(again, server, 'cashier');
    await again.goto('/till');
    await settle(again);
    await second.close();
    expect(await available(server, card.id)).toBe(before - 2100);
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
});

test('a server that is started again in the middle of a sale charges once', async ({
  page,
  server,
  signIn,
}) => {
  test.slow();
  const card = await giftCard(server);
  const before = await available(server, card.id);
  await signIn('cashier');
  let start: Awaited<ReturnType<Server['halt']>> | undefined;
  let attempts = 0;
  await page.route('**/v1/redemptions', async (route) => {
    attempts += 1;
    if (attempts > 1) return route.continue();
    // Booked, and the server is gone before it can say so.
    await route.fetch();
    start = await server.halt();
    return route.abort('connectionreset');
  });
  await sell(page, '17', card.number);
  await expect(page.getByText('连接中断')).toBeVisible();
  await start!();
  // The till's session went with the old passwords: what is in doubt waits for the cashier to be back.
  await page.getByRole('button', { name: '查询结果' }).click();
  const door = page.getByRole('dialog', { name: '登录已过期' });
  const { login, password } = server.demo.users.find((user) => user.login === 'cashier')!;
  await door.getByLabel('账号').fill(login);
  await door.getByLabel('密码').fill(password);
  await door.getByRole('button', { name: '登录' }).click();
  await expect(door).toHaveCount(0);
  await page.getByRole('button', { name: '查询结果' }).click();
  await approved(page);
  await page.getByRole('button', { name: '完成' }).click();
  expect(attempts).toBeGreaterThan(1);
  expect(await available(server, card.id)).toBe(before - 1700);
  expect(await kept(page)).toBe('[]');
});

test('two tabs of one till leave each other what is theirs, until one is closed', async ({
  page,
  context,
  server,
  signIn,
}) => {
  const [lost, other] = [await giftCard(server), await giftCard(server)];
  const before = [await available(server, lost.id), await available(server, other.id)];
  await signIn('cashier');
  await bookAndLose(page);
  await sell(page, '9', lost.number);
  await expect(page.getByText('连接中断')).toBeVisible();

  const second = await context.newPage();
  await sell(second, '4', other.number);
  await approved(second);
  // The first tab still sends; nobody else calls that in doubt, and nobody else's success removes it.
  await expect(second.getByRole('button', { name: /待确认/ })).toHaveCount(0);
  expect(await kept(second)).toContain('"amount":900');

  await page.close();
  await settle(second);
  expect(await available(server, lost.id)).toBe(before[0]! - 900);
  expect(await available(server, other.id)).toBe(before[1]! - 400);
});
