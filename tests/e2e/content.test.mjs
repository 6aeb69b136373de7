// What tenants write is shown and never runs: hostile texts, names and files in a real browser, on the public Wall and
// on the page that a member reads.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { callTool, deploy } from "./lib/deployment.mjs";
import { FileServer } from "./lib/files.mjs";
import { jpeg, png, pngChunk } from "./lib/pictures.mjs";

// What each of these would do, if it ran: set the canary, open a dialog, write to the console, or call home.
const RUN = "window.canary=1;console.log('canary');alert('canary');fetch('http://127.0.0.1:9/canary')";
const TEXTS = [
  `<script>${RUN}</script>`,
  `"><img src=x onerror="${RUN}">`,
  `'><svg onload="${RUN}"><animate onbegin="${RUN}" attributeName=x /></svg>`,
  `<svg xmlns="http://www.w3.org/2000/svg"><script>${RUN}</script></svg>`,
  `</style><script>${RUN}</script><style>`,
  `</title></textarea></noscript><iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
  `<a href="javascript:${RUN}" autofocus onfocus="${RUN}">x</a> javascript:${RUN}`,
  `https://example.invalid/"onmouseover="${RUN}" data:text/html,<script>${RUN}</script>`,
  `<meta http-equiv="refresh" content="0;url=javascript:${RUN}"><base href="http://127.0.0.1:9/">`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`,
  `jaVasCript:/*-/*\`/*\\\`/*'/*"/**/(/* */oNcliCk=${RUN} )//%0D%0A//</stYle/</titLe/</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=${RUN}//>\\x3e`,
  `{{constructor.constructor("${RUN}")()}} {% raw %}<script>${RUN}</script>{% endraw %}`,
  `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x xmlns="http://www.w3.org/1999/xhtml"><script>${RUN}</script>&e;]]></x>`,
];
const HOSTILE_NAME = `"><script>alert("canary")</script>`;

let deployment;
let browser;
let files;
let tenant;
let client;
before(async () => {
  [deployment, browser, files] = await Promise.all([deploy(), startChromium(), FileServer.start()]);
  tenant = await deployment.createTenant("acme", { workspace: HOSTILE_NAME });
  client = await deployment.client(tenant, { also: ["posts:publish", "social_profiles:write"] });
});
after(async () => {
  await client?.close();
  await Promise.all([deployment?.stop(), browser?.close(), files?.stop()]);
});

