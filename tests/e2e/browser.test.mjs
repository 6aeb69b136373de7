// A real browser reaches the worker, so that what it does with pages can be tested.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { deploy } from "./lib/deployment.mjs";

let deployment;
let browser;
before(async () => {
  [deployment, browser] = await Promise.all([deploy(), startChromium()]);
});
after(() => Promise.all([deployment?.stop(), browser?.close()]));

test("a browser reaches the app by its public origin", async () => {
  const page = await browser.newPage();
  const answer = await page.goto(`${deployment.origin}/healthz`);
  assert.equal(answer.status(), 200);
  assert.equal(await page.evaluate(() => window.origin), deployment.origin);
});
