// Dialogs and drawers come and go with motion on, as most people see them: every other test runs without.
import type { Locator } from '@playwright/test';
import { expect, test } from '../fixtures';

test.use({ contextOptions: { reducedMotion: 'no-preference' } });

/** Waits until it stands where it stays. */
async function standing(box: Locator) {
  await expect(box).toBeVisible();
  await box.evaluate((element) =>
    Promise.all(element.getAnimations({ subtree: true }).map((motion) => motion.finished)),
  );
}

test('a dialog moves in, and leaves by its button and by Escape', async ({ page, signIn }) => {
  await signIn('maker');
  await page.goto('/statements');
  const dialog = page.getByRole('dialog');
  for (const leave of [
    () => dialog.getByRole('button', { name: '关闭' }).last().click(),
    () => page.keyboard.press('Escape'),
  ]) {
    await page.getByRole('button', { name: '日结' }).click();
    // If nothing moved, the test would be none.
    await page.waitForFunction(() =>
      document
        .getAnimations()
        .some((motion) => /zoom/i.test((motion as CSSAnimation).animationName)),
    );
    await standing(dialog);
    await leave();
    await expect(dialog).toHaveCount(0);
  }
});

test('a dialog that moved in does what it asks about', async ({ page, signIn }) => {
  await signIn('maker');
  await page.goto('/statements');
  await page.getByRole('button', { name: '日结' }).click();
  const dialog = page.getByRole('dialog');
  await standing(dialog);
  await dialog.getByRole('button', { name: '日结' }).click();
  await expect(dialog.getByRole('status')).toContainText('已结');
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
});

test('a drawer moves in and out', async ({ page, signIn }) => {
  await signIn('checker');
  await page.goto('/approvals');
  await page.getByRole('main').getByRole('row').getByRole('link').first().click();
  const drawer = page.getByRole('dialog');
  await standing(drawer);
  await page.keyboard.press('Escape');
  await expect(drawer).toHaveCount(0);
});
