// The built worker runs on the real runtime, and survives what happens to processes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deploy } from "./lib/deployment.mjs";

let deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment?.stop());

test("the worker answers that it is well", async () => {
  const answer = await fetch(`${deployment.origin}/healthz`);
  assert.equal(answer.status, 200);
});

test("it answers again after its process was killed", async () => {
  deployment.worker.killRuntime();
  await deployment.worker.ready();
  assert.equal((await fetch(`${deployment.origin}/healthz`)).status, 200);
});

test("it starts again on the same state after everything was killed", async () => {
  await deployment.worker.killAll();
  await assert.rejects(fetch(`${deployment.origin}/healthz`));
  await deployment.restart();
  assert.equal((await fetch(`${deployment.origin}/healthz`)).status, 200);
});
