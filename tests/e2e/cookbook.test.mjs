// The cookbook: what people ask an assistant for, each done in at most two calls after one `whoami`; and each again with
// a plausible mistake, where the refusal alone holds a call that works.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../../scripts/lib/worker.mjs";
import { Examples, documentOf } from "./lib/cookbook.mjs";
import { callTool, deploy } from "./lib/deployment.mjs";
import { FileServer } from "./lib/files.mjs";
import { startPds } from "./lib/pds.mjs";
import { png } from "./lib/pictures.mjs";

let deployment;
let pds;
let files;
let account;
let client;
before(async () => {
  [deployment, pds, files] = await Promise.all([deploy(), startPds(), FileServer.start()]);
  const acme = await deployment.createTenant("acme");
  client = await deployment.client(acme, { also: ["posts:publish", "social_profiles:write", "media:write"] });
  account = await pds.createAccount("harbour");
  const { connect_url } = await callTool(client, "connect_social_profile", { network: "bluesky" });
  const visitor = await deployment.signedIn(acme);
  const fields = { server: pds.origin, handle: account.handle, app_password: account.appPassword };
  await visitor.submit(await visitor.get(connect_url), { fields });
  const { workspaces } = await callTool(client, "whoami", {});
  assert.equal(workspaces.length, 1);
  assert.equal(workspaces[0].profiles.healthy, 2);
  await deployment.saveSettings(acme, workspaces[0].id, { hold_seconds: "0" });
});
after(async () => {
  await client?.close();
  await Promise.all([deployment?.stop(), pds?.stop(), files?.stop()]);
});

const DAY_MS = 86_400_000;
const LONG = "The harbour office moves. ".repeat(20).trim();
const ONE = { profiles: ["wall"], when: "P3D" };

/** Nine o'clock, so many days from now, as a person would name it. */
const nine = (days) => `${new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10)}T09:00`;
let made = 0;
/** A post that a request is about. */
const having = (fields = {}) => callTool(client, "create_post", { text: `About this, number ${(made += 1)}`, ...ONE, ...fields });

/** A post that Bluesky refused: its account was barred for a while. */
async function refusedByBluesky() {
  await pds.bar(account.did, true);
  const { post_id } = await having({ profiles: ["bluesky"], when: "PT1S" });
  const failed = await deployment.tickUntil(async () => {
    const post = await callTool(client, "get_post", { post_id });
    return post.status === "failed" && post;
  });
  await pds.bar(account.did, false);
  return failed;
}

/**
 * The requests: `given` makes what the request is about; `calls` are the calls that do it, each may use the results so
 * far; `done` proves it; `mistake` is the last call with something wrong, and `code` is what that is refused for.
 */
