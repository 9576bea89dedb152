// The form to sign in with is there before the wallet's scripts are, and they take over what was done with it.
import { expect, test } from '../fixtures';

/** Holds the library that every script of the wallet needs, until it is let go. */
function held() {
  let letGo = () => {};
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  return { gone, letGo };
}

test('what is typed before the scripts are there stays, and nothing moves', async ({
  page,
  server,
}) => {
  const { gone, letGo } = held();
  await page.route('**/assets/react-*.js', async (route) => {
    await gone;
    await route.continue();
  });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`/wallet?issuer=${server.demo.issuer}`, { waitUntil: 'commit' });
  const field = page.getByLabel('手机号');
  await expect(field).toBeFocused();
  const places = async () => [
    await field.boundingBox(),
    await page.getByRole('button', { name: '获取验证码' }).boundingBox(),
    await page.getByRole('heading').boundingBox(),
  ];
  const before = await places();
  await page.keyboard.type('1390000');
  letGo();
  await expect(page.getByRole('group', { name: '语言' })).toBeVisible();
  await expect(field).toBeFocused();
  await page.keyboard.type('0061');
  await expect(field).toHaveValue('13900000061');
  expect(await places()).toEqual(before);
});

test('a number that is sent before the scripts are there is sent once they are', async ({
  page,
  server,
  speak,
}) => {
  await speak('en');
  const { gone, letGo } = held();
  let asked = 0;
  page.on('request', (request) => (asked += Number(request.url().endsWith('/v1/wallet/codes'))));
  await page.route('**/assets/react-*.js', async (route) => {
    await gone;
    await route.continue();
  });
  await page.goto(`/wallet?issuer=${server.demo.issuer}`, { waitUntil: 'commit' });
  await page.getByLabel('Phone number').fill('13900000062');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Send a code' })).toBeDisabled();
  letGo();
  await expect(page.getByLabel('Code', { exact: true })).toBeVisible();
  await expect(page.getByText('13900000062')).toBeVisible();
  expect(asked).toBe(1);
});

test('the till and the console ask nothing of the wallet', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  for (const path of ['/till', '/']) {
    await page.goto(path);
    await expect(page.getByRole('textbox').first()).toBeVisible();
  }
  expect(asked.filter((path) => path.startsWith('/v1/wallet'))).toEqual([]);
});
