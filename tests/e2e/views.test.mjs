// What hosts show of our tools' results (MCP Apps), in a sandboxed frame in Chromium, under the official bridge.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AppHost } from "./lib/app-host.mjs";
import { keepPicture, violationsInFrame } from "./lib/axe.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { callTool, deploy } from "./lib/deployment.mjs";

const HOSTILE = `<img src="https://elsewhere.example/x.png" onerror="parent.postMessage('ran','*')"><script>document.title='ran'</script>`;

let deployment;
let browser;
let tenant;
let client;
let host;
before(async () => {
  [deployment, browser] = await Promise.all([deploy(), startChromium()]);
  tenant = await deployment.createTenant("acme");
  client = await deployment.client(tenant, { also: ["posts:publish"] });
  host = await AppHost.open(browser, client);
});
after(async () => {
  await host?.close();
  await client?.close();
  await Promise.all([deployment?.stop(), browser?.close()]);
});

const DAY = 86_400_000;
/** A date of the week after the present one, as the workspace's zone writes it: 0 is its Monday. */
function nextWeek(day) {
  const today = new Date(`${new Date().toISOString().slice(0, 10)}T12:00Z`);
  const monday = today.getTime() - ((today.getUTCDay() + 6) % 7) * DAY + 7 * DAY;
  return new Date(monday + day * DAY).toISOString().slice(0, 10);
}

test("a preview shows every profile's post as it would be sent, part by part", async () => {
  const thread = [{ text: "The harbour opens at seven. #harbour https://example.com/harbour" }];
  const view = await host.show("preview_post", { text: "Good morning\nfrom the quay", thread, profiles: ["all"] });
  await view.getByRole("heading", { name: "Ready to go out" }).waitFor();
  const parts = view.locator("section[data-network=wall] article");
  assert.equal(await parts.count(), 2);
  assert.equal(await parts.nth(0).locator(".text").innerText(), "Good morning\nfrom the quay");
  assert.match(await parts.nth(0).locator(".count").innerText(), /^26 of \d+ \w+$/);
  assert.deepEqual(await parts.nth(1).locator(".mark").allInnerTexts(), ["#harbour", "https://example.com/harbour"]);
});

test("what keeps a post from going out is shown where it belongs", async () => {
  const view = await host.show("preview_post", { text: "", profiles: ["all"] });
  await view.getByRole("heading", { name: "Not ready yet" }).waitFor();
  assert.equal(await view.locator(".problems li").count() > 0, true);
});

test("a refused call is told in words, not left blank", async () => {
  const view = await host.show("get_post", { post_id: "pst_nowhere" });
  await view.getByRole("heading", { name: "That did not work" }).waitFor();
  assert.notEqual(await view.locator(".problems li").first().innerText(), "");
});

