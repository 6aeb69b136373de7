// The main job, end to end: an assistant that knows only an address schedules a post, the cron publishes it on the
// Wall, and everybody can read it; and nobody gets in who does not belong.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { callTool, deploy, postMcp } from "./lib/deployment.mjs";

const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
const MIB = 1024 * 1024;

let deployment;
let acme;
let other;
before(async () => {
  deployment = await deploy();
  acme = await deployment.createTenant("acme");
  other = await deployment.createTenant("other");
});
after(() => deployment?.stop());

/** What an address answers without a token, its tenant's name taken out. */
async function challengeOf(safename) {
  const { status, headers, body } = await postMcp(`${deployment.origin}/${safename}/mcp`, PING);
  const named = new RegExp(safename, "g");
  return { status, challenge: headers.get("www-authenticate").replace(named, "*"), body: JSON.stringify(body).replace(named, "*") };
}

test("an assistant that knows only an address gets a post onto the public page", async (context) => {
  const steps = [];
  const client = await deployment.client(acme, { also: ["posts:publish"], onStep: (line) => steps.push(line) });
  context.after(() => client.close());
  for (const step of [/^answered 401/, /^registered as cli_/, /^signed in and approved/, /^got an access token/]) {
    assert.ok(steps.some((line) => step.test(line)), `no step is like ${step}: ${steps}`);
  }
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  for (const name of ["preview_post", "create_post", "schedule_post", "get_post"]) assert.ok(names.includes(name), name);

  const [workspace] = (await callTool(client, "whoami", {})).workspaces;
  await deployment.saveSettings(acme, workspace.id, { hold_seconds: "0" });

  const text = "The harbour office is open & <b>everybody</b> is welcome.";
  const body = { profiles: ["wall"], text };
  const preview = await callTool(client, "preview_post", body);
  assert.equal(preview.ready, true);
  assert.equal(preview.profiles[0].parts[0].text, text);
  assert.equal(preview.profiles[0].parts[0].count, [...text].length);
  assert.deepEqual((await callTool(client, "list_posts", {})).posts, [], "a preview writes nothing");

  const draft = await callTool(client, "create_post", body);
  assert.equal(draft.status, "draft");
  const scheduled = await callTool(client, "schedule_post", { post_id: draft.post_id, when: "PT1S" });
  assert.equal(scheduled.status, "scheduled");

  const published = await deployment.tickUntil(async () => {
    const post = await callTool(client, "get_post", { post_id: draft.post_id });
    return post.status === "published" && post;
  });
  const [{ url, status }] = published.deliveries;
  assert.equal(status, "published");
  assert.equal(new URL(url).origin, deployment.contentOrigin);

  const page = await fetch(url);
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy"), /default-src 'none'.*sandbox/s);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  assert.deepEqual(page.headers.getSetCookie(), []);
  const html = await page.text();
  assert.ok(html.includes("The harbour office is open &#38; &#60;b&#62;everybody&#60;/b&#62; is welcome."), html);

  const wall = url.slice(0, url.lastIndexOf("/"));
  const atom = await fetch(`${wall}/feed.atom`);
  assert.match(atom.headers.get("content-type"), /^application\/atom\+xml/);
  assert.ok((await atom.text()).includes(url));
  const json = await fetch(`${wall}/feed.json`);
  assert.match(json.headers.get("content-type"), /^application\/feed\+json/);
  const feed = await json.json();
  assert.equal(feed.version, "https://jsonfeed.org/version/1.1");
  assert.deepEqual(feed.items.map((item) => item.url), [url]);
});

test("a token is refreshed, and after its revocation nothing of it is of use", async () => {
  const first = await deployment.token(acme);
  assert.equal((await postMcp(acme.mcp_url, PING, { token: first.access_token })).status, 200);

  const ask = (endpoint, fields) => fetch(endpoint, { method: "POST", body: new URLSearchParams({ client_id: first.client_id, ...fields }) });
  const refresh = (token) => ask(first.token_endpoint, { grant_type: "refresh_token", refresh_token: token });
  const answer = await refresh(first.refresh_token);
  assert.equal(answer.status, 200);
  const second = await answer.json();
  assert.notEqual(second.access_token, first.access_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(second.scope, first.scope);
  assert.equal((await postMcp(acme.mcp_url, PING, { token: second.access_token })).status, 200);

  assert.equal((await ask(`${deployment.origin}/revoke`, { token: second.refresh_token })).status, 200);
  const whoami = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "whoami", arguments: {} } };
  for (const { access_token } of [first, second]) {
    const refused = await postMcp(acme.mcp_url, whoami, { token: access_token });
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get("www-authenticate"), /error="invalid_token"/);
  }
  const late = await refresh(second.refresh_token);
  assert.equal(late.status, 400);
  assert.equal((await late.json()).error, "invalid_grant");
});

test("one tenant's token is not taken at another's address", async () => {
  const { access_token } = await deployment.token(acme);
  const refused = await postMcp(other.mcp_url, PING, { token: access_token });
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get("www-authenticate"), /error="invalid_token"/);
});

test("without a token a tenant that exists and one that does not answer alike", async () => {
  const known = await challengeOf("acme");
  assert.equal(known.status, 401);
  assert.deepEqual(await challengeOf("nobody-is-here"), known);
  const metadata = async (safename) => {
    const answer = await fetch(`${deployment.origin}/.well-known/oauth-protected-resource/${safename}/mcp`);
    return { status: answer.status, body: (await answer.text()).replaceAll(safename, "*") };
  };
  assert.deepEqual(await metadata("nobody-is-here"), await metadata("acme"));
});

test("a body that is too big or no JSON is refused as the protocol says, never with HTML", async () => {
  const { access_token: token } = await deployment.token(acme);
  const tooBig = await postMcp(acme.mcp_url, JSON.stringify({ ...PING, params: { filler: "x".repeat(MIB) } }), { token });
  assert.equal(tooBig.status, 413);
  const noJson = await postMcp(acme.mcp_url, "{", { token });
  assert.equal(noJson.status, 400);
  assert.equal(noJson.body.error.code, -32700);
  for (const { headers } of [tooBig, noJson]) assert.doesNotMatch(headers.get("content-type") ?? "", /html/);
});

test("each origin answers 404 to the other's paths", async () => {
  const status = async (origin, path, method = "GET") => (await fetch(origin + path, { method, redirect: "manual" })).status;
  const ofContent = ["/acme/main", "/acme/main/feed.atom", "/acme/main/feed.json"];
  for (const path of ofContent) {
    assert.equal(await status(deployment.contentOrigin, path), 200, path);
    assert.equal(await status(deployment.origin, path), 404, path);
  }
  const ofApp = ["/", "/healthz", "/sign-in", "/authorize", "/.well-known/oauth-authorization-server", "/acme/mcp", "/.well-known/oauth-protected-resource/acme/mcp"];
  for (const path of ofApp) {
    assert.notEqual(await status(deployment.origin, path), 404, path);
    assert.equal(await status(deployment.contentOrigin, path), 404, path);
  }
  for (const path of ["/token", "/register", "/revoke", "/operator", "/sign-out"]) {
    assert.notEqual(await status(deployment.origin, path, "POST"), 404, path);
    assert.equal(await status(deployment.contentOrigin, path, "POST"), 404, path);
  }
});