const COOKBOOK = [
  {
    request: "save as a draft",
    calls: () => [["create_post", { text: "Only an idea", profiles: ["wall"] }]],
    done: ([post]) => assert.equal(post.status, "draft"),
    mistake: { change: { text: undefined, txt: "Another idea" }, code: "unknown_field" },
  },
  {
    request: "schedule to Bluesky next Tuesday at nine",
    calls: () => [["create_post", { text: "Open from Tuesday", profiles: ["bluesky"], when: nine(4) }]],
    done: ([post]) => {
      assert.equal(post.status, "scheduled");
      assert.match(post.when.local, /T09:00:00\+0[12]:00\[Europe\/Stockholm\]$/);
      assert.deepEqual(post.deliveries.map(({ network }) => network), ["bluesky"]);
    },
    mistake: { change: { text: "Open from Wednesday", profiles: ["@harbor"] }, code: "social_profile_rejected" },
  },
  {
    request: "post this to everything",
    calls: () => [["create_post", { text: "Everybody should know", profiles: ["all"], when: "now" }]],
    done: ([post]) => assert.equal(post.deliveries.length, 2),
    mistake: { change: { text: "Everybody should know this too", profiles: "all" }, code: "wrong_type" },
  },
  {
    request: "post it now",
    given: () => having({ when: undefined }),
    calls: (post) => [["publish_post", { post_id: post.post_id }]],
    done: ([post]) => assert.equal(post.status, "scheduled"),
    mistake: { change: (post) => ({ post_id: undefined, id: post.post_id }), given: () => having({ when: undefined }), code: "missing" },
  },
  {
    request: "in two hours",
    given: () => having({ when: undefined }),
    calls: (post) => [["schedule_post", { post_id: post.post_id, when: "PT2H" }]],
    done: ([post]) => assert.match(post.when.words, /in 2 hours$/),
    mistake: { change: { when: "2020-12-01T09:00" }, code: "invalid_schedule" },
  },
  {
    request: "a thread here, one long post there",
    calls: () => [["create_post", { text: LONG, profiles: ["all"], when: "P1D", overrides: [{ profiles: ["bluesky"], text: "The harbour office moves.", thread: ["Here is why.", "And when."] }] }]],
    done: ([post]) => assert.equal(post.status, "scheduled"),
    mistake: { change: { text: `${LONG} Soon.`, overrides: undefined }, code: "content_too_long" },
  },
  {
    request: "with this picture from a URL",
    calls: () => [["create_post", { text: "Look", profiles: ["all"], media: [{ url: files.serve("a.png", png(), "image/png"), alt: "The harbour" }], when: "P1D" }]],
    done: ([post]) => assert.equal(post.status, "scheduled"),
    mistake: { change: () => ({ text: "Look again", media: [{ url: files.serve("b.png", png(), "image/png"), alt_text: "The harbour" }] }), code: "unknown_field" },
  },
  {
    request: "first comment with the link",
    calls: () => [["create_post", { text: "Read all of it", profiles: ["bluesky"], first_comment: "https://example.com/all", when: "P1D" }]],
    done: ([post]) => assert.equal(post.status, "scheduled"),
    mistake: { change: { text: "Read the rest of it", first_comment: undefined, firstcomment: "https://example.com/all" }, code: "unknown_field" },
  },
  {
    request: "what goes out this week",
    given: having,
    calls: () => [["list_posts", { status: "scheduled", to: nine(7) }]],
    done: ([{ posts }], post) => assert.ok(posts.some(({ post_id }) => post_id === post.post_id)),
    mistake: { change: { status: "sheduled" }, code: "not_in_list" },
  },
  {
    request: "why did it fail",
    given: refusedByBluesky,
    calls: () => [["list_posts", { status: "failed" }]],
    done: ([{ posts }], failed) => {
      const found = posts.find(({ post_id }) => post_id === failed.post_id);
      assert.match(JSON.stringify(found), /AccountTakedown/);
    },
    mistake: { change: { status: "faild" }, code: "not_in_list" },
  },
  {
    request: "fix the Bluesky version and retry",
    given: refusedByBluesky,
    calls: (failed) => [["retry_post", { post_id: failed.post_id, text: "The better version" }]],
    done: async ([post]) => {
      assert.equal(post.retried.length, 1);
      await deployment.tickUntil(async () => (await callTool(client, "get_post", { post_id: post.post_id })).status === "published");
      const texts = (await pds.posts(account.did)).map(({ value }) => value.text);
      assert.equal(texts.filter((text) => text === "The better version").length, 1);
    },
    mistake: { given: refusedByBluesky, change: ({ post_id }) => ({ post_id, profiles: "bluesky", text: "The best version" }), code: "wrong_type" },
  },
  {
    request: "move everything a week",
    given: () => having({ labels: ["moving"] }),
    calls: () => [
      ["change_posts", { filter: { label: "moving", status: "scheduled" }, shift: "P7D" }],
      ([dry]) => [dry.next[0].tool, dry.next[0].arguments],
    ],
    done: ([dry, applied], post) => {
      assert.deepEqual([dry.applied, applied.applied], [false, true]);
      assert.deepEqual(applied.posts.map(({ post_id }) => post_id), [post.post_id]);
      assert.equal(new Date(applied.posts[0].to.utc) - new Date(post.when.utc), 7 * DAY_MS);
    },
    mistake: { of: 0, change: { shift: "a week" }, code: "malformed" },
  },
  {
    request: "plan ten posts for December",
    calls: () => [["create_posts", { posts: Array.from({ length: 10 }, (_, day) => ({ text: `Window ${day + 1}`, profiles: ["wall"], when: nine(20 + day) })) }]],
    done: ([{ posts }]) => assert.deepEqual(posts.map(({ status }) => status), Array(10).fill("scheduled")),
    mistake: { change: { posts: [{ text: "Window 11", profiles: ["wall"], when: nine(40) }, { text: "Window 12", profiles: ["wall"], when: nine(-1) }] }, code: "invalid_schedule" },
  },
  {
    request: "change the wording, keep the time",
    given: () => having({ text: "It opnes soon" }),
    calls: () => [
      ["list_posts", { text: "opnes" }],
      ([{ posts: [found] }]) => ["update_post", { post_id: found.post_id, text: "It opens soon", expected_revision: found.revision }],
    ],
    done: ([, post], before) => {
      assert.equal(post.when.utc, before.when.utc);
      assert.equal(post.revision, before.revision + 1);
    },
    mistake: { change: { text: "It opens very soon" }, code: "post_changed" },
  },
  {
    request: "undo that",
    given: having,
    calls: () => [["undo_change", {}]],
    done: ([{ undone }], post) => assert.equal(undone, post.change_id),
    mistake: { given: having, change: (post) => ({ id: post.change_id }), code: "unknown_field" },
  },
  {
    request: "take it down everywhere",
    given: having,
    calls: (post) => [["delete_post", { post_id: post.post_id, on_networks: true }]],
    done: async (_, post) => {
      const { posts } = await callTool(client, "list_posts", {});
      assert.ok(posts.every(({ post_id }) => post_id !== post.post_id));
    },
    mistake: { given: having, change: (post) => ({ post_id: post.post_id, on_networks: undefined, on_network: true }), code: "unknown_field" },
  },
  {
    request: "put it on Bluesky too",
    given: having,
    calls: (post) => [["update_post", { post_id: post.post_id, profiles: ["wall", "bluesky"] }]],
    done: ([post], before) => {
      assert.deepEqual(post.deliveries.map(({ network }) => network).toSorted(), ["bluesky", "wall"]);
      assert.equal(post.when.utc, before.when.utc);
    },
    mistake: { change: { profiles: ["wall", "blusky"] }, code: "social_profile_rejected" },
  },
  {
    request: "what needs my attention",
    given: refusedByBluesky,
    calls: () => [["list_posts", { status: "needs_attention" }]],
    done: ([{ posts }], failed) => assert.ok(posts.some(({ post_id }) => post_id === failed.post_id)),
    mistake: { change: { status: "need_attention" }, code: "not_in_list" },
  },
];

