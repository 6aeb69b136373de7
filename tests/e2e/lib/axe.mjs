// What axe-core finds wrong with a page by the rules of WCAG 2.2, level AA, in light and in dark, on a phone and on a desk.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];
const PHONE = { width: 360, height: 780 };
const DESK = { width: 1280, height: 900 };

/** Every violation, as one line each. */
export async function violations(page) {
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of [PHONE, DESK]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      for (const details of await page.locator("details").all()) await details.evaluate((node) => (node.open = true));
      await page.evaluate(AXE);
      const result = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: { type: "tag", values } }), TAGS);
      const where = `${new URL(page.url()).pathname} in ${colorScheme}, ${viewport.width} wide`;
      for (const { id, nodes } of result.violations) found.push(...nodes.map((node) => `${where}: ${id}: ${node.html}: ${node.failureSummary}`));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) found.push(`${where}: ${wide} pixels too wide`);
    }
  }
  return found;
}
