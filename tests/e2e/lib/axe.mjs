// What axe-core finds wrong with a page by the rules of WCAG 2.2, level AA, in light and in dark, on a phone and on a desk.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"] };
/** Those of them that depend on colours. */
const COLOR_RULES = { type: "rule", values: ["color-contrast", "link-in-text-block"] };
const PHONE = { width: 375, height: 780 };
const DESK = { width: 1280, height: 900 };
/** The narrowest width at which nothing may have to be scrolled sideways (WCAG 2.2, 1.4.10). */
const NARROWEST = { width: 320, height: 640 };

/** SCREENSHOTS names a folder in which a picture of everything that is looked at is kept. */
const SCREENSHOTS = process.env.SCREENSHOTS;
let pictures = 0;

/** Every violation, as one line each. */
export async function violations(page) {
  const look = await Look.at(page);
  const found = [];
  for (const [colorScheme, rules] of [["light", RULES], ["dark", COLOR_RULES]]) {
    await page.emulateMedia({ colorScheme });
    for (const viewport of [DESK, PHONE]) {
      await page.setViewportSize(viewport);
      const where = `${new URL(page.url()).pathname} in ${colorScheme}, ${viewport.width} wide`;
      found.push(...(await look.violations(rules)).map((line) => `${where}: ${line}`));
      await keepPicture(page, `${colorScheme}-${viewport.width}`);
    }
  }
  for (const viewport of [PHONE, NARROWEST]) {
    await page.setViewportSize(viewport);
    const excess = await look.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    if (excess > 0) found.push(`${page.url()}, ${viewport.width} wide: ${excess} pixels too wide`);
  }
  return found;
}

/** Every violation in a frame inside a page, as one line each, as the page looks now. */
export async function violationsInFrame(frame) {
  await frame.evaluate(`${AXE};undefined`);
  const options = { runOnly: RULES, resultTypes: ["violations"] };
  const found = await frame.evaluate((options) => globalThis.axe.run(document, options), options);
  if (found.passes.length === 0) throw new Error("axe-core found nothing to check");
  return inLines(found.violations);
}

const inLines = (violations) => violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}: ${node.failureSummary}`));

/** A page seen from a world of its own, which no policy of the page reaches. */
class Look {
  #devtools;
  #contextId;

  static async at(page) {
    const look = new Look();
    // Ends with the page: a session that is detached takes the page's virtual authenticator with it.
    look.#devtools = await page.context().newCDPSession(page);
    const { frameTree } = await look.#devtools.send("Page.getFrameTree");
    const { executionContextId } = await look.#devtools.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
    look.#contextId = executionContextId;
    await look.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
    await look.evaluate(`${AXE};undefined`);
    return look;
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.#devtools.send("Runtime.evaluate", {
      expression,
      contextId: this.#contextId,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(`${exceptionDetails.text} ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  async violations(rules) {
    const options = JSON.stringify({ runOnly: rules, resultTypes: ["violations"] });
    const found = await this.evaluate(`axe.run(document, ${options}).then(({ violations, passes }) => ({ violations, passes: passes.length }))`);
    if (found.passes === 0) throw new Error("axe-core found nothing to check");
    return inLines(found.violations);
  }
}

/** Keeps a picture of the page, if SCREENSHOTS says where. */
export async function keepPicture(page, how) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  pictures += 1;
  const title = (await page.title()).replace(/\W+/g, "-").slice(0, 40);
  await page.screenshot({ path: join(SCREENSHOTS, `${String(pictures).padStart(3, "0")}-${title}-${how}.png`), fullPage: true });
}
