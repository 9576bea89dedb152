// Without a mouse: what has the focus can be seen, dialogs begin in their first field and give the focus back, and a
// whole job is done with keys.
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../fixtures/index.ts';
import { settled } from '../fixtures/pages.ts';
import { idOf } from '../fixtures/things.ts';

const MOST_TABS = 80;

/** Goes on with Tab until this has the focus, as somebody without a mouse has to. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let pressed = 0; pressed < MOST_TABS; pressed += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`not reached with ${MOST_TABS} presses of Tab`);
}

/** Whether a ring is drawn around what has the focus, by itself or by the box that it is the field of. */
const ringed = (page: Page) =>
  page.evaluate(() => {
    let element = document.activeElement;
    for (let up = 0; element && up < 4; up += 1, element = element.parentElement) {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      if (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) return true;
      if (boxShadow !== 'none' && !/rgba\(0, 0, 0, 0\)/.test(boxShadow)) return true;
    }
    return false;
  });

test.beforeEach(async ({ speak }) => {
  await speak('en');
});

test('the first Tab leads past the menu, and every stop can be seen', async ({ page, stay }) => {
  await stay('admin');
  await page.goto('/operations');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to content' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  for (let stop = 0; stop < 30; stop += 1) {
    const where = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 120));
    expect(await ringed(page), `no ring around ${where}`).toBe(true);
    await page.keyboard.press('Tab');
  }
  await skip.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
});

test('a page is found by its name', async ({ page, stay }) => {
  await stay('admin');
  await page.goto('/dashboard');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('state');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Statements' })).toBeVisible();
});

test('Escape closes a dialog, and the focus goes back to its button', async ({ page, stay }) => {
  await stay('admin');
  await page.goto('/merchants');
  const button = page.getByRole('button', { name: /New merchant$/ });
  await button.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'New merchant' });
  await expect(dialog.getByLabel('Name')).toBeFocused();
  // Tab leads to nothing behind it, only to the browser's own buttons and back.
  const behind = () =>
    dialog.evaluate((box) => {
      const at = document.activeElement;
      return at !== document.body && !box.contains(at);
    });
  for (let stop = 0; stop < 6; stop += 1) {
    await page.keyboard.press('Tab');
    await expect.poll(behind).toBe(false);
  }
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
});

test('a card is frozen and unfrozen with keys alone', async ({ page, stay, server }) => {
  const id = await idOf(server, 'card');
  await stay('admin');
  await page.goto('/cards');
  await page.getByRole('textbox', { name: 'Card number or id' }).focus();
  await page.keyboard.type(id);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: /^Card/ })).toBeVisible();

  const freeze = page.getByRole('button', { name: 'Freeze', exact: true });
  await tabTo(page, freeze);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Reason')).toBeFocused();
  await page.keyboard.type('Asked for by the holder');
  await tabTo(page, dialog.getByRole('button', { name: 'Freeze' }));
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(page.getByText('Frozen', { exact: true })).toBeVisible();

  await tabTo(page, page.getByRole('button', { name: 'Unfreeze', exact: true }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'Unfreeze' }));
  await page.keyboard.press('Enter');
  await expect(page.getByText('Active', { exact: true })).toBeVisible();
});

test('a day is typed as the reader writes it', async ({ page, stay, speak }) => {
  await stay('admin');
  await page.goto('/operations');
  await settled(page);
  const from = page.getByLabel('From');
  await expect(from).toHaveAttribute('placeholder', 'MM/DD/YYYY');
  await from.focus();
  await page.keyboard.type('11/01/2026');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/from=2026-11-01/);

  await speak('zh');
  await page.reload();
  await expect(page.getByLabel('自', { exact: true })).toHaveValue('2026/11/01');
});

test('Escape leaves a calendar before it leaves the dialog', async ({ page, stay }) => {
  await stay('admin');
  await page.goto('/statements');
  await page.getByRole('button', { name: /Close the day$/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Settle and close statements' });
  const day = dialog.getByRole('textbox');
  await expect(day).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await day.click();
  const calendar = page.locator('.ant-picker-dropdown:visible');
  await expect(calendar).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(calendar).toBeHidden();
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});
