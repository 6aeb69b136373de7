// The bindings of the real runtime count, each door for itself.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deploy, postMcp } from "./lib/deployment.mjs";

let deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment?.stop());

/** Knocks until somebody is turned away; gives that answer. At most two periods' worth, since one may end meanwhile. */
async function knockUntilTurnedAway(limit, knock) {
  for (let visits = 0; visits < 2 * limit + 16; visits += 8) {
    const answers = await Promise.all(Array.from({ length: 8 }, knock));
    const turnedAway = answers.find((answer) => answer.status === 429);
    if (turnedAway) return turnedAway;
  }
  return assert.fail(`${2 * limit} visits in a row were let in`);
}

test("signing in is limited by address, and other doors stay open", async () => {
  const answer = await knockUntilTurnedAway(120, async () => {
    const response = await fetch(`${deployment.origin}/sign-in`);
    return { status: response.status, headers: response.headers, body: await response.text() };
  });
  assert.equal(answer.headers.get("retry-after"), "60");
  assert.match(answer.body, /<h1>Too many attempts<\/h1>/);
  assert.equal((await fetch(`${deployment.origin}/healthz`)).status, 200);
});

test("calls are limited by grant", async () => {
  const own = await deploy();
  try {
    const tenant = await own.createTenant("acme");
    const [first, second] = [await own.token(tenant), await own.token(tenant)];
    const ping = (token) => postMcp(tenant.mcp_url, { jsonrpc: "2.0", id: 1, method: "ping" }, { token });
    const answer = await knockUntilTurnedAway(600, () => ping(first.access_token));
    assert.equal(answer.headers.get("retry-after"), "60");
    assert.equal(JSON.parse(answer.body).code, "rate_limited");
    assert.equal((await ping(second.access_token)).status, 200, "another grant");
  } finally {
    await own.stop();
  }
});
