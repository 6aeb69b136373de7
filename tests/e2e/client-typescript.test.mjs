// The official TypeScript client (@modelcontextprotocol/client), which registers itself: its own discovery, login,
// refresh and step-up.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { UnauthorizedError } from "@modelcontextprotocol/client";
import { callTool, connect } from "../../scripts/lib/mcp.mjs";
import { deployExpiring } from "./lib/expiring.mjs";

let worker;
before(async () => {
  worker = await deployExpiring();
});
after(() => worker?.stop());

/** A client that somebody of a new tenant has approved. */
async function connected(safename, options) {
  const tenant = await worker.deployment.createTenant(safename);
  const person = worker.deployment.atClient(tenant, { name: "TypeScript client", ...options });
  return { tenant, person, client: await connect({ mcpUrl: tenant.mcp_url, person }) };
}

describe("the TypeScript client", { concurrency: 3 }, () => {
  test("goes on over three expiries by refreshing", async () => {
    const { tenant, person, client } = await connected("expiries");
    const first = person.tokens().access_token;
    await worker.crossExpiries(tenant, async () => assert.equal((await callTool(client, "whoami", {})).organisation.name, "expiries"));
    assert.notEqual(person.tokens().access_token, first);
    await client.close();
  });

  test("goes on with its old pair when the answer to a refresh is lost", async () => {
    const { tenant, client } = await connected("lost");
    await worker.loseRefresh(tenant, async () => {
      await assert.rejects(callTool(client, "whoami", {}), UnauthorizedError);
      await callTool(client, "whoami", {});
    });
    await client.close();
  });

  test("steps up when a call needs more, and keeps what it had", async () => {
    const { tenant, person, client } = await connected("wider");
    const had = person.tokens().scope.split(" ");
    assert.ok(!had.includes("posts:publish"));
    const post = { profiles: ["wall"], text: "Hello", when: "now" };
    await assert.rejects(callTool(client, "create_post", post), UnauthorizedError);
    await client.transport.finishAuth(await person.decide());
    assert.deepEqual(new Set(person.tokens().scope.split(" ")), new Set([...had, "posts:publish"]));
    assert.equal((await callTool(client, "create_post", post)).status, "scheduled");
    await worker.untilExpired(tenant);
    await callTool(client, "create_post", { ...post, text: "Hello again" });
    await client.close();
  });
});
