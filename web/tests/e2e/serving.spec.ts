// How the pages are served: their headers in a real browser, and that the browser holds the page to them.
import { expect, test } from '../fixtures/index.ts';

const ENTRIES = ['/', '/till', '/wallet'];

for (const entry of ENTRIES) {
  test(`${entry} shows its own page and breaks no rule of its policy`, async ({ page }) => {
    const broken: string[] = [];
    await page.exposeFunction('policyBroken', (what: string) => broken.push(what));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const told = (window as unknown as { policyBroken: (what: string) => void }).policyBroken;
        told(
          `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`,
        );
      });
    });
    const answer = await page.goto(entry);
    expect(answer?.status()).toBe(200);
    await expect(page.locator('#root > *').first()).toBeVisible();
    await page.waitForTimeout(500);
    expect(broken).toEqual([]);
  });
}

test('a deep link is the page that it belongs to', async ({ page }) => {
  for (const [path, entry] of [
    ['/operations/op_1', 'console'],
    ['/till/sale', 'till'],
    ['/wallet/cards', 'wallet'],
  ] as const) {
    const answer = await page.request.get(path, { headers: { accept: 'text/html' } });
    expect(answer.status()).toBe(200);
    expect(await answer.text()).toContain('csp-nonce');
    const scripts = [...(await answer.text()).matchAll(/<script[^>]*assets\/(\w+)-/g)];
    expect(scripts.map(([, name]) => name)).toContain(entry === 'console' ? 'index' : entry);
  }
});

test.describe('what the policy refuses', () => {
  test.use({ tolerated: [/Content Security Policy/] });

  test('an injected script does not run', async ({ page }) => {
    await page.goto('/');
    const ran = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'window.injected = true';
      document.body.append(script);
      const image = document.createElement('img');
      image.setAttribute('onerror', 'window.injected = true');
      image.src = 'data:,';
      document.body.append(image);
      await new Promise((done) => setTimeout(done, 300));
      return (window as unknown as { injected?: boolean }).injected === true;
    });
    expect(ran).toBe(false);
  });

  test('the page cannot talk to another host', async ({ page }) => {
    await page.goto('/');
    const refused = await page.evaluate(() =>
      fetch('http://127.0.0.1:9/', { mode: 'no-cors' }).then(
        () => 'sent',
        () =>
          new Promise<string>((done) => {
            document.addEventListener('securitypolicyviolation', (event) =>
              done(event.effectiveDirective),
            );
            fetch('http://127.0.0.1:9/', { mode: 'no-cors' }).catch(() => undefined);
            setTimeout(() => done('not by the policy'), 1000);
          }),
      ),
    );
    expect(refused).toBe('connect-src');
  });
});

test('files are kept for ever, pages never', async ({ page }) => {
  const seen = new Map<string, string>();
  page.on('response', (response) => {
    seen.set(new URL(response.url()).pathname, response.headers()['cache-control'] ?? '');
  });
  await page.goto('/');
  await expect(page.locator('#root > *').first()).toBeVisible();
  const files = [...seen].filter(([path]) => path.startsWith('/assets/'));
  expect(files.length).toBeGreaterThan(0);
  for (const [path, cache] of files)
    expect(cache, path).toBe('public, max-age=31536000, immutable');
  expect(seen.get('/')).toBe('no-store');
});

test('nothing secret is kept in the browser', async ({ page, signIn }) => {
  await signIn('admin');
  await page.goto('/');
  await expect(page.locator('main, [role="main"], .ant-layout').first()).toBeVisible();
  const kept = await page.evaluate(() => ({
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    cookie: document.cookie,
  }));
  expect(
    kept.local.every((name) => ['hexiao.language', 'hexiao.theme'].includes(name)),
    String(kept.local),
  ).toBe(true);
  expect(kept.session).toEqual([]);
  expect(kept.cookie, 'no script sees the session').toBe('');
});
