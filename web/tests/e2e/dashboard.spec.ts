// The figures that are drawn are the figures that are told.
import { giftCard } from '../fixtures/cards.ts';
import { expect, type Server, test } from '../fixtures/index.ts';
import { settled } from '../fixtures/pages.ts';

test('the pointer reads the chart of the hours, and the table says the same', async ({
  page,
  stay,
  speak,
}) => {
  await speak('zh');
  await stay('admin');
  await page.goto('/');
  await settled(page);
  const chart = page.getByRole('figure');
  const names = chart.locator('.u-legend');
  await expect(names).toHaveText(/^\s*昨日\s*今日\s*$/, { useInnerText: true });
  const plot = await chart.locator('.u-over').boundingBox();
  // Sales of the demo: noon is always among the hours that have come for one of the two days.
  await page.mouse.move(plot!.x + (plot!.width * 12) / 23, plot!.y + plot!.height / 2);
  await expect(names).toContainText('12:00');
  const [, yesterday, today] = await names.locator('.u-value').allTextContents();
  await chart.getByRole('button', { name: '显示为表格' }).click();
  const row = chart.getByRole('row', { name: '12:00' });
  await expect(row.getByRole('cell')).toHaveText([today || '–', yesterday!]);
  expect(yesterday).toMatch(/^¥[\d,]+\.\d\d$/);
});

/** More is asked for than the card has, three times; then it is frozen, and asked once more. */
async function declines(server: Server): Promise<void> {
  const card = await giftCard(server);
  const ask = async () => {
    const sale = {
      card: { number: card.number },
      amount: 50_000,
      currency: 'CNY',
      store: server.demo.store,
    };
    const { body } = await server.call('POST', '/v1/redemptions', sale, server.demo.cashier_key);
    expect((body as { status: string }).status).toBe('declined');
  };
  for (let time = 0; time < 3; time += 1) await ask();
  await server.call('POST', `/v1/cards/${card.id}/freeze`, { reason: 'risk' });
  await ask();
}

test('reasons of declines are a table with bars, the most frequent the longest', async ({
  page,
  server,
  stay,
  speak,
}) => {
  await speak('en');
  await stay('admin');
  // Just past midnight the demo has had few of its own.
  await declines(server);
  await page.goto('/');
  await settled(page);
  const rows = page.locator('.bars tbody tr');
  // The page is told of what is new, and learns of it within seconds.
  const ofFunds = rows.filter({ hasText: 'Insufficient funds' }).locator('td');
  await expect
    .poll(async () => Number((await ofFunds.allTextContents())[0] ?? 0))
    .toBeGreaterThanOrEqual(3);
  await expect.poll(() => rows.count()).toBeGreaterThan(1);
  const bars = await rows.evaluateAll((all) =>
    all.map((row) => ({
      count: Number(row.querySelector('td')!.textContent),
      width: row.querySelector('.bar > div > div')!.getBoundingClientRect().width,
    })),
  );
  const [longest] = bars;
  for (const [at, bar] of bars.entries()) {
    expect(bar.count).toBeLessThanOrEqual(bars[Math.max(0, at - 1)]!.count);
    // A pixel is coarser than the ratio.
    expect(Math.abs(bar.width - (longest!.width * bar.count) / longest!.count)).toBeLessThan(2.5);
  }
});
