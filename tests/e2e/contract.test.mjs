// What the native tests' ports promise, the real ones keep: the same suite on D1, KV and R2 inside workerd.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deploy } from "./lib/deployment.mjs";

const PORTS = ["Blobs", "Clock", "Database", "Entropy", "KeyValue", "RateLimits", "Signatures"];

test("every promise of the ports holds on the real databases and stores", async (t) => {
  const deployment = await deploy({ build: "build-contract" });
  t.after(() => deployment.stop());
  const answer = await fetch(`${deployment.origin}/contract`);
  const checks = await answer.json();
  assert.deepEqual(checks.filter(({ broken }) => broken !== null), []);
  assert.equal(answer.status, 200);
  const ports = new Set(checks.map(({ port }) => port));
  assert.deepEqual([...ports].toSorted(), PORTS);
});

test("a release build has no such route", async (t) => {
  const deployment = await deploy();
  t.after(() => deployment.stop());
  assert.equal((await fetch(`${deployment.origin}/contract`)).status, 404);
});
