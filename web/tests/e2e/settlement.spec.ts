// Finance's pages, where a day's work does not lead.
import { expect, test } from '../fixtures';

test('the report of a run can be closed while the list behind it is read again', async ({
  page,
  signIn,
}) => {
  await signIn('maker');
  await page.goto('/statements');
  await page.getByRole('button', { name: '日结' }).click();
  const dialog = page.getByRole('dialog');
  // From here on, the list's answer does not come.
  const asked = page.waitForRequest(/\/v1\/statements\?/);
  await page.route(/\/v1\/statements\?/, () => undefined);
  await dialog.getByRole('button', { name: '日结' }).click();
  await asked;
  await expect(dialog.getByRole('status')).toContainText('已结');
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
});
