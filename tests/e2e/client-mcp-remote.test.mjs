// mcp-remote, by which programs that speak MCP over their standard input reach a server: its own discovery, login and
// store of credentials in ~/.mcp-auth.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { callTool } from "../../scripts/lib/mcp.mjs";
import { ROOT } from "../../scripts/lib/worker.mjs";
import { Device } from "./lib/device.mjs";
import { deployExpiring } from "./lib/expiring.mjs";

const PROGRAM = join(ROOT, "node_modules/mcp-remote/dist/proxy.js");

let worker;
before(async () => {
  worker = await deployExpiring();
});
after(() => worker?.stop());

/** A program on a device that is connected through mcp-remote, until the test ends. */
async function connected(context, device, tenant) {
  const client = new Client({ name: "program", version: "1.0.0" });
  const transport = new StdioClientTransport({ command: process.execPath, args: [PROGRAM, tenant.mcp_url], env: device.env, stderr: "pipe" });
  let said = "";
  transport.stderr.on("data", (chunk) => (said += chunk));
  await client.connect(transport).catch((cause) => {
    device.check();
    throw new Error(`${cause.message}; mcp-remote said:\n${said}`, { cause });
  });
  context.after(() => client.close());
  return client;
}

describe("mcp-remote", { concurrency: 3 }, () => {
  test("registers, opens the browser once, and goes on over three expiries", async (context) => {
    const tenant = await worker.deployment.createTenant("expiries");
    const device = await Device.start(worker.deployment, tenant);
    const client = await connected(context, device, tenant);
    await worker.crossExpiries(tenant, async () => assert.equal((await callTool(client, "whoami", {})).organisation.name, "expiries"));
    assert.equal(device.opened.length, 1);
  });

  test("two processes share one store over three expiries", async (context) => {
    const tenant = await worker.deployment.createTenant("shared");
    const device = await Device.start(worker.deployment, tenant);
    const clients = [await connected(context, device, tenant), await connected(context, device, tenant)];
    await worker.crossExpiries(tenant, () => Promise.all(clients.map((client) => callTool(client, "whoami", {}))));
    assert.equal(device.opened.length, 1, "the second process asks nobody");
  });

  test("goes on with its old pair when the answer to a refresh is lost", async (context) => {
    const tenant = await worker.deployment.createTenant("lost");
    const device = await Device.start(worker.deployment, tenant);
    const client = await connected(context, device, tenant);
    await worker.loseRefresh(tenant, () => callTool(client, "whoami", {}));
    assert.equal(device.opened.length, 1);
  });

  test("steps up when a call needs more", async (context) => {
    const tenant = await worker.deployment.createTenant("wider");
    const device = await Device.start(worker.deployment, tenant);
    const client = await connected(context, device, tenant);
    const post = { profiles: ["wall"], text: "Hello", when: "now" };
    assert.equal((await callTool(client, "create_post", post)).status, "scheduled");
    assert.equal(device.opened.length, 2);
  });
});