/** A page that remembers whatever ran or was asked for. */
async function watchedPage(context) {
  const page = await context.newPage();
  const seen = { ran: [], requests: [] };
  page.on("dialog", (dialog) => {
    seen.ran.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  // Chromium says in the console what a policy stopped; what ran says "canary".
  page.on("console", (message) => message.text() === "canary" && seen.ran.push("console"));
  page.on("pageerror", (error) => seen.ran.push(`error: ${error.message}`));
  page.on("popup", (popup) => seen.ran.push(`popup: ${popup.url()}`));
  context.on("request", (request) => seen.requests.push(request));
  return { page, seen };
}

/** Opens an address, touches everything on it, and shows that nothing of the content ran or called home. */
async function showHarmless({ page, seen }, url, texts) {
  const answer = await page.goto(url);
  assert.equal(answer.status(), 200, url);
  const shown = await page.locator("body").textContent();
  for (const text of texts) assert.ok(shown.includes(text), `${url} does not show ${text}`);
  for (const link of await page.locator("a").all()) {
    assert.match(await link.evaluate((element) => element.protocol), /^https?:$/);
    await link.hover();
  }
  assert.equal(await page.locator("script, iframe, object, embed, base, meta[http-equiv], [onerror], [onload], [onfocus]").count(), 0);
  assert.equal(await page.evaluate(() => window.canary), undefined);
  assert.deepEqual(seen.ran, []);
  const strangers = seen.requests.map((request) => new URL(request.url()).origin).filter((origin) => ![deployment.origin, deployment.contentOrigin].includes(origin));
  assert.deepEqual(strangers, []);
}

/** A browser in which the owner is signed in. */
async function signedInBrowser() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(await deployment.signInLink(tenant));
  await Promise.all([page.waitForNavigation(), page.getByRole("button", { name: "Sign in" }).click()]);
  await page.close();
  assert.notEqual((await context.cookies(deployment.origin)).length, 0);
  return context;
}

/** Posts as they read once they are public. */
async function publish(posts) {
  const made = (await callTool(client, "create_posts", { posts })).posts;
  return deployment.tickUntil(async () => {
    const all = await Promise.all(made.map(({ post_id }) => callTool(client, "get_post", { post_id })));
    return all.every(({ status }) => status === "published") && all;
  });
}

test("hostile texts and names are shown as they were written, on the Wall and to members, and nothing runs", async (t) => {
  const { connect_url } = await callTool(client, "connect_social_profile", { network: "wall" });
  const visitor = await deployment.signedIn(tenant);
  const connected = await visitor.submit(await visitor.get(connect_url), { fields: { handle: "hostile", name: HOSTILE_NAME } });
  assert.equal(connected.status, 303, connected.body);
  const [workspace] = (await callTool(client, "whoami", {})).workspaces;
  await deployment.saveSettings(tenant, workspace.id, { hold_seconds: "0" });

  const posts = TEXTS.map((text) => ({ profiles: ["hostile"], text, note: text, thread: [{ text }], when: "PT1S" }));
  const published = await publish(posts);

  const context = await signedInBrowser();
  t.after(() => context.close());
  const watched = await watchedPage(context);
  await showHarmless(watched, `${deployment.contentOrigin}/acme/hostile`, [...TEXTS, HOSTILE_NAME]);
  for (const [index, post] of published.entries()) {
    await showHarmless(watched, post.deliveries[0].url, [TEXTS[index]]);
    await showHarmless(watched, post.review_url, [TEXTS[index], HOSTILE_NAME]);
  }
  for (const path of ["", `acme/settings/${workspace.id}`]) await showHarmless(watched, `${deployment.origin}/${path}`, []);

  const ofContent = watched.seen.requests.filter((request) => request.url().startsWith(deployment.contentOrigin));
  assert.ok(ofContent.length > TEXTS.length);
  for (const request of ofContent) assert.equal((await request.allHeaders()).cookie, undefined, request.url());
});

test("the feeds carry hostile texts as text, under a policy that runs nothing", async (t) => {
  const wall = `${deployment.contentOrigin}/acme/hostile`;
  const atom = await fetch(`${wall}/feed.atom`);
  const json = await fetch(`${wall}/feed.json`);
  for (const { headers } of [atom, json]) {
    assert.equal(headers.get("content-security-policy"), "default-src 'none'; sandbox");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
  const { items } = await json.json();
  assert.equal(items.length, TEXTS.length);
  for (const { content_html } of items) assert.doesNotMatch(content_html, /<(script|svg|iframe|meta|style)/i);

  const page = await browser.newPage();
  t.after(() => page.close());
  const parsed = await page.evaluate((source) => {
    const document = new DOMParser().parseFromString(source, "application/xml");
    const count = (name) => document.getElementsByTagName(name).length;
    return { broken: count("parsererror"), scripts: count("script"), entries: count("entry") };
  }, await atom.text());
  assert.deepEqual(parsed, { broken: 0, scripts: 0, entries: TEXTS.length });
});

const SCRIPT = `<script>${RUN}</script>`;
// Each is a picture to one reader and a page or a script to another.
const POLYGLOTS = {
  "a GIF that is a script": Buffer.from(`GIF89a/*\x01\0\0\0\0*/=1;${RUN};`, "latin1"),
  "a GIF with a page after its end": Buffer.concat([Buffer.from("R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=", "base64"), Buffer.from(SCRIPT)]),
  "a PNG with a script in a text chunk": png(pngChunk("tEXt", Buffer.from(`Comment\0${SCRIPT}`))),
  "a PNG with a page after its end": Buffer.concat([png(), Buffer.from(`<!DOCTYPE html>${SCRIPT}`)]),
  "a PNG with an archive after its end": Buffer.concat([png(), Buffer.from("PK\x03\x04", "latin1")]),
  "a JPEG with a page in its comment": jpeg(Buffer.from(`<html>${SCRIPT}</html>`)),
  "an SVG": Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" onload="${RUN}"/>`),
  "a page": Buffer.from(`<!doctype html>${SCRIPT}`),
};

/** Asks for a post with a picture, which must be refused for one reason; gives that. */
async function pictureRefused(url) {
  const wanted = { profiles: ["hostile"], text: "With a picture", media: [{ url, alt: HOSTILE_NAME }] };
  const { isError, structuredContent } = await client.callTool({ name: "create_post", arguments: wanted });
  assert.equal(isError, true, url);
  const { problems } = structuredContent.error;
  assert.deepEqual(problems.map(({ field }) => field), ["media[0].url"], url);
  return problems[0].code;
}

test("a file that is something else besides a picture is refused before anything is written", async () => {
  for (const [name, bytes] of Object.entries(POLYGLOTS)) {
    const url = files.serve(`${name}.png`, bytes, "image/png");
    assert.equal(await pictureRefused(url), "media_not_accepted", name);
    assert.equal(files.asked(`${name}.png`), 1, name);
  }
  for (const url of ["data:image/svg+xml,<svg onload=alert(1)>", `javascript:${RUN}`, "file:///etc/passwd"]) {
    assert.equal(await pictureRefused(url), "media_not_fetched", url);
  }
  assert.deepEqual((await callTool(client, "list_posts", { text: "With a picture" })).posts, []);
});

test("hostile alt text is an attribute of its picture, and the picture's own address runs nothing", async (t) => {
  const url = files.serve(`${HOSTILE_NAME}.png`, png(), "text/html");
  const alts = [HOSTILE_NAME, ...TEXTS].map((text) => text.slice(0, 1000));
  const posts = alts.map((alt) => ({ profiles: ["hostile"], text: "Only a picture", media: [{ url, alt }], when: "PT1S" }));
  const published = await publish(posts);

  const context = await signedInBrowser();
  t.after(() => context.close());
  const watched = await watchedPage(context);
  const sources = new Set();
  for (const [index, post] of published.entries()) {
    for (const page of [post.deliveries[0].url, post.review_url]) {
      await showHarmless(watched, page, []);
      const picture = await watched.page.locator("img").evaluate((img) => ({ alt: img.alt, wide: img.naturalWidth, source: img.src }));
      assert.deepEqual([picture.alt, picture.wide], [alts[index], 1], page);
      sources.add(picture.source);
    }
  }
  for (const source of sources) {
    const answer = await watched.page.goto(source);
    assert.equal(answer.headers()["content-type"], "image/png");
    assert.equal(answer.headers()["x-content-type-options"], "nosniff");
    assert.match(answer.headers()["content-security-policy"], /^default-src 'none'; sandbox$/);
    assert.deepEqual(watched.seen.ran, []);
    const cookies = watched.seen.requests.filter((request) => request.url() === source).map((request) => request.allHeaders());
    for (const headers of await Promise.all(cookies)) assert.equal(headers.cookie, undefined);
  }
});
