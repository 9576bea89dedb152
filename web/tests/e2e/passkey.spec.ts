// Passkeys with the authenticator that Chromium simulates: enrolled on the profile page, used to log in without and
// with a password, removed. Passkeys belong to a host name, so the pages are opened at localhost rather than at
// 127.0.0.1, where they must not be offered.
import type { Page } from '@playwright/test';
import { expect, expectAccessible, type Server, test } from '../fixtures';

/** Nothing else logs in as him. */
const WHO = 'risk';

/** A device that keeps passkeys, knows its owner, and says yes. */
async function giveAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

async function logInByPassword(page: Page, server: Server, base: string): Promise<void> {
  const { login, password } = server.demo.users.find((user) => user.login === WHO)!;
  await page.goto(`${base}/login?to=/profile`);
  await page.getByLabel('Login').fill(login);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function logOut(page: Page, base: string): Promise<void> {
  await page.context().clearCookies();
  await page.goto(`${base}/login?to=/profile`);
}

test('a passkey logs in without a password, and stands beside one @postgres', async ({
  page,
  server,
  speak,
}) => {
  const base = server.url.replace('127.0.0.1', 'localhost');
  await speak('en');
  await giveAuthenticator(page);
  await logInByPassword(page, server, base);

  const panel = page.locator('section, .ant-card, div').filter({
    has: page.getByRole('heading', { name: 'Passkeys' }),
  });
  await expect(page.getByRole('heading', { name: 'Passkeys' })).toBeVisible();
  await panel.last().getByLabel('Name').fill('Office computer');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  const remove = page.getByRole('button', { name: 'Remove Office computer' });
  await expect(remove).toBeVisible();
  await expectAccessible(page);

  await logOut(page, base);
  await page.getByRole('button', { name: 'Log in with a passkey' }).click();
  await expect(remove).toBeVisible();
  await expect(page.locator('li').filter({ has: remove }).getByText('Last used')).toBeVisible();

  await logOut(page, base);
  await logInByPassword(page, server, base);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(remove).toBeVisible();

  await remove.click();
  await page.locator('.ant-popconfirm').getByRole('button', { name: 'OK' }).click();
  await expect(remove).toBeHidden();

  await logOut(page, base);
  await page.getByRole('button', { name: 'Log in with a passkey' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page).toHaveURL(/\/login/);
});

test('a page at a bare address offers no passkeys', async ({ page, server, speak }) => {
  await speak('en');
  const told = page.waitForResponse((answer) => answer.url().endsWith('/v1/passkey-origins'));
  await page.goto(`${server.url}/login`);
  const { origins } = (await (await told).json()) as { origins: string[] };
  expect(origins).toEqual([server.url.replace('127.0.0.1', 'localhost')]);
  await expect(page.getByRole('button', { name: 'Continue' })).toBeVisible();
  await expect(page.getByRole('button', { name: /passkey/ })).toHaveCount(0);
});
