// A card holder and the cashier, each at a screen: a card comes into the wallet, its code is typed at the till, the
// balance follows, and the card goes to somebody else. And what happens to a card that is frozen or lost.
import type { Browser, Page } from '@playwright/test';
import { expect, test, type Server } from '../fixtures';
import { giftCard } from '../fixtures/cards.ts';
import { signIn } from '../fixtures/sign-in';

async function contextOf(browser: Browser, server: Server): Promise<Page> {
  const context = await browser.newContext({
    baseURL: server.url,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
  });
  return context.newPage();
}

async function windowOf(browser: Browser, server: Server, login: string): Promise<Page> {
  const page = await contextOf(browser, server);
  await signIn(page, server, login);
  return page;
}

/** Signs in with the code that the demo shows instead of sending it. */
async function openWallet(page: Page, server: Server, phone: string) {
  await page.goto(`/wallet?issuer=${server.demo.issuer}`);
  await page.getByLabel('手机号').fill(phone);
  await page.getByRole('button', { name: '获取验证码' }).click();
  const hint = page.getByRole('status').filter({ hasText: '验证码' });
  const code = /\d{6}/.exec((await hint.textContent()) ?? '')?.[0];
  await page.getByLabel('验证码').fill(code!);
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.getByRole('link', { name: '添加卡' })).toBeVisible();
}

/** Types a card's number or a code at the till for an amount. */
async function charge(page: Page, amount: string, card: string) {
  await page.goto('/till');
  await page.getByLabel('金额').fill(amount);
  await page.keyboard.press('Enter');
  await page.getByLabel('卡号或付款码').fill(card);
  await page.keyboard.press('Enter');
}

/** A card of the demo that has its whole value and belongs to nobody. */
function cardOf(server: Server, kind: string, place: number) {
  const card = server.demo.cards[kind]?.[place];
  if (!card) throw new Error(`the demo has too few cards of the kind ${kind}`);
  return card;
}

async function openCard(page: Page, number: string) {
  await page.goto('/cards');
  await page.getByLabel('卡号或卡片编号').fill(number);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: `卡片 •••• ${number.slice(-4)}` })).toBeVisible();
}

test('a holder pays at the till with a code, and gives the card away @postgres', async ({
  browser,
  server,
}) => {
  test.setTimeout(120_000);
  const card = cardOf(server, 'benefit', 7);
  const last4 = card.number.slice(-4);
  const holder = await contextOf(browser, server);
  await openWallet(holder, server, '13900000051');
  await holder.getByRole('link', { name: '添加卡' }).click();
  await holder.getByLabel('卡号').fill(card.number);
  await holder.getByLabel('卡密码').fill(card.pin!);
  await holder.getByRole('button', { name: '添加卡' }).click();
  await expect(holder.getByText(`•••• ${last4}`)).toBeVisible();
  await expect(holder.getByText('500.00').first()).toBeVisible();

  await holder.getByRole('link', { name: /付款/ }).first().click();
  const shown = await holder.getByText(/^28\d\d \d{4} \d{4} \d{4} \d{4}$/).textContent();
  const cashier = await windowOf(browser, server, 'cashier');
  await charge(cashier, '88.80', shown!);
  await expect(cashier.getByRole('heading', { name: '收款成功' })).toBeVisible();
  await cashier.context().close();

  await holder.goto('/wallet');
  await expect(holder.getByText('411.20').first()).toBeVisible();
  await holder.getByRole('link', { name: /详情/ }).click();
  await expect(holder.getByText('消费').first()).toBeVisible();

  await holder.getByRole('button', { name: '转赠' }).click();
  await holder.getByLabel('对方手机号').fill('13900000052');
  await holder.getByRole('dialog').getByRole('button', { name: '转赠' }).click();
  await expect(holder.getByText('等待接受')).toBeVisible();

  const friend = await contextOf(browser, server);
  await openWallet(friend, server, '13900000052');
  await friend.getByRole('link', { name: '去查看' }).click();
  await friend.getByRole('button', { name: '接受' }).click();
  await expect(friend.getByText('已接受')).toBeVisible();
  await friend.getByRole('link', { name: '返回' }).click();
  await expect(friend.getByText('411.20').first()).toBeVisible();
  await holder.goto('/wallet');
  await expect(holder.getByText('还没有卡')).toBeVisible();
  await friend.context().close();
  await holder.context().close();
});

test('a card that risk freezes is declined at the till in words @postgres', async ({
  browser,
  server,
}) => {
  const { number } = await giftCard(server);
  const risk = await windowOf(browser, server, 'risk');
  await openCard(risk, number);
  await risk.getByRole('button', { name: '冻结', exact: true }).click();
  const dialog = risk.getByRole('dialog');
  await dialog.getByLabel('原因').fill('短时间多店消费');
  await dialog.getByRole('button', { name: '冻结', exact: true }).click();
  await expect(risk.getByText('卡片已冻结')).toBeVisible();
  await risk.context().close();

  const cashier = await windowOf(browser, server, 'cashier');
  await charge(cashier, '10', number);
  await expect(cashier.getByRole('heading', { name: '未通过' })).toBeVisible();
  await expect(cashier.getByText(/冻结/)).toBeVisible();
  await cashier.context().close();
});

test('customer service replaces a lost card, and only the new one pays @postgres', async ({
  browser,
  server,
}) => {
  const { number } = cardOf(server, 'member', 8);
  // A stocked card for the counter: nobody at the service desk may make one, the manager orders them.
  const made = await server.call('POST', '/v1/cards', { program: server.demo.programs.member });
  const fresh = (made.body as { number: string }).number;

  const service = await windowOf(browser, server, 'service');
  await openCard(service, number);
  await service.getByRole('button', { name: '挂失', exact: true }).click();
  await service.getByRole('dialog').getByRole('button', { name: '挂失', exact: true }).click();
  await expect(service.getByText('已挂失').first()).toBeVisible();
  await service.getByRole('button', { name: '补换卡', exact: true }).click();
  const dialog = service.getByRole('dialog');
  await dialog.getByLabel('新卡').fill(fresh);
  await dialog.getByRole('button', { name: '补换', exact: true }).click();
  await expect(service.getByText('卡片已补换')).toBeVisible();
  await service.context().close();

  const cashier = await windowOf(browser, server, 'cashier');
  await charge(cashier, '10', number);
  await expect(cashier.getByRole('heading', { name: '未通过' })).toBeVisible();
  await cashier.getByRole('button', { name: '换一张卡' }).click();
  await cashier.getByLabel('卡号或付款码').fill(fresh);
  await cashier.keyboard.press('Enter');
  await expect(cashier.getByRole('heading', { name: '收款成功' })).toBeVisible();
  await cashier.context().close();
});
