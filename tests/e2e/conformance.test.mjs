// The protocol's own conformance suite, as far as it tests authorization servers: each of its scenarios against the
// worker, the person's part driven by our own forms. Its other scenarios on authorization test clients, against servers
// that the suite brings along.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../../scripts/lib/folders.mjs";
import { Visitor } from "../../scripts/lib/forms.mjs";
import { decide, discover, register } from "../../scripts/lib/oauth.mjs";
import { freePort, ROOT } from "../../scripts/lib/worker.mjs";
import { deploy } from "./lib/deployment.mjs";

const SUITE = join(ROOT, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
const REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

let deployment;
let acme;
before(async () => {
  deployment = await deploy();
  acme = await deployment.createTenant("acme");
});
after(() => deployment?.stop());

/** The scenarios for authorization servers that the suite lists. */
function listScenarios() {
  const listed = execFileSync(process.execPath, [SUITE, "list", "--authorization"], { encoding: "utf8" });
  return [...listed.matchAll(/^\s+- (\S+)/gm)].map(([, name]) => name);
}

/**
 * Runs the suite's scenarios for authorization servers; the person approves what it asks for.
 *
 * @param {object} options
 * @param {string} [options.issuer] what the suite takes the issuer for
 * @param {"approve" | "deny"} [options.decision]
 * @param {string[]} [options.more] further arguments
 * @returns {Promise<{code: number, results: Record<string, {id: string, status: string}[]>, said: string}>} how it
 *   ended, and each scenario's checks
 */
async function runSuite({ issuer = deployment.origin, decision, more = [] } = {}) {
  const port = await freePort();
  const { server } = await discover(acme.mcp_url);
  const redirect_uris = [`http://127.0.0.1:${port}/callback`];
  const { client_id: clientId } = await register(server, { client_name: "Conformance suite", redirect_uris });
  const out = temporaryFolder("conformance");
  const args = ["authorization", "--url", issuer, "--client-id", clientId, "--port", String(port), "-o", out, ...more];
  const child = spawn(process.execPath, [SUITE, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`;
    if (!line.startsWith(`${deployment.origin}/authorize?`)) continue;
    const person = { visitor: new Visitor(), signInLink: () => deployment.signInLink(acme) };
    await (await fetch(await decide({ ...person, url: line, decision }))).text();
  }
  const [code] = await ended;
  return { code, results: readResults(out), said };
}

/** Each scenario's checks, from the files that the suite wrote; their folders are named after scenario and time. */
function readResults(folder) {
  const files = globSync("**/checks.json", { cwd: folder });
  const name = (file) => listed.find((scenario) => file.includes(scenario));
  return Object.fromEntries(files.map((file) => [name(file), JSON.parse(readFileSync(join(folder, file), "utf8"))]));
}

const listed = listScenarios();

test("the suite has scenarios for authorization servers", () => {
  assert.ok(listed.length >= 2, listed.join(", "));
});

for (const revision of REVISIONS) {
  test(`each scenario of ${revision} passes`, async () => {
    const { code, results, said } = await runSuite({ more: ["--resource", acme.mcp_url, "--spec-version", revision] });
    assert.equal(code, 0, said);
    assert.deepEqual(Object.keys(results).sort(), [...listed].sort(), said);
    for (const [scenario, checks] of Object.entries(results)) {
      assert.notEqual(checks.length, 0, `${scenario} checked nothing`);
      const others = checks.filter(({ status }) => status !== "SUCCESS");
      assert.deepEqual(others, [], scenario);
    }
  });
}

test("each scenario passes for a client that names no resource", async () => {
  const { code, results, said } = await runSuite();
  assert.equal(code, 0, said);
  assert.ok(Object.values(results).flat().every(({ status }) => status === "SUCCESS"), said);
  assert.equal(Object.keys(results).length, listed.length, said);
});

test("the suite notices another issuer, and a person who denies", async () => {
  const wrong = await runSuite({ issuer: `${deployment.origin}/` });
  assert.notEqual(wrong.code, 0, wrong.said);
  const denied = await runSuite({ decision: "deny" });
  assert.notEqual(denied.code, 0, denied.said);
  assert.match(denied.results["authorization-code-grant"][0].errorMessage, /access_denied/);
});
