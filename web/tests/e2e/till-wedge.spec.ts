// A plugged-in scanner types what it reads, wherever the cursor is: on every screen of the till that is either taken
// as a scan or left out, and never ends up in a field.
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures';
import { giftCard } from '../fixtures/cards.ts';

async function scan(page: Page, text: string) {
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

const amount = (page: Page) => page.getByLabel('金额', { exact: true });
const approved = (page: Page) =>
  expect(page.getByRole('heading', { name: '收款成功' })).toBeVisible();

test('a scan over a half typed amount leaves the amount alone', async ({
  page,
  server,
  signIn,
}) => {
  const { number } = await giftCard(server);
  await signIn('cashier');
  await page.goto('/till');
  await amount(page).fill('12');
  await page.getByRole('button', { name: '7', exact: true }).focus();
  await scan(page, number);
  await expect(page.getByText(`已读取卡 •••• ${number.slice(-4)}`)).toBeVisible();
  await expect(amount(page)).toHaveValue('12');
  await amount(page).focus();
  await scan(page, number);
  await expect(amount(page)).toHaveValue('12');
  await page.getByRole('button', { name: '下一步' }).click();
  await approved(page);
});

test('a scan that stalls on its way is one scan', async ({ page, server, signIn }) => {
  const { number } = await giftCard(server);
  await signIn('cashier');
  await page.goto('/till');
  await amount(page).fill('12');
  // What comes after the pause would pass for the number of another card.
  await page.keyboard.type(number.slice(0, 2));
  await page.waitForTimeout(300);
  await scan(page, number.slice(2));
  await expect(page.getByText(`已读取卡 •••• ${number.slice(-4)}`)).toBeVisible();
  await expect(amount(page)).toHaveValue('12');
  await page.getByRole('button', { name: '下一步' }).click();
  await approved(page);
});

test('after a decline the next scan is tried for the same amount', async ({
  page,
  server,
  signIn,
}) => {
  const [empty, full] = [await giftCard(server), await giftCard(server)];
  await signIn('cashier');
  await page.goto('/till');
  await server.call('POST', `/v1/cards/${empty.id}/freeze`, { reason: 'risk' });
  await amount(page).fill('3.30');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('卡号或付款码')).toBeFocused();
  await scan(page, empty.number);
  await expect(page.getByText('卡已冻结')).toBeVisible();
  await scan(page, full.number);
  await approved(page);
  await expect(page.getByText('¥3.30')).toBeVisible();

  // A receipt that is scanned into the amount of a refund is a receipt still.
  await page.getByRole('button', { name: '小票' }).click();
  const sale = (await page.getByRole('dialog').getByText(/^op_/).textContent())!;
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: '下一笔' }).click();
  await page.getByRole('button', { name: '退款', exact: true }).click();
  await page.getByLabel('小票编号').blur();
  await scan(page, sale);
  await expect(page.getByLabel('退款金额')).toHaveValue('3.30');
  await scan(page, sale);
  await expect(page.getByLabel('退款金额')).toHaveValue('3.30');
});

test('a payment code of a phone is scanned, and stands for the PIN', async ({
  page,
  browser,
  server,
  signIn,
}) => {
  const card = server.demo.cards.benefit![3]!;
  const phone = await browser.newContext({ baseURL: server.url, locale: 'zh-CN' });
  const wallet = await phone.newPage();
  // Its clock is five minutes fast; the wallet goes by the server's.
  await wallet.clock.install({ time: Date.now() + 300_000 });
  await wallet.goto(`/wallet?issuer=${server.demo.issuer}`);
  await wallet.getByLabel('手机号').fill('13900000053');
  await wallet.getByRole('button', { name: '获取验证码' }).click();
  const hint = wallet.getByRole('status').filter({ hasText: '验证码' });
  await wallet.getByLabel('验证码').fill(/\d{6}/.exec((await hint.textContent()) ?? '')![0]);
  await wallet.getByRole('button', { name: '登录' }).click();
  await wallet.getByRole('link', { name: '添加卡' }).click();
  await wallet.getByLabel('卡号').fill(card.number);
  await wallet.getByLabel('卡密码').fill(card.pin!);
  await wallet.getByRole('button', { name: '添加卡' }).click();
  await wallet.getByRole('link', { name: '付款' }).click();
  const digits = wallet.getByText(/^28\d\d( \d{4}){4}$/);
  const codeNow = async () => (await digits.textContent())!.replaceAll(' ', '');

  await signIn('cashier');
  await page.goto('/till');
  const sell = async (code: string) => {
    await amount(page).fill('2');
    await page.keyboard.press('Enter');
    await expect(page.getByLabel('卡号或付款码')).toBeFocused();
    await scan(page, code);
  };
  const first = await codeNow();
  await sell(first);
  await approved(page);
  await page.getByRole('button', { name: '下一笔' }).click();

  // The same code again is refused in words that help.
  await sell(first);
  await expect(page.getByRole('alert')).toContainText('只能用一次');
  await page.getByRole('button', { name: '返回' }).click();
  await page.getByRole('button', { name: '取消' }).click();

  // Somebody sets the clock right, then far back, while the code is shown.
  const asked = wallet.waitForResponse('**/v1/wallet/session');
  await wallet.clock.setSystemTime(Date.now() - 3_600_000);
  await asked;
  // Until the wallet has followed it shows a code of an hour ago, then the first one until that one's time is over.
  let next = first;
  const isGood = async () => {
    next = await codeNow();
    if (next === first) return false;
    return (await server.call('POST', '/v1/cards/lookup', { code: next })).status === 200;
  };
  await expect.poll(isGood, { timeout: 40_000 }).toBe(true);
  await sell(next);
  await approved(page);
  await phone.close();
});
