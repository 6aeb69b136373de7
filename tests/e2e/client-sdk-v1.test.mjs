// The first generation of the official TypeScript library (@modelcontextprotocol/sdk 1.x), which many clients are made of.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { callTool } from "../../scripts/lib/mcp.mjs";
import { deployExpiring } from "./lib/expiring.mjs";

let worker;
before(async () => {
  worker = await deployExpiring();
});
after(() => worker?.stop());

/** A client that somebody of a new tenant has approved. */
async function connected(safename) {
  const tenant = await worker.deployment.createTenant(safename);
  const person = worker.deployment.atClient(tenant, { name: "SDK 1 client" });
  const open = () => new StreamableHTTPClientTransport(new URL(tenant.mcp_url), { authProvider: person });
  const client = new Client({ name: "sdk-1", version: "1.0.0" });
  const first = open();
  await assert.rejects(client.connect(first), UnauthorizedError);
  await first.finishAuth((await person.decide()).get("code"));
  await client.connect(open());
  return { tenant, person, client };
}

describe("the TypeScript SDK 1", { concurrency: 3 }, () => {
  test("registers, and goes on over three expiries by refreshing", async () => {
    const { tenant, person, client } = await connected("expiries");
    assert.match(person.clientInformation().client_id, /^cli_/);
    await worker.crossExpiries(tenant, async () => assert.equal((await callTool(client, "whoami", {})).organisation.name, "expiries"));
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

  // It answers a challenge for more by refreshing, which never widens a grant.
  test("is told once that a call needs more, and keeps what it has", async () => {
    const { tenant, person, client } = await connected("narrow");
    const publish = callTool(client, "create_post", { profiles: ["wall"], text: "Hello", when: "now" });
    await assert.rejects(publish, /403 after trying upscoping/);
    assert.ok(!person.tokens().scope.includes("posts:publish"));
    await callTool(client, "create_post", { profiles: ["wall"], text: "Hello" });
    await worker.untilExpired(tenant);
    await callTool(client, "whoami", {});
    await client.close();
  });
});
