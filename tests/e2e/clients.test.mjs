// The clients that people use, on one table: what each must do stands once, how each does it is in lib/clients.mjs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT } from "../../scripts/lib/worker.mjs";
import { ObedientModel } from "./lib/claude-code.mjs";
import { startClaudeCode, startInspector, startMcpRemote, startRmcp, startSdk1, startTypeScript } from "./lib/clients.mjs";
import { Documents } from "./lib/documents.mjs";
import { deployExpiring } from "./lib/expiring.mjs";

const MODERN = "2026-07-28";
const LEGACY = "2025-11-25";
const EVERY_TOOL = Object.keys(JSON.parse(readFileSync(join(ROOT, "src/mcp/catalogue.json"), "utf8"))).sort();
const NOW = { profiles: ["wall"], text: "Hello", when: "now" };
const PUBLISHING = ["posts:publish"];

let documents;
let model;
/** Whose access tokens live for seconds, and whose live as long as usual. */
let expiring;
let usual;
let claudeOptions;
before(async () => {
  [documents, model] = await Promise.all([Documents.start(), ObedientModel.start()]);
  const clientId = documents.serve("/claude-code.json", {
    client_name: "Claude Code",
    redirect_uris: ["http://localhost/callback", "http://127.0.0.1/callback"],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  });
  claudeOptions = { model, clientId };
  [expiring, usual] = await Promise.all([deployExpiring({ env: documents.env }), deployExpiring({ env: documents.env, tokenSeconds: 600 })]);
});
after(() => Promise.all([expiring?.stop(), usual?.stop(), documents?.stop(), model?.stop()]));

const typescript = (versionNegotiation) => (deployment, tenant, options) => startTypeScript(deployment, tenant, { versionNegotiation, ...options });
const inspector = (era) => (deployment, tenant, options) => startInspector(deployment, tenant, { era, ...options });
const rmcp = (mode) => (deployment, tenant) => startRmcp(deployment, tenant, { mode });
const claudeCode = (deployment, tenant, options) => startClaudeCode(deployment, tenant, { ...claudeOptions, ...options });

/** How each connects, and the revision that its calls are made in. Claude Code tells its model the words of a refusal alone. */
const CLIENTS = {
  "typescript": { start: typescript(undefined), revision: LEGACY },
  "typescript-auto": { start: typescript({ mode: "auto" }), revision: MODERN },
  "typescript-pinned": { start: typescript({ mode: { pin: MODERN } }), revision: MODERN },
  "sdk-1": { start: startSdk1, revision: LEGACY },
  "rmcp-initialize": { start: rmcp("initialize"), revision: LEGACY },
  "rmcp-discover": { start: rmcp("discover"), revision: MODERN },
  "rmcp-auto": { start: rmcp("auto"), revision: MODERN },
  "inspector": { start: inspector("legacy"), revision: LEGACY },
  "inspector-auto": { start: inspector("auto"), revision: MODERN },
  "inspector-modern": { start: inspector("modern"), revision: MODERN },
  "mcp-remote": { start: startMcpRemote, revision: LEGACY },
  "claude-code": { start: claudeCode, revision: MODERN, tellsWordsAlone: true },
};

/**
 * What each does by itself about tokens. `loses` is what a lost answer to a refresh costs; `widens` is what it takes to
 * go on when a call needs more than the grant.
 */
const SIGNED_IN = {
  "typescript-auto": { loses: "a call", widens: "asking" },
  "sdk-1": { loses: "a call", widens: "nothing does" },
  "inspector": { loses: "a call", widens: "asking" },
  "mcp-remote": { loses: "nothing", widens: "nothing" },
  "claude-code": { loses: "nothing", widens: "asking" },
};

/** A client of a new tenant, until the test ends. */
async function startAt(worker, context, name, safename, options) {
  const tenant = await worker.deployment.createTenant(safename);
  const session = await CLIENTS[name].start(worker.deployment, tenant, options);
  context.after(() => session.close());
  return { tenant, session };
}

/** Makes a call, which must work; gives its structured result. */
async function callWell(session, tool, input) {
  const { isError, structured, text } = await session.call(tool, input);
  assert.ok(!isError, text);
  return structured;
}

