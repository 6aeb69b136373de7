// The protocol's own conformance suite against the OAuth-protected endpoint: what it requires of a server of each
// revision, and its checks of headers and schemas, which it does not score. Its fixtures are a tenant of the test build.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { temporaryFolder } from "../../scripts/lib/folders.mjs";
import { ROOT } from "../../scripts/lib/worker.mjs";
import { deploy } from "./lib/deployment.mjs";

const PACKAGE = join(ROOT, "node_modules/@modelcontextprotocol/conformance");
const EXPECTED_FAILURES = join(ROOT, "tests/e2e/conformance-expected.yml");
/** Checks that the suite does not score, and that pass here. */
const ALSO = ["http-header-validation", "http-custom-header-server-validation", "json-schema-2020-12"];

let deployment;
let tenant;
let token;
before(async () => {
  deployment = await deploy({ build: "build-contract" });
  tenant = await deployment.createTenant("conformance");
  token = (await deployment.token(tenant)).access_token;
});
after(() => deployment?.stop());

/** Runs the suite; gives how it ended, what it said, and each scenario's checks. */
async function runSuite(args) {
  const out = temporaryFolder("conformance-server");
  const child = spawn(process.execPath, [join(PACKAGE, "dist/index.js"), "server", "--url", tenant.mcp_url, "-o", out, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE_OPTIONS: `--import ${join(ROOT, "tests/e2e/lib/authorize.mjs")}`,
      MCP_TOKEN: token,
      MCP_ORIGIN: deployment.origin,
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const [code] = await once(child, "close");
  const checks = globSync("**/checks.json", { cwd: out }).map((file) => [file, JSON.parse(readFileSync(join(out, file), "utf8"))]);
  return { code, said, checks };
}

/** The scenarios that a revision requires of servers, from the suite's own list. */
function required(revision) {
  const text = readFileSync(join(PACKAGE, `requirements/${revision}.yaml`), "utf8");
  const [, list] = /^server:\n((?: {2}- .*\n)+)/m.exec(text);
  return [...list.matchAll(/- (\S+)/g)].map(([, name]) => name);
}

/** What went wrong in a scenario's checks, and whether there are any. */
function judge({ said, checks }, scenarios) {
  for (const scenario of scenarios) {
    const own = checks.filter(([file]) => file.includes(`${scenario}-`)).flatMap(([, found]) => found);
    assert.notEqual(own.length, 0, `${scenario} checked nothing\n${said}`);
    assert.deepEqual(own.filter(({ status }) => status === "FAILURE" || status === "WARNING"), [], scenario);
  }
}

describe("the official suite", { concurrency: 1 }, () => {
  test("2026-07-28 is passed whole, with what is not scored of headers and schemas", async () => {
    const run = await runSuite(["--requirements", "2026-07-28"]);
    console.log(run.said.slice(run.said.lastIndexOf("=== SUMMARY")));
    assert.equal(run.code, 0, run.said);
    judge(run, [...required("2026-07-28"), ...ALSO]);
  });

  test("2025-11-25 is passed but for what needs requests of the server across POSTs", async () => {
    const run = await runSuite(["--requirements", "2025-11-25", "--expected-failures", EXPECTED_FAILURES]);
    console.log(run.said.slice(run.said.lastIndexOf("=== SUMMARY")));
    assert.equal(run.code, 0, run.said);
  });
});

test("no other tenant has the suite's fixtures", async () => {
  const other = await deployment.createTenant("acme");
  const client = await deployment.client(other);
  const { tools } = await client.listTools();
  assert.ok(tools.some(({ name }) => name === "whoami") && !tools.some(({ name }) => name.startsWith("test_")));
  await client.close();
});
