// A day's work from log-in to result, each step by the person whose work it is and on that person's screen: a kind of
// card is designed, cards are made, sold, redeemed and refunded, the day is closed, the payout approved, and all of it
// read in the audit trail. Nothing is done beside the screens.
import { readFileSync } from 'node:fs';
import type { Browser, Page } from '@playwright/test';
import { expect, test, type Server } from '../fixtures';
import { signIn } from '../fixtures/sign-in';

/** A window of one person. */
async function windowOf(browser: Browser, server: Server, login: string): Promise<Page> {
  const context = await browser.newContext({
    baseURL: server.url,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
  });
  const page = await context.newPage();
  await signIn(page, server, login);
  return page;
}

/** Chooses an entry of a list that opens. */
async function choose(page: Page, label: string, entry: string | RegExp) {
  await page.getByRole('dialog').getByRole('combobox', { name: label }).click();
  await page.keyboard.type(typeof entry === 'string' ? entry : '');
  await page.locator('.ant-select-item-option').filter({ hasText: entry }).first().click();
}

/** A prefix that no other run took: the databases of some runs outlive them. */
const freshPrefix = () => `77${String(Date.now() % 1_000_000).padStart(6, '0')}`;

async function designProgram(page: Page, name: string) {
  await page.goto('/programs/new');
  await page.getByLabel('名称').fill(name);
  await page.getByLabel('卡号前缀').fill(freshPrefix());
  await page.getByRole('radio', { name: '固定面值' }).check();
  await page.getByLabel('面值 1').fill('500');
  await expect(page.getByText('这些规则没有问题')).toBeVisible();
  await page.getByRole('button', { name: '新建' }).click();
  await expect(page.getByRole('heading', { name })).toBeVisible();
}

async function askForBatch(page: Page, program: string) {
  await page.goto('/batches');
  await page.getByRole('button', { name: '新建批次' }).click();
  await choose(page, '卡种', program);
  await page.getByRole('dialog').getByLabel('数量').fill('30');
  await choose(page, '面值', '500');
  await page.getByRole('button', { name: '制卡', exact: true }).click();
  await expect(page.getByText(/等待第二人审批/)).toBeVisible();
}

/** The second person opens the newest request in the inbox, reads it, and lets it happen. */
async function approveNewest(page: Page) {
  await page.goto('/approvals');
  await page.getByRole('link', { name: '批量制卡' }).first().click();
  const drawer = page.getByRole('dialog').first();
  await expect(drawer.getByText('卡种经理 Manager')).toBeVisible();
  await drawer.getByRole('button', { name: '通过' }).click();
  await page.getByRole('dialog').last().getByRole('button', { name: '确认' }).click();
  await expect(drawer.getByText('已通过')).toBeVisible();
}

/** The numbers of the batch, which leave once. */
async function exportOnce(page: Page, program: string): Promise<string[]> {
  await page.goto('/batches');
  await page.getByRole('row').filter({ hasText: program }).getByRole('link').first().click();
  await expect(page).toHaveURL(/\/batches\/batch_/);
  await page.getByRole('button', { name: '导出卡号和密码' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: '导出（仅一次）' })).toBeDisabled();
  await dialog.getByRole('checkbox').check();
  const coming = page.waitForEvent('download');
  await dialog.getByRole('button', { name: '导出（仅一次）' }).click();
  const file = readFileSync(await (await coming).path(), 'utf8');
  await expect(page.getByText('卡号和密码已导出', { exact: false }).first()).toBeVisible();
  await expect(page.getByRole('button', { name: '导出卡号和密码' })).toHaveCount(0);
  return [...file.matchAll(/\b\d{16}\b/g)].map(([number]) => number);
}

/** A card from stock is sold by the number that is on it. */
async function sellCard(page: Page, number: string, program: string) {
  await page.goto('/cards');
  await page.getByRole('button', { name: '售卡' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('卡号或卡片编号').fill(number);
  await choose(page, '卡种', program);
  await dialog.getByRole('button', { name: '售出' }).click();
  await expect(page.getByRole('heading', { name: `卡片 •••• ${number.slice(-4)}` })).toBeVisible();
}

async function openCard(page: Page, number: string) {
  await page.goto('/cards');
  await page.getByLabel('卡号或卡片编号').fill(number);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: `卡片 •••• ${number.slice(-4)}` })).toBeVisible();
}

/** A sale at the till; answers what the receipt is called. */
async function redeem(page: Page, number: string, amount: string): Promise<string> {
  await page.goto('/till');
  await page.getByLabel('金额').fill(amount);
  await page.keyboard.press('Enter');
  await page.getByLabel('卡号或付款码').fill(number);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: '收款成功' })).toBeVisible();
  await page.getByRole('button', { name: '小票' }).click();
  const receipt = await page.getByRole('dialog').getByText(/^op_/).textContent();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: '下一笔' }).click();
  return receipt!;
}

async function refund(page: Page, receipt: string, amount: string) {
  await page.getByRole('button', { name: '退款', exact: true }).click();
  await page.getByLabel('小票编号').fill(receipt);
  await page.keyboard.press('Enter');
  await page.getByLabel('退款金额').fill(amount);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: '退款成功' })).toBeVisible();
}

