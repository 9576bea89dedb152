// Everything that the till and the wallet can show, in both languages, light and dark, on the narrowest phone: WCAG
// 2.2 AA as far as axe can tell, and nothing cut, too small to hit or in the wrong language.
import { expectAccessible, inColours, type Language, test } from '../fixtures';
import { expectFits } from '../fixtures/fits.ts';
import { TILL_WALKS, type Walk } from '../fixtures/till-states.ts';
import { WALLET_WALKS } from '../fixtures/wallet-states.ts';

test.use({
  viewport: { width: 360, height: 640 },
  // The walks use cards up. A browser that is started otherwise gets a worker, and with it a server, of its own.
  launchOptions: async ({ launchOptions }, use) =>
    use({ ...launchOptions, args: [...(launchOptions.args ?? []), '--mute-audio'] }),
});

type Go = (walk: Walk) => Promise<void>;
// The camera's picture is the browser's own and needs a camera; pictures of it are taken with one.
const till = Object.entries(TILL_WALKS).filter(([name]) => name !== 'camera');
const WALKS: [string, Go][] = [
  ...till.map(([name, go]): [string, Go] => [`till ${name}`, go]),
  ...Object.entries(WALLET_WALKS).map(([name, go]): [string, Go] => [`wallet ${name}`, go]),
];

for (const [place, language] of (['zh', 'en'] as Language[]).entries()) {
  for (const [name, go] of WALKS) {
    test(`${name} can be read and used by everybody, in ${language}`, async ({
      page,
      server,
      signIn,
      speak,
    }) => {
      test.slow();
      await speak(language);
      const look = (state: string) =>
        test.step(state, async () => {
          await expectFits(page, language);
          await expectAccessible(page);
          await inColours(page, 'dark');
          await expectAccessible(page);
          await inColours(page, 'light');
        });
      await go({ page, server, language, place: place * 2, signIn, look });
    });
  }
}
