// A crash while a post is being sent: the process that runs the worker is killed with SIGKILL before, between and after
// a call's effect, started again, and each post is on its network exactly once.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { callTool, deploy } from "./lib/deployment.mjs";
import { startPds } from "./lib/pds.mjs";

const PUT = "/xrpc/com.atproto.repo.putRecord";
/** Who takes a delivery over waits until the lease of three minutes has ended; then it looks, and sends what is missing. */
const RECOVERY_SECONDS = 420;

let deployment;
let pds;
let account;
let client;
before(async () => {
  [deployment, pds] = await Promise.all([deploy(), startPds()]);
  const acme = await deployment.createTenant("acme");
  client = await deployment.client(acme, { also: ["posts:publish", "social_profiles:write"] });
  const [workspace] = (await callTool(client, "whoami", {})).workspaces;
  await deployment.saveSettings(acme, workspace.id, { hold_seconds: "0" });
  account = await pds.createAccount("harbour");
  const { connect_url } = await callTool(client, "connect_social_profile", { network: "bluesky" });
  const visitor = await deployment.signedIn(acme);
  const fields = { server: pds.origin, handle: account.handle, app_password: account.appPassword };
  assert.equal((await visitor.submit(await visitor.get(connect_url), { fields })).status, 303);
});
after(async () => {
  await client?.close();
  await Promise.all([deployment?.stop(), pds?.stop()]);
});

/** Posts that are due at once, one for each text: the workspace holds nothing back. */
async function due(profile, texts) {
  const posts = texts.map((text) => ({ profiles: [profile], text, when: "now" }));
  for (let from = 0; from < posts.length; from += 20) await callTool(client, "create_posts", { posts: posts.slice(from, from + 20) });
}

/** Fires the cron, kills every process of the worker when `reached` is, and starts it again. */
async function crashInTick(reached) {
  const tick = deployment.worker.fireCron().then(
    () => "ended",
    () => "cut off",
  );
  assert.notEqual(await Promise.race([reached(), tick]), "ended", "the tick ended before it was killed");
  await deployment.worker.killAll();
  assert.equal(await tick, "cut off");
  await deployment.restart();
}

const statuses = async () => {
  const pages = [];
  let cursor;
  do {
    const { posts, next_cursor } = await callTool(client, "list_posts", { limit: 50, ...(cursor ? { cursor } : {}) });
    pages.push(...posts.map(({ status }) => status));
    cursor = next_cursor;
  } while (cursor);
  return pages;
};

/** Everything on the Wall, page by page. */
async function wallTexts() {
  const texts = [];
  for (let page = `${deployment.contentOrigin}/acme/main/feed.json`; page; ) {
    const { items, next_url } = await (await fetch(page)).json();
    texts.push(...items.map(({ content_text }) => content_text));
    page = next_url;
  }
  return texts;
}

/**
 * When the first entry is in the database; at most half a minute. The file is read beside the worker: the local runtime
 * answers no request while a tick is busy with its databases.
 */
async function firstEntryIsStored() {
  const deadline = Date.now() + 30_000;
  const shard = shardOf(deployment.worker.state);
  while (shard.prepare("SELECT count(*) AS entries FROM wall_entry").get().entries === 0) {
    assert.ok(Date.now() < deadline, "nothing is on the Wall");
    await new Promise(setImmediate);
  }
  shard.close();
}

function shardOf(state) {
  const folder = join(state, "data/v3/d1");
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".sqlite"));
  const databases = files.map((name) => new DatabaseSync(join(folder, name), { readOnly: true }));
  const holdsEntries = (database) => database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'wall_entry'").get();
  return databases.find(holdsEntries);
}

test("after a SIGKILL in the middle of sending, each post is on its network exactly once", async () => {
  await due("bluesky", ["Killed after the effect"]);
  const afterEffect = pds.gate.hold(PUT, "after");
  await crashInTick(() => afterEffect.reached);
  afterEffect.release();
  assert.equal((await pds.posts(account.did)).length, 1, "it was sent before the crash");

  await due("bluesky", ["Killed before the effect"]);
  const beforeEffect = pds.gate.hold(PUT, "before");
  await crashInTick(() => beforeEffect.reached);
  assert.equal((await pds.posts(account.did)).length, 1, "it was not sent before the crash");

  const entries = Array.from({ length: 60 }, (_, number) => `Entry ${number + 1}`);
  await due("wall", entries);
  assert.deepEqual(await wallTexts(), []);
  await crashInTick(firstEntryIsStored);
  const there = (await wallTexts()).length;
  assert.ok(there > 0 && there < entries.length, `killed in the middle: ${there} of ${entries.length} were there`);

  await deployment.tickUntil(async () => (await statuses()).every((status) => status === "published"), { seconds: RECOVERY_SECONDS });
  const sent = (await pds.posts(account.did)).map(({ value }) => value.text);
  assert.deepEqual(sent.toSorted(), ["Killed after the effect", "Killed before the effect"]);
  assert.deepEqual((await wallTexts()).toSorted(), entries.toSorted());

  // The call that died with its sender arrives late after all, and changes nothing.
  beforeEffect.release();
  await beforeEffect.answered;
  assert.equal((await pds.posts(account.did)).length, 2);
});