/** Closes the running period of a merchant, and opens its newest statement. */
async function closeDay(page: Page, merchant: string) {
  await page.goto('/statements');
  await page.getByRole('button', { name: '日结' }).click();
  await choose(page, '提前结清的商户（可选）', merchant);
  await page.getByRole('dialog').getByRole('button', { name: '日结' }).click();
  await expect(page.getByRole('status').filter({ hasText: /已结 \d+ 张结算单/ })).toBeVisible();
  await page.keyboard.press('Escape');
  const closed = page.getByRole('row').filter({ hasText: merchant }).filter({ hasText: '已结' });
  await closed.first().getByRole('link').first().click();
  await expect(page.getByRole('heading', { name: '从核销到打款' })).toBeVisible();
}

async function downloadXlsx(page: Page) {
  await page.getByRole('button', { name: '下载单据' }).click();
  const coming = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'Excel (XLSX)' }).click();
  const bytes = readFileSync(await (await coming).path());
  expect(bytes.subarray(0, 2).toString()).toBe('PK');
}

test('from a new kind of card to its payout, each by who may @postgres', async ({
  browser,
  server,
}) => {
  test.setTimeout(240_000);
  const program = `开业礼品卡 ${Date.now() % 100_000}`;
  let number = '';
  let receipt = '';

  await test.step('the manager designs a program and asks for more cards than one may alone', async () => {
    const manager = await windowOf(browser, server, 'manager');
    await designProgram(manager, program);
    await askForBatch(manager, program);
    await manager.context().close();
  });

  await test.step('the second person reads the request and approves it', async () => {
    const checker = await windowOf(browser, server, 'checker');
    await approveNewest(checker);
    await checker.context().close();
  });

  await test.step('the manager has the cards, and their numbers once', async () => {
    const manager = await windowOf(browser, server, 'manager');
    const numbers = await exportOnce(manager, program);
    expect(numbers).toHaveLength(30);
    number = numbers[0]!;
    await manager.context().close();
  });

  await test.step('a card is sold', async () => {
    const maker = await windowOf(browser, server, 'maker');
    await sellCard(maker, number, program);
    await maker.context().close();
  });

  await test.step('the cashier redeems it, and gives a part back by the receipt', async () => {
    const cashier = await windowOf(browser, server, 'cashier');
    receipt = await redeem(cashier, number, '123.45');
    await refund(cashier, receipt, '23.45');
    await cashier.context().close();
  });

  await test.step('finance closes the day: sale, refund and fee are on the statement', async () => {
    const maker = await windowOf(browser, server, 'maker');
    await closeDay(maker, '示例百货');
    const lines = maker.getByRole('row');
    const sale = lines.filter({ has: maker.locator(`a[href*="${receipt}"]`) });
    // 0.6 % of 123.45, half to even.
    await expect(sale).toContainText('123.45');
    await expect(sale).toContainText('0.74');
    await expect(
      lines.filter({ hasText: '退款' }).filter({ hasText: '23.45' }).first(),
    ).toBeVisible();
    await downloadXlsx(maker);

    // Who proposed a payout sees no button to approve it.
    await maker.goto('/payouts?status=proposed');
    await expect(maker.getByRole('row').filter({ hasText: '示例百货' }).first()).toBeVisible();
    await expect(maker.getByRole('button', { name: '审批通过' })).toHaveCount(0);
    await maker.context().close();
  });

  await test.step('the checker approves the payout', async () => {
    const checker = await windowOf(browser, server, 'checker');
    await checker.goto('/payouts?status=proposed');
    const row = checker.getByRole('row').filter({ hasText: '示例百货' }).first();
    await row.getByRole('checkbox').check();
    await checker.getByRole('button', { name: '审批通过' }).click();
    await checker.getByRole('dialog').getByRole('button', { name: '确认' }).click();
    await expect(checker.getByRole('dialog')).toHaveCount(0);
    await checker.goto('/payouts?status=approved');
    await expect(checker.getByRole('row').filter({ hasText: '示例百货' }).first()).toBeVisible();
    await checker.context().close();
  });

  await test.step('the auditor sees who did what, and can change nothing', async () => {
    const auditor = await windowOf(browser, server, 'auditor');
    await auditor.goto('/audit');
    const rows = auditor.getByRole('row');
    for (const person of [/checker/i, /maker/i, /cashier/i]) {
      await expect(rows.filter({ hasText: person }).first()).toBeVisible();
    }
    for (const [path, button] of [
      ['/payouts?status=proposed', '审批通过'],
      ['/statements', '日结'],
      ['/programs', '新建卡种'],
    ] as const) {
      await auditor.goto(path);
      await expect(auditor.getByRole('main').getByRole('heading').first()).toBeVisible();
      await expect(auditor.getByRole('button', { name: button })).toHaveCount(0);
      await expect(auditor.getByRole('link', { name: button })).toHaveCount(0);
    }
    await openCard(auditor, number);
    await expect(auditor.getByRole('button', { name: '冻结' })).toHaveCount(0);
    await auditor.context().close();
  });
});
