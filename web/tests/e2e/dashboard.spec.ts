// The figures that are drawn are the figures that are told.
import { expect, test } from '../fixtures/index.ts';
import { settled } from '../fixtures/pages.ts';

test.describe.configure({ mode: 'parallel' });

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

test('reasons of declines are a table with bars, the most frequent the longest', async ({
  page,
  stay,
  speak,
}) => {
  await speak('en');
  await stay('admin');
  await page.goto('/');
  await settled(page);
  const rows = page.locator('.bars tbody tr');
  const counts = (await rows.locator('td').allTextContents()).map(Number);
  expect(counts.length).toBeGreaterThan(1);
  expect(counts).toEqual([...counts].sort((a, b) => b - a));
  const widths = await rows
    .locator('.bar > div > div')
    .evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().width));
  for (const [at, count] of counts.entries())
    expect(widths[at]! / widths[0]!).toBeCloseTo(count / counts[0]!, 1);
});
