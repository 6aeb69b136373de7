// A Bluesky account, from the connect page to the posts on a real server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { callTool, deploy } from "./lib/deployment.mjs";
import { startPds } from "./lib/pds.mjs";

let deployment;
let pds;
let acme;
let client;
before(async () => {
  [deployment, pds] = await Promise.all([deploy(), startPds()]);
  acme = await deployment.createTenant("acme");
  client = await deployment.client(acme, { also: ["posts:publish", "social_profiles:write"] });
  const [workspace] = (await callTool(client, "whoami", {})).workspaces;
  await deployment.saveSettings(acme, workspace.id, { hold_seconds: "0" });
});
after(async () => {
  await client?.close();
  await Promise.all([deployment?.stop(), pds?.stop()]);
});

/** Connects an account as a person does, on the page whose address the assistant was given. */
async function connectAccount(account) {
  const { connect_url } = await callTool(client, "connect_social_profile", { network: "bluesky" });
  const visitor = await deployment.signedIn(acme);
  const page = await visitor.get(connect_url);
  const fields = { server: pds.origin, handle: account.handle, app_password: account.appPassword };
  return visitor.submit(page, { fields });
}

/** Fires the cron until nothing is on its way any more, and shows that no post ended otherwise than published. */
async function untilAllPublished() {
  const onTheirWay = () => Promise.all(["scheduled", "publishing"].map((status) => callTool(client, "list_posts", { status })));
  await deployment.tickUntil(async () => (await onTheirWay()).every(({ posts }) => posts.length === 0));
  for (const status of ["needs_attention", "failed", "missed", "partly_published"]) {
    assert.deepEqual((await callTool(client, "list_posts", { status })).posts, []);
  }
}

test("an account is connected on its page with an app password, and a wrong one is told beside its field", async () => {
  const account = await pds.createAccount("harbour");
  const wrong = await connectAccount({ ...account, appPassword: "aaaa-bbbb-cccc-dddd" });
  assert.equal(wrong.status, 422);
  assert.match(wrong.body, /id="app-password-fault"/);

  const done = await connectAccount(account);
  assert.equal(done.status, 303, done.body);
  const { profiles } = await callTool(client, "list_social_profiles", {});
  const [profile] = profiles.filter(({ network }) => network === "bluesky");
  assert.equal(profile.handle, "harbour.test");
  assert.equal(profile.state, "healthy");
  assert.ok(!JSON.stringify(profiles).includes(account.appPassword), "the secret never passes through the model");
});

test("a text with a link and its thread are on the server as they were previewed", async () => {
  const { did } = await pds.call("com.atproto.identity.resolveHandle", { query: { handle: "harbour.test" } });
  const body = {
    profiles: ["bluesky"],
    text: "Grüße vom Hafen 🚢 https://example.invalid/harbour #harbour",
    thread: [{ text: "How to find us." }, { text: "See you on Friday!" }],
  };
  const draft = await callTool(client, "create_post", body);
  await callTool(client, "schedule_post", { post_id: draft.post_id, when: "PT1S" });
  await untilAllPublished();
  const post = await callTool(client, "get_post", { post_id: draft.post_id });
  assert.match(post.deliveries[0].url, /\/profile\/.+\/post\/.+/);

  const records = (await pds.posts(did)).toSorted((one, other) => one.uri.localeCompare(other.uri));
  assert.deepEqual(records.map(({ value }) => value.text), [body.text, ...body.thread.map(({ text }) => text)]);
  const [first, second, third] = records;
  const bytes = Buffer.from(first.value.text);
  const facets = first.value.facets.map(({ index, features: [feature] }) => [bytes.subarray(index.byteStart, index.byteEnd).toString(), feature.uri ?? feature.tag]);
  assert.deepEqual(facets, [
    ["https://example.invalid/harbour", "https://example.invalid/harbour"],
    ["#harbour", "harbour"],
  ]);
  const of = ({ uri, cid }) => ({ uri, cid });
  assert.deepEqual(second.value.reply, { root: of(first), parent: of(first) });
  assert.deepEqual(third.value.reply, { root: of(first), parent: of(second) });
});
