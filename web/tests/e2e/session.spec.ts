// A session that ends in the middle of the work: the page asks the same person to log in again, in place, and what was
// typed is neither lost nor sent twice.
import type { Page } from '@playwright/test';
import { expect, expectAccessible, type Server, test } from '../fixtures/index.ts';

/** Ends all of a person's sessions, as a time-out or another administrator would. */
async function endSessions(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const session = await (await fetch('/v1/sessions/current')).json();
    const headers = { 'X-CSRF-Token': session.csrf_token };
    const ended = await fetch('/v1/sessions/current', { method: 'DELETE', headers });
    if (!ended.ok) throw new Error(`the session did not end: ${ended.status}`);
  });
}

async function logInAgain(page: Page, server: Server, login: string): Promise<void> {
  const { password } = server.demo.users.find((user) => user.login === login)!;
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await expect(dialog).toBeVisible();
  const field = dialog.getByLabel('Password', { exact: true });
  await expect(field).toBeFocused();
  await field.fill(password);
  await field.press('Enter');
  await expect(dialog).toBeHidden();
}

test('what was typed outlives the session @postgres', async ({ page, signIn, speak, server }) => {
  await speak('en');
  await signIn('admin');
  await page.goto('/merchants');
  await page.getByRole('button', { name: /New merchant$/ }).click();
  const form = page.getByRole('dialog', { name: 'New merchant' });
  const name = `Ended & begun ${Date.now()}`;
  await form.getByLabel('Name').fill(name);
  await endSessions(page);

  const sent: number[] = [];
  page.on('response', (response) => {
    if (response.request().method() === 'POST' && response.url().endsWith('/v1/merchants'))
      sent.push(response.status());
  });
  await form.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('dialog', { name: 'Your session has ended' })).toBeVisible();
  await expect(form.getByLabel('Name')).toHaveValue(name);
  await expectAccessible(page);
  await logInAgain(page, server, 'admin');

  // It is sent again by itself, once, with the new session.
  await expect(form).toBeHidden();
  await expect(page.getByText(name)).toHaveCount(1);
  expect(sent).toEqual([401, 201]);
});

test('a list asks as well, and nothing on screen is lost', async ({
  page,
  signIn,
  speak,
  server,
}) => {
  await speak('en');
  await signIn('auditor');
  await page.goto('/operations');
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await endSessions(page);
  await page.getByRole('button', { name: 'Refresh' }).click();
  await logInAgain(page, server, 'auditor');
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await expect(page).toHaveURL(/\/operations$/);
});

test('who does not log in again goes to the log-in page', async ({ page, signIn, speak }) => {
  await speak('en');
  await signIn('service');
  await page.goto('/operations');
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await endSessions(page);
  await page.getByRole('button', { name: 'Refresh' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByRole('button', { name: 'Leave' }).click();
  await expect(page).toHaveURL(/\/login/);
  await expect(page.getByText('Operations')).toHaveCount(0);
});
