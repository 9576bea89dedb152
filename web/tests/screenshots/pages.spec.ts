// Pictures of every page, in both languages: target/screenshots/<page>-<language>-<size>[-dark].png.
import { inColours, type Language, type Size, takeShot, test } from '../fixtures/index.ts';
import { PAGES, visit } from '../fixtures/pages.ts';

const LANGUAGES: Language[] = ['zh', 'en'];
/** Looked at on a small phone and on a wall as well. */
const ALL_SIZES = new Set(['dashboard', 'operations', 'one-card']);

// Till and wallet are held in a hand; the console stands on a desk, and is looked at on the way.
function sizesOf(name: string): Size[] {
  if (/^(till|wallet)/.test(name)) return ['phone', 'tablet'];
  return ALL_SIZES.has(name) ? ['wall', 'desktop', 'phone', 'small'] : ['desktop', 'phone'];
}

for (const one of PAGES) {
  for (const language of LANGUAGES) {
    test(`${one.name} in ${language}`, async ({ page, stay, speak, server }) => {
      await speak(language);
      if (one.as) await stay(one.as);
      await visit(page, server, one);
      for (const size of sizesOf(one.name)) await takeShot(page, one.name, language, size);
      // In the dark: one language is enough, as colours have none.
      if (language === 'en') return;
      await inColours(page, 'dark');
      await takeShot(page, one.name, language, 'desktop', true);
    });
  }
}
