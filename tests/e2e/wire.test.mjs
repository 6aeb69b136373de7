// What watches the messages of the other tests notices what is wrong with one, in each revision.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExchanged, observe, violations } from "./lib/wire.mjs";

const REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
const list = { tools: [{ name: "a", inputSchema: { type: "object" } }] };
const kept = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
const resultOf = (revision, result) => ({ jsonrpc: "2.0", id: 1, result: revision === "2026-07-28" ? { ...kept, ...result } : result });
const asked = new Map([[1, "tools/list"]]);

test("a good list is of every revision", () => {
  for (const revision of REVISIONS) assert.deepEqual(violations(revision, resultOf(revision, list), asked), [], revision);
});

test("a list of something else, and an answer to nothing, are noticed", () => {
  for (const revision of REVISIONS) {
    const wrong = resultOf(revision, { tools: [{ name: 5 }] });
    assert.notDeepEqual(violations(revision, wrong, asked), [], revision);
    assert.notDeepEqual(violations(revision, { jsonrpc: "2.0", id: {}, result: {} }), [], revision);
    assert.notDeepEqual(violations(revision, { jsonrpc: "2.0", id: 1, error: { code: "x" } }), [], revision);
    assert.notDeepEqual(violations(revision, { jsonrpc: "2.0", method: "notifications/progress", params: {} }), [], revision);
  }
});

test("what 2026-07-28 adds is demanded there", () => {
  for (const member of Object.keys(kept)) {
    const { [member]: _, ...rest } = { ...kept, ...list };
    assert.notDeepEqual(violations("2026-07-28", { jsonrpc: "2.0", id: 1, result: rest }, asked), [], member);
  }
});

test("batches are of 2025-03-26 alone", () => {
  for (const revision of REVISIONS) {
    const found = violations(revision, [resultOf(revision, list)], asked);
    assert.equal(found.length === 0, revision === "2025-03-26", revision);
  }
});

test("an exchange is read in its own revision, as JSON or as a stream, and told of at the end", async () => {
  const sent = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const header = (name) => (name === "mcp-protocol-version" ? "2025-11-25" : undefined);
  const exchange = (type, received) => observe({ sent, header, status: 200, type, received });
  exchange("application/json", JSON.stringify(resultOf("2025-11-25", list)));
  exchange("text/event-stream", `data: ${JSON.stringify(resultOf("2025-11-25", list))}\n\n`);
  assert.equal(await checkExchanged(), 4, "two answers, and the requests that were taken");
  exchange("text/event-stream", `data: ${JSON.stringify(resultOf("2025-11-25", { tools: {} }))}\n\n`);
  await assert.rejects(checkExchanged(), /server \(2025-11-25\): ListToolsResult\/tools: must be array/);
});
