// Logging in with a company's identity provider, from its entry in the console to the dashboard. The provider lies on
// another host, so that the browser's rules for cookies between sites hold as they do outside.
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures';
import { CLIENT, type OpenIdProvider, startProvider } from '../fixtures/openid-provider';
import type { Server } from '../fixtures';

/** Where the server leads people back to: this machine by its name, while the provider goes by its address. */
const home = (server: Server) => server.url.replace('127.0.0.1', 'localhost');
const LOGIN = 'openid.person@example.com';

/** Makes a user by an invitation, as an administrator would. */
async function invited(page: Page, server: Server): Promise<void> {
  const made = await server.call('POST', '/v1/invitations', {
    login: LOGIN,
    name: 'Open Id',
    roles: ['auditor'],
  });
  // On a database that outlives a worker he may be there already.
  if (made.status === 409) return;
  expect(made.status).toBe(201);
  const { token } = made.body as { token: string };
  const accepted = await page.request.post(`${server.url}/v1/invitations/accept`, {
    data: { token, password: 'tr4vel-kettle-moss' },
  });
  expect(accepted.ok()).toBe(true);
}

/** Enters the provider on its page in the console. */
async function entered(page: Page, server: Server, issuer: string, name: string): Promise<void> {
  const admin = server.demo.users.find(({ login }) => login === 'admin')!;
  await page.goto(`${home(server)}/login`);
  await page.getByLabel('Login').fill(admin.login);
  await page.getByLabel('Password').fill(admin.password);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/dashboard');
  await page.goto(`${home(server)}/identity-providers`);
  await page.getByRole('button', { name: 'Add a provider' }).first().click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText(`${home(server)}/v1/sessions/openid/callback`)).toBeVisible();
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel('Issuer').fill(issuer);
  await dialog.getByLabel('Client id').fill(CLIENT.id);
  await dialog.getByLabel('Client secret').fill(CLIENT.secret);
  await dialog.getByRole('button', { name: 'Save' }).click();
  const row = page.getByRole('listitem').filter({ hasText: name });
  await row.getByRole('button', { name: 'Test' }).click();
  await expect(row.getByText('The provider answers as it should')).toBeVisible();
}

test.describe('an identity provider', () => {
  let provider: OpenIdProvider;
  test.beforeAll(async () => {
    provider = await startProvider({ sub: 'person-1', email: LOGIN, email_verified: true });
  });
  test.afterAll(() => provider.stop());

  test('lets its people in, and nobody else @postgres', async ({ page, server, speak }) => {
    const name = `Company ${provider.issuer.split(':').pop()}`;
    await speak('en');
    await invited(page, server);
    await entered(page, server, provider.issuer, name);
    await page.context().clearCookies();

    // Somebody who has no account here is told so, in words.
    provider.person = { sub: 'person-2', email: 'stranger@example.com', email_verified: true };
    const login = `${home(server)}/login?issuer=${server.demo.issuer}`;
    await page.goto(login);
    await page.getByRole('button', { name: `Log in with ${name}` }).click();
    await page.getByRole('link', { name: 'Let me in' }).click();
    await expect(page.getByText('You have no account here')).toBeVisible();
    expect(new URL(page.url()).pathname).toBe('/login');

    provider.person = { sub: 'person-1', email: LOGIN, email_verified: true };
    await page.goto(login);
    await page.getByRole('button', { name: `Log in with ${name}` }).click();
    await page.getByRole('link', { name: 'Let me in' }).click();
    await page.waitForURL('**/dashboard');
    await expect(page.getByText('Open Id')).toBeVisible();
    const cookies = await page.context().cookies(home(server));
    const session = cookies.find((cookie) => cookie.name === '__Host-hexiao');
    expect(session).toMatchObject({ sameSite: 'Strict', httpOnly: true, secure: true });
    expect(cookies.some((cookie) => cookie.name === '__Host-hexiao-openid')).toBe(false);

    // At the till as well, and the way leads back there.
    await page.context().clearCookies();
    const till = `${home(server)}/till?issuer=${server.demo.issuer}`;
    provider.person = { sub: 'person-2', email: 'stranger@example.com', email_verified: true };
    await page.goto(till);
    await page.getByRole('button', { name: `Log in with ${name}` }).click();
    await page.getByRole('link', { name: 'Let me in' }).click();
    await expect(page.getByText('You have no account here')).toBeVisible();
    expect(new URL(page.url()).pathname).toBe('/till');
    provider.person = { sub: 'person-1', email: LOGIN, email_verified: true };
    await page.goto(till);
    await page.getByRole('button', { name: `Log in with ${name}` }).click();
    await page.getByRole('link', { name: 'Let me in' }).click();
    // He may look and not sell: that is all there is.
    const tabs = page.getByRole('navigation', { name: 'Till functions' }).getByRole('button');
    await expect(tabs).toHaveText(['Today']);
    await expect(page.getByLabel('Amount')).toHaveCount(0);
    expect(new URL(page.url()).pathname).toBe('/till');

    // The way back is good once.
    await page.context().clearCookies();
    await page.goto(`${home(server)}/v1/sessions/openid/callback?code=x&state=y`);
    await expect(page.getByText('The log-in took too long')).toBeVisible();
  });
});