test("hostile text is shown as it was written, and nothing runs, loads or leaves the frame", async () => {
  const { post_id } = await callTool(client, "create_post", { text: HOSTILE, labels: [HOSTILE.slice(0, 40)], profiles: ["all"], when: `${nextWeek(2)}T09:00` });
  host.requested.length = 0;
  for (const [tool, args, place] of [
    ["preview_post", { text: HOSTILE, profiles: ["all"] }, ".text"],
    ["get_post", { post_id }, ".text"],
    ["list_posts", { from: nextWeek(0), to: nextWeek(7) }, ".entry summary span"],
  ]) {
    const view = await host.show(tool, args);
    assert.match(await view.locator(place).first().innerText(), /^<img src="https:\/\/elsewhere/, tool);
    assert.equal(await view.locator("img, main script").count(), 0, tool);
  }
  assert.deepEqual(host.requested.filter((url) => !/^(about|data):/.test(url)), []);
  assert.deepEqual(host.said, []);
});

test("a calendar shows a week by days, turns to the next by asking the server, and opens what is public", async () => {
  await callTool(client, "create_post", { text: "Monday's catch", profiles: ["all"], when: `${nextWeek(0)}T08:30` });
  await callTool(client, "create_post", { text: "The week after", profiles: ["all"], when: `${nextWeek(8)}T10:00` });
  const view = await host.show("list_posts", { from: nextWeek(0), to: nextWeek(7), text: "catch" });
  const days = view.locator(".day");
  assert.equal(await days.count(), 7);
  assert.match(await days.nth(0).innerText(), /08:30\s*Monday's catch/);
  assert.match(await days.nth(1).innerText(), /Nothing/);
  await view.getByRole("button", { name: "Week after" }).click();
  await view.locator(".day.empty").nth(6).waitFor();
  assert.deepEqual(host.called.at(-1), { name: "list_posts", arguments: { text: "catch", from: nextWeek(7), to: nextWeek(14), limit: 50 } });

  const now = await callTool(client, "create_post", { text: "Out at once", profiles: ["all"], when: "PT1S" });
  const shown = await deployment.tickUntil(async () => {
    const post = await callTool(client, "get_post", { post_id: now.post_id });
    return post.status === "published" && post;
  });
  const again = await host.show("list_posts", { text: "Out at once" });
  await again.locator("summary").click();
  await again.locator(".urls button").click();
  assert.deepEqual(host.opened, [shown.deliveries[0].url]);
});

test("a host that offers nothing gets no button that would do nothing", async () => {
  const view = await host.show("list_posts", { from: nextWeek(0), to: nextWeek(7) }, { capabilities: {} });
  await view.locator(".day").nth(6).waitFor();
  assert.equal(await view.getByRole("button").count(), 0);
});

test("the views take the host's theme and colours, follow its changes, and tell their size", async () => {
  const context = { theme: "dark", styles: { variables: { "--color-background-primary": "rgb(1, 2, 3)" } } };
  const view = await host.show("preview_post", { text: "Good evening", profiles: ["all"] }, { context });
  const ground = () => view.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  await view.getByRole("heading", { name: "Ready to go out" }).waitFor();
  assert.equal(await ground(), "rgb(1, 2, 3)");
  await host.tell({ theme: "light", styles: { variables: { "--color-background-primary": "rgb(250, 251, 252)" } } });
  await view.locator("html[data-theme=light]").waitFor();
  assert.equal(await ground(), "rgb(250, 251, 252)");
  assert.ok(host.sizes.at(-1).height > 100, JSON.stringify(host.sizes.at(-1)));
  await host.page.evaluate(() => globalThis.tearDown());
});

test("the views are readable in light and dark, on a phone and on a desk", async () => {
  await callTool(client, "create_post", { text: "Fish of the day: turbot, for as long as there is any", labels: ["fish"], profiles: ["all"], when: `${nextWeek(3)}T12:15` });
  await callTool(client, "create_post", { text: "A note without a time", profiles: ["all"] });
  const thread = [{ text: "Boats leave at nine, at eleven and at one. Tickets: https://example.com/tickets" }];
  for (const theme of ["light", "dark"]) {
    for (const width of [320, 375, 1280]) {
      await host.page.setViewportSize({ width, height: 800 });
      for (const [tool, args] of [
        ["preview_post", { text: "The harbour is open again. Come and see the new quay! #harbour", thread, first_comment: "Bring a coat.", profiles: ["all"] }],
        ["preview_post", { text: "", profiles: ["all"] }],
        ["list_posts", {}],
      ]) {
        const view = await host.show(tool, args, { context: { theme } });
        await view.locator("h1").waitFor();
        const where = `${tool}, ${theme}, ${width} wide`;
        const excess = await host.frame.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(excess <= 0, `${where}: ${excess} pixels too wide`);
        assert.deepEqual(await violationsInFrame(host.frame), [], where);
        await keepPicture(host.page, `${tool}-${theme}-${width}`);
      }
    }
  }
});