/** Makes a call that gets no result, or is told that it failed. */
async function callInVain(session, tool, input) {
  const result = await session.call(tool, input).catch(() => undefined);
  assert.ok(!result || result.isError, JSON.stringify(result));
}

describe("each client", { concurrency: 4 }, () => {
  for (const [name, { revision, tellsWordsAlone }] of Object.entries(CLIENTS)) {
    test(`${name} lists every tool, reads, writes, and is told what is wrong`, async (context) => {
      const { tenant, session } = await startAt(usual, context, name, name);
      assert.deepEqual((await session.tools()).sort(), EVERY_TOOL);
      assert.equal((await callWell(session, "whoami")).organisation.name, name);
      const { status, post_id } = await callWell(session, "create_post", { text: "Hello", profiles: ["wall"] });
      assert.equal(status, "draft");
      assert.equal((await callWell(session, "get_post", { post_id })).post_id, post_id);
      const refused = await session.call("get_post", { post_id: "post_00000000000000000000000000" });
      assert.ok(refused.isError);
      assert.match(refused.text, /post_not_found at post_id/);
      if (!tellsWordsAlone) {
        const [problem] = refused.structured.error.problems;
        assert.deepEqual([problem.code, problem.field], ["post_not_found", "post_id"]);
      }
      assert.equal(usual.revision(tenant), revision);
    });
  }
});

describe("each client that signs in", { concurrency: 4 }, () => {
  for (const [name, { loses, widens }] of Object.entries(SIGNED_IN)) {
    test(`${name} asks the person once, and goes on over three expiries by refreshing`, async (context) => {
      const { tenant, session } = await startAt(expiring, context, name, `${name}-expiries`);
      await expiring.crossExpiries(tenant, () => callWell(session, "whoami"));
      assert.equal(session.asked(), 1);
    });

    test(`${name} goes on with its old pair when the answer to a refresh is lost`, async (context) => {
      const { tenant, session } = await startAt(expiring, context, name, `${name}-lost`);
      await callWell(session, "whoami");
      await expiring.loseRefresh(tenant, async () => {
        if (loses === "a call") await callInVain(session, "whoami");
        await callWell(session, "whoami");
      });
      assert.equal(session.asked(), 1);
    });

    test(`${name} steps up when a call needs more: what it takes is ${widens}`, async (context) => {
      const { tenant, session } = await startAt(expiring, context, name, `${name}-wider`);
      const other = await CLIENTS[name].start(expiring.deployment, tenant);
      context.after(() => other.close());
      const had = (await callWell(session, "whoami")).capabilities;
      assert.ok(!had.includes(PUBLISHING[0]));
      if (widens !== "nothing") await callInVain(session, "create_post", NOW);
      if (widens === "asking") await session.login(PUBLISHING);
      if (widens === "nothing does") return assert.deepEqual((await callWell(session, "whoami")).capabilities, had);
      assert.equal((await callWell(session, "create_post", NOW)).status, "scheduled");
      const has = (await callWell(session, "whoami")).capabilities;
      assert.deepEqual(new Set(has), new Set([...had, ...PUBLISHING]));
      assert.equal(session.asked(), 2);
      await expiring.untilExpired(tenant);
      await callWell(session, "create_post", { ...NOW, text: "Hello again" });
      // Another device has a grant of its own, which is as it was.
      assert.deepEqual((await callWell(other, "whoami")).capabilities, had);
      assert.equal(other.asked(), 1);
    });
  }
});

describe("processes that share a store", { concurrency: 2 }, () => {
  test("of mcp-remote go on beside each other, and the second asks nobody", async (context) => {
    const { tenant, session } = await startAt(expiring, context, "mcp-remote", "shared-store");
    const beside = await session.beside();
    context.after(() => beside.close());
    await expiring.crossExpiries(tenant, () => Promise.all([callWell(session, "whoami"), callWell(beside, "whoami")]));
    assert.equal(session.asked(), 1);
  });

  test("of Claude Code go on beside each other", async (context) => {
    const { tenant, session } = await startAt(expiring, context, "claude-code", "shared-by-claude");
    await expiring.crossExpiries(tenant, () => Promise.all([callWell(session, "whoami"), callWell(session, "whoami")]));
    assert.equal(session.asked(), 1);
  });
});