/**
 * The requests that wait for a tool, a network or an argument that is not there yet; and those that native tests make,
 * since they need an outcome that nobody knows, or would stop all the others.
 */
const LATER = [
  { request: "next free slot", tool: "set_posting_schedule" },
  { request: "with a picture on my computer", tool: "create_media_upload" },
  { request: "in #announcements", network: "slack" },
  { request: "I can see it, it did go out", elsewhere: ["confirm_delivery", "tests/posts/confirming.rs"] },
  { request: "stop everything until Monday", elsewhere: ["pause_publishing", "tests/posts/pausing.rs"] },
  { request: "every Monday until March", argument: "repeat" },
  { request: "send it to the client for approval", tool: "request_approval" },
];
/** The cookbook's one request that is tried with another network than it names. */
const ON_ANOTHER_NETWORK = { "put it on Bluesky too": "mastodon" };

/** What the tests did, for docs/cookbook.md. */
const transcript = [];

/** Calls a tool that must refuse; gives its problems. */
async function refusedFor(name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.equal(result.isError, true, `${name} took ${JSON.stringify(args)}`);
  return result.structuredContent.error.problems;
}

/** The arguments without what is undefined. */
const plain = (args) => JSON.parse(JSON.stringify(args));

test("each of the 25 requests is here, in at most two calls, or waits for what is not there yet", async () => {
  assert.equal(COOKBOOK.length + LATER.length, 25);
  for (const { request, calls } of COOKBOOK) assert.ok(calls({}).length <= 2, request);
  const { tools } = await client.listTools();
  const networks = async (network) => !(await client.callTool({ name: "describe_network", arguments: { network } })).isError;
  const create = tools.find(({ name }) => name === "create_post");
  for (const { request, tool, network, argument, elsewhere } of LATER) {
    const why = `${request} can be done now: write its calls`;
    if (elsewhere) assert.ok(tools.some(({ name }) => name === elsewhere[0]), `${request}: there is no ${elsewhere[0]}`);
    if (tool) assert.ok(tools.every(({ name }) => name !== tool), why);
    if (network) assert.equal(await networks(network), false, why);
    if (argument) assert.equal(create.inputSchema.properties[argument], undefined, why);
  }
  for (const [request, network] of Object.entries(ON_ANOTHER_NETWORK)) assert.equal(await networks(network), false, `${request}: name ${network}`);
});

