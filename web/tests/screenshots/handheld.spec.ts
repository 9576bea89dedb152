// Pictures of everything that the till and the wallet can show: target/screenshots/<state>-<language>-<size>.png, and
// with `-dark` in Chinese. HEXIAO_SHOT_SIZES names other sizes, such as small,laptop,wall.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { inColours, type Language, test } from '../fixtures';
import { TILL_WALKS, type Walk } from '../fixtures/till-states.ts';
import { WALLET_WALKS } from '../fixtures/wallet-states.ts';

const SIZES = {
  phone: { width: 390, height: 844 },
  portrait: { width: 768, height: 1024 },
  // Looked at now and then: the narrowest phone, a small laptop, a screen on a wall.
  small: { width: 360, height: 640 },
  laptop: { width: 1280, height: 800 },
  wall: { width: 3840, height: 2160 },
} as const;
type Size = keyof typeof SIZES;

const wanted = process.env.HEXIAO_SHOT_SIZES?.split(',') ?? ['phone', 'portrait'];
const sizes = wanted.filter((name): name is Size => name in SIZES);
const CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
const folder = resolve(import.meta.dirname, '../../../target/screenshots');

test.use({
  launchOptions: async ({ launchOptions }, use) =>
    use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...CAMERA] }),
});

type Go = (walk: Walk) => Promise<void>;
const WALKS: [string, Go][] = [
  ...Object.entries(TILL_WALKS).map(([name, go]): [string, Go] => [`till ${name}`, go]),
  ...Object.entries(WALLET_WALKS).map(([name, go]): [string, Go] => [`wallet ${name}`, go]),
];

/** The whole page; the window where a dialog lies over it. */
async function shoot(page: Page, file: string) {
  const over = await page.locator('dialog[open]').count();
  const path = join(folder, `${file}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide', fullPage: over === 0 });
}

for (const [place, language] of (['zh', 'en'] as Language[]).entries()) {
  for (const [name, go] of WALKS) {
    test(`${name} in ${language}`, async ({ page, server, signIn, speak }) => {
      test.slow();
      mkdirSync(folder, { recursive: true });
      await speak(language);
      await page.setViewportSize(SIZES[sizes[0]!]);
      const look = async (state: string) => {
        if (language === 'zh') {
          await inColours(page, 'dark');
          await shoot(page, `${state}-${language}-${sizes[0]}-dark`);
          await inColours(page, 'light');
        }
        for (const size of sizes) {
          await page.setViewportSize(SIZES[size]);
          await shoot(page, `${state}-${language}-${size}`);
        }
        await page.setViewportSize(SIZES[sizes[0]!]);
      };
      await go({ page, server, language, place: place * 2, signIn, look });
    });
  }
}
