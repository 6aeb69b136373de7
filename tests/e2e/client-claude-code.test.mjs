// Claude Code itself: `claude mcp add --transport http`, `claude mcp login`, and tools called in its own conversation.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ClaudeCode, ObedientModel } from "./lib/claude-code.mjs";
import { Documents } from "./lib/documents.mjs";
import { deployExpiring } from "./lib/expiring.mjs";

const NOW = { profiles: ["wall"], text: "Hello", when: "now" };

let documents;
let model;
let clientId;
let worker;
before(async () => {
  [documents, model] = await Promise.all([Documents.start(), ObedientModel.start()]);
  clientId = documents.serve("/claude-code.json", {
    client_name: "Claude Code",
    redirect_uris: ["http://localhost/callback", "http://127.0.0.1/callback"],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  });
  worker = await deployExpiring({ env: documents.env });
});
after(() => Promise.all([worker?.stop(), documents?.stop(), model?.stop()]));

const start = (tenant, options) => ClaudeCode.start(worker.deployment, tenant, { model, clientId, ...options });

/** Calls a tool, which must work; gives its structured result. */
async function callWell(claude, tool, input) {
  const result = await claude.call(tool, input);
  assert.ok(result && !result.is_error, JSON.stringify(result));
  return JSON.parse(typeof result.content === "string" ? result.content : result.content[0].text);
}

describe("Claude Code", { concurrency: 4 }, () => {
  test("is told to log in, does so once, and goes on over three expiries", async () => {
    const tenant = await worker.deployment.createTenant("expiries");
    const claude = await start(tenant);
    assert.match(await claude.health(), /Needs authentication/);
    await claude.login();
    assert.match(await claude.health(), /Connected/);
    await worker.crossExpiries(tenant, async () => assert.equal((await callWell(claude, "whoami")).connection.app, "Claude Code"));
    assert.equal(claude.device.opened.length, 1);
  });

  test("two processes share one store over three expiries", async () => {
    const tenant = await worker.deployment.createTenant("shared");
    const claude = await start(tenant);
    await claude.login();
    await worker.crossExpiries(tenant, () => Promise.all([callWell(claude, "whoami"), callWell(claude, "whoami")]));
    assert.match(await claude.health(), /Connected/);
    assert.equal(claude.device.opened.length, 1);
  });

  test("goes on with its old pair when the answer to a refresh is lost", async () => {
    const tenant = await worker.deployment.createTenant("lost");
    const claude = await start(tenant);
    await claude.login();
    await callWell(claude, "whoami");
    await worker.loseRefresh(tenant, () => callWell(claude, "whoami"));
    assert.equal(claude.device.opened.length, 1);
  });

  test("steps up by logging in again, and a second device leaves the first one's capabilities as they are", async () => {
    const tenant = await worker.deployment.createTenant("wider");
    const first = await start(tenant);
    await first.login();
    assert.ok((await first.call("create_post", NOW)).is_error);
    await first.login();
    const [before, after] = first.device.opened.map((url) => new URL(url).searchParams.get("scope").split(" "));
    assert.deepEqual(new Set(after), new Set([...before, "posts:publish"]));
    assert.equal((await callWell(first, "create_post", NOW)).status, "scheduled");

    const second = await start(tenant);
    await second.login();
    assert.ok((await second.call("create_post", { ...NOW, text: "Too much" })).is_error);
    await worker.untilExpired(tenant);
    assert.equal((await callWell(first, "create_post", { ...NOW, text: "Hello again" })).status, "scheduled");
    assert.deepEqual([first.device.opened.length, second.device.opened.length], [2, 1]);
  });
});
