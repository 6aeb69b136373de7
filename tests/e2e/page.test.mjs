// A post's page in a real browser: it fits a phone, and tells people in their words what became of the post.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { callTool, deploy } from "./lib/deployment.mjs";
import { startPds } from "./lib/pds.mjs";

let deployment;
let pds;
let browser;
let tenant;
let client;
let account;
before(async () => {
  [deployment, pds, browser] = await Promise.all([deploy(), startPds(), startChromium()]);
  tenant = await deployment.createTenant("acme");
  client = await deployment.client(tenant, { also: ["posts:publish", "social_profiles:write"] });
  account = await pds.createAccount("harbour");
  const { connect_url } = await callTool(client, "connect_social_profile", { network: "bluesky" });
  const visitor = await deployment.signedIn(tenant);
  const fields = { server: pds.origin, handle: account.handle, app_password: account.appPassword };
  await visitor.submit(await visitor.get(connect_url), { fields });
  const [workspace] = (await callTool(client, "whoami", {})).workspaces;
  await deployment.saveSettings(tenant, workspace.id, { hold_seconds: "0" });
});
after(async () => {
  await client?.close();
  await Promise.all([deployment?.stop(), pds?.stop(), browser?.close()]);
});

/** A post with a thread and a comment that the Wall shows and Bluesky refused. */
async function partlyPublished() {
  await pds.bar(account.did, true);
  const text = `A long word: ${"harbour".repeat(30)}`;
  const { post_id } = await callTool(client, "create_post", {
    text, thread: [{ text: "And more" }], first_comment: "https://example.com/harbour", profiles: ["all"], when: "PT1S", note: text,
  });
  const post = await deployment.tickUntil(async () => {
    const shown = await callTool(client, "get_post", { post_id });
    return shown.status === "partly_published" && shown;
  });
  await pds.bar(account.did, false);
  return post;
}

test("a post's page fits a phone, marks its parts, and says what the network said", async (t) => {
  const post = await partlyPublished();
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(await deployment.signInLink(tenant));
  await Promise.all([page.waitForNavigation(), page.getByRole("button", { name: "Sign in" }).click()]);
  for (const width of [320, 375, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(post.review_url);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} pixels at ${width}`);
  }
  const shown = await page.locator("main").innerText();
  for (const words of ["on Bluesky", "on Wall", "Thread, part 2", "First comment", "of 300 graphemes", "The network refused it.", "Bluesky said: "]) {
    assert.ok(shown.includes(words), `${words} in ${shown}`);
  }
  for (const words of ["overrides", "retry_post", "thread[]"]) assert.ok(!shown.includes(words), words);
  assert.ok(shown.split("just now").length <= 2, shown);
  assert.equal(await page.getByRole("link", { name: "Your organisations" }).getAttribute("href"), "/");
});
