// The MCP Inspector's command line, each call a process of its own: its own discovery, login and refresh.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort, ROOT } from "../../scripts/lib/worker.mjs";
import { Device } from "./lib/device.mjs";
import { deployExpiring } from "./lib/expiring.mjs";

const PROGRAM = join(ROOT, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const NOW = { profiles: ["wall"], text: "Hello", when: "now" };

let worker;
before(async () => {
  worker = await deployExpiring();
});
after(() => worker?.stop());

/** A device without a keychain, whose programs may open the browser though nobody sits at a terminal. */
async function startDevice(tenant, options) {
  const MCP_OAUTH_CALLBACK_URL = `http://127.0.0.1:${await freePort()}/oauth/callback`;
  const env = { MCP_AUTO_OPEN_ENABLED: "true", MCP_INSPECTOR_SECRET_STORE: "file", MCP_OAUTH_CALLBACK_URL };
  return Device.start(worker.deployment, tenant, { ...options, env });
}

/** Calls a tool by the command line; gives what it ended with, and the tool's result. */
async function call(device, tenant, tool, args = {}, options = []) {
  const words = ["--cli", tenant.mcp_url, "--transport", "http", "--method", "tools/call", "--tool-name", tool];
  const said = await device.run(process.execPath, [PROGRAM, ...words, "--tool-args-json", JSON.stringify(args), "--format", "json", ...options]);
  return { ...said, result: said.stdout && JSON.parse(said.stdout).result.structuredContent };
}

/** The same, which must work. */
async function callWell(...all) {
  const { status, stderr, result } = await call(...all);
  assert.equal(status, 0, stderr);
  return result;
}

describe("the Inspector's command line", { concurrency: 3 }, () => {
  test("registers, opens the browser once, and goes on over three expiries from its store", async () => {
    const tenant = await worker.deployment.createTenant("expiries");
    const device = await startDevice(tenant);
    const me = await callWell(device, tenant, "whoami");
    assert.equal(me.organisation.name, "expiries");
    await worker.crossExpiries(tenant, () => callWell(device, tenant, "whoami", {}, ["--stored-auth-only"]));
    assert.equal(device.opened.length, 1);
  });

  test("goes on with its old pair when the answer to a refresh is lost", async () => {
    const tenant = await worker.deployment.createTenant("lost");
    const device = await startDevice(tenant);
    await callWell(device, tenant, "whoami");
    await worker.loseRefresh(tenant, async () => {
      assert.notEqual((await call(device, tenant, "whoami", {}, ["--stored-auth-only"])).status, 0);
      await callWell(device, tenant, "whoami", {}, ["--stored-auth-only"]);
    });
  });

  test("on a second device leaves the first one's capabilities as they are, and widens its own by a new login", async () => {
    const tenant = await worker.deployment.createTenant("devices");
    const first = await startDevice(tenant, { also: ["posts:publish"] });
    await callWell(first, tenant, "create_post", NOW);
    const second = await startDevice(tenant);
    await callWell(second, tenant, "whoami");
    assert.notEqual((await call(second, tenant, "create_post", { ...NOW, text: "Too much" })).status, 0);
    second.also = ["posts:publish"];
    await callWell(second, tenant, "create_post", { ...NOW, text: "Allowed now" }, ["--relogin"]);
    await worker.untilExpired(tenant);
    await callWell(first, tenant, "create_post", { ...NOW, text: "Hello again" }, ["--stored-auth-only"]);
    assert.deepEqual([first.opened.length, second.opened.length], [1, 2]);
  });
});
