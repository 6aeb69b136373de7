// The doors can be opened again and again, and say what is wrong.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keysOf, ROOT } from "../../scripts/lib/worker.mjs";
import { temporaryFolder } from "../../scripts/lib/folders.mjs";

function door(name, args, env = {}) {
  const started = Date.now();
  const result = spawnSync(join(ROOT, "scripts", name), args, { encoding: "utf8", env: { ...process.env, ...env } });
  return { ...result, seconds: (Date.now() - started) / 1000 };
}

test("a second set-up finds everything in place and takes seconds", () => {
  const again = spawnSync("bash", ["-c", `source "${ROOT}/scripts/lib/setup.sh" && setup_worker`], { encoding: "utf8" });
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stderr, /^set-up: ready \([0-9] s\)\n$/);
});

test("a build of unchanged sources does nothing but tell the module's size", () => {
  const built = join(ROOT, "build/index_bg.wasm");
  const before = statSync(built).mtimeMs;
  const { status, stderr } = door("build", []);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^wasm: \d+ KiB raw, \d+ KiB gzipped/m);
  assert.equal(statSync(built).mtimeMs, before);
});

test("the first start makes keys that only their owner can read, the second keeps them", () => {
  const state = temporaryFolder("keys");
  const made = keysOf(state);
  assert.equal(Buffer.from(made.keys[made.current], "base64url").length, 32);
  assert.equal(statSync(join(state, "keys.json")).mode & 0o777, 0o600);
  assert.deepEqual(keysOf(state), made);
  assert.deepEqual(JSON.parse(readFileSync(join(state, "keys.json"), "utf8")), made);
});

test("scripts/dev says that a port is taken, and touches nothing", async (context) => {
  const server = createServer().listen(0, "127.0.0.1");
  context.after(() => server.close());
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address();
  const { status, stderr } = door("dev", ["--port", String(port), "--state", temporaryFolder("taken")]);
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`error: port ${port} is taken\\n +end what listens there, or choose another: --port N`));
});

test("scripts/admin names every command, and what a command takes", () => {
  const help = door("admin", ["--help"]);
  assert.equal(help.status, 0);
  for (const command of ["create-tenant", "sign-in-link", "invite", "status", "hold", "release", "export", "delete", "rotate-key"]) {
    assert.match(help.stdout, new RegExp(`^  ${command}`, "m"));
  }
  const wrong = door("admin", ["hold"]);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /hold takes SHARD REASON/);
});

test("scripts/token --follow says what is wrong with an address that is no authorization URL of the server", () => {
  const origin = "http://localhost:8790";
  for (const [url, told] of [
    ["nonsense", /nonsense is not an address/],
    ["https://evil.example/authorize?client_id=a", /https:\/\/evil\.example is not the server/],
    [`${origin}/acme/mcp`, /is not an authorization URL/],
  ]) {
    const { status, stdout, stderr } = door("token", ["--follow", url]);
    assert.deepEqual([status, stdout], [1, ""], url);
    assert.match(stderr, told);
    assert.match(stderr, /give the address that a client opens in the browser/);
  }
});

test("scripts/token says so when no worker runs", () => {
  const home = temporaryFolder("home");
  const { status, stdout, stderr } = door("token", ["--port", "1"], { XDG_STATE_HOME: home });
  assert.equal(status, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /start scripts\/dev first/);
});
