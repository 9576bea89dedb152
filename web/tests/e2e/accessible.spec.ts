// Every page and every dialog can be used by people who see little, hear a page read to them, or have no mouse: WCAG
// 2.2 AA, as far as axe can tell, in the light and in the dark; and on the narrowest of phones without moving the page
// sideways. In one language, as the other has the same structure.
import { expect, expectAccessible, inColours, SIZES, test } from '../fixtures/index.ts';
import { PAGES, settled, visit } from '../fixtures/pages.ts';

for (const one of PAGES) {
  test(`${one.name} is accessible`, async ({ page, stay, server }) => {
    if (one.as) await stay(one.as);
    await visit(page, server, one);
    await expect(page).toHaveTitle(/\S/);
    await expectAccessible(page);
    await inColours(page, 'dark');
    await expectAccessible(page);
    await page.setViewportSize(SIZES.small);
    await settled(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide, 'pixels that stick out at the right').toBeLessThanOrEqual(0);
  });
}