/** What differs between runs besides ids and times. */
const differing = () => [
  [deployment.origin, "https://mcp.example.com"],
  [deployment.contentOrigin, "https://wall.example.com"],
  [pds.origin, "https://pds.example.com"],
  [new URL(files.serve("any", png(), "image/png")).origin, "https://files.example.com"],
  [account.handle, "harbour.example.com"],
  [account.did, "did:plc:example"],
];

for (const { request, given = async () => ({}), calls, done, mistake } of COOKBOOK) {
  test(`${request}; and with a mistake, the refusal holds a call that works`, async () => {
    const about = await given();
    const asked = [];
    const results = [];
    for (const call of calls(about)) {
      const [name, args] = typeof call === "function" ? call(results) : call;
      asked.push([name, args]);
      results.push(await callTool(client, name, plain(args)));
    }
    await done(results, about);

    const [name, right] = asked.at(mistake.of ?? -1);
    const change = typeof mistake.change === "function" ? mistake.change(await mistake.given?.()) : mistake.change;
    const problems = await refusedFor(name, plain({ ...right, ...change }));
    assert.equal(problems[0].code, mistake.code, JSON.stringify(problems));
    const next = problems.find((problem) => problem.next)?.next;
    assert.equal(next?.tool, name, `not the corrected call: ${JSON.stringify(problems)}`);
    await callTool(client, next.tool, next.arguments);

    const examples = new Examples(differing());
    transcript.push({
      request,
      calls: asked.map((made, index) => [examples.of(plain(made)), examples.of(results[index])]),
      mistaken: examples.of([name, plain({ ...right, ...change })]),
      refusal: examples.of(problems[0]),
      corrected: examples.of([next.tool, next.arguments]),
    });
  });
}

test("docs/cookbook.md says what was done", () => {
  assert.equal(transcript.length, COOKBOOK.length, "a request before failed");
  const needs = ({ tool, network, argument, elsewhere }) => (elsewhere ? `\`${elsewhere[0]}\`, as \`${elsewhere[1]}\` calls it` : tool ? `the tool \`${tool}\`` : network ? `a network that has channels, such as ${network}` : `\`${argument}\` in \`create_post\``);
  const later = LATER.map((one) => ({ request: one.request, needs: needs(one) }));
  const path = join(ROOT, "docs/cookbook.md");
  const fresh = documentOf(transcript, later);
  let written = "";
  try {
    written = readFileSync(path, "utf8");
  } catch (fault) {
    if (fault.code !== "ENOENT") throw fault;
  }
  if (written !== fresh) writeFileSync(path, fresh);
  assert.equal(written, fresh, "docs/cookbook.md was stale and has been written again; test once more");
});
