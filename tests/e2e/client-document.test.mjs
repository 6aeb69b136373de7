// The official TypeScript client with a client-ID metadata document, which the worker fetches over real TLS.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { UnauthorizedError } from "@modelcontextprotocol/client";
import { callTool, connect, describeClient } from "../../scripts/lib/mcp.mjs";
import { deploy } from "./lib/deployment.mjs";
import { Documents } from "./lib/documents.mjs";
import { deployExpiring } from "./lib/expiring.mjs";

const NOW = { profiles: ["wall"], text: "Hello", when: "now" };

let documents;
let worker;
before(async () => {
  documents = await Documents.start();
  worker = await deployExpiring({ env: documents.env });
});
after(() => Promise.all([worker?.stop(), documents?.stop()]));

/** A member at a client that is known by the document at an address. */
const atDescribed = (deployment, tenant, clientMetadataUrl, options) => deployment.atClient(tenant, { name: "not asked for", clientMetadataUrl, ...options });

/** A device on which that client is approved. */
async function device(tenant, clientId, options) {
  const person = atDescribed(worker.deployment, tenant, clientId, options);
  return { person, client: await connect({ mcpUrl: tenant.mcp_url, person }) };
}

describe("a client with a document", { concurrency: 3 }, () => {
  test("is known by it without registering, and goes on over three expiries", async () => {
    const clientId = documents.serve("/known.json", describeClient("Described client"));
    const tenant = await worker.deployment.createTenant("described");
    const { person, client } = await device(tenant, clientId);
    assert.equal(person.clientInformation().client_id, clientId);
    assert.equal(worker.gate.count("/register"), 0);
    await worker.crossExpiries(tenant, async () => assert.equal((await callTool(client, "whoami", {})).connection.app, "Described client"));
    assert.equal(documents.asked("/known.json"), 1, "kept for five minutes at least");
    await client.close();
  });

  test("on a second device leaves the first one's capabilities as they are", async () => {
    const clientId = documents.serve("/devices.json", describeClient("Client on two devices"));
    const tenant = await worker.deployment.createTenant("devices");
    const first = await device(tenant, clientId, { also: ["posts:publish"] });
    const second = await device(tenant, clientId);
    assert.ok(!second.person.tokens().scope.includes("posts:publish"), "nothing is inherited");
    await assert.rejects(callTool(second.client, "create_post", NOW), UnauthorizedError);
    await worker.untilExpired(tenant);
    await callTool(first.client, "create_post", NOW);
    assert.ok(first.person.tokens().scope.includes("posts:publish"), "nothing is lost");
    await callTool(second.client, "whoami", {});
    await Promise.all([first.client.close(), second.client.close()]);
  });

  test("is not known where its server's certificate is not trusted", async () => {
    const clientId = documents.serve("/untrusted.json", describeClient("Client of a stranger"));
    const wary = await deploy();
    try {
      const tenant = await wary.createTenant("wary");
      const person = atDescribed(wary, tenant, clientId);
      await assert.rejects(connect({ mcpUrl: tenant.mcp_url, person }), /answered 400.*description cannot be used/s);
      assert.equal(documents.asked("/untrusted.json"), 0);
    } finally {
      await wary.stop();
    }
  });
});
