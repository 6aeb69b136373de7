// The gate before a server holds a call exactly before or after its effect; the crash tests rest on that.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startPds } from "./lib/pds.mjs";

const PUT = "/xrpc/com.atproto.repo.putRecord";

let pds;
let account;
before(async () => {
  pds = await startPds();
  account = await pds.createAccount("gate");
});
after(() => pds?.stop());

function put(rkey, signal) {
  return fetch(`${pds.origin}${PUT}`, {
    method: "POST",
    signal,
    headers: { authorization: `Bearer ${account.accessJwt}`, "content-type": "application/json" },
    body: JSON.stringify({
      repo: account.did,
      collection: "app.bsky.feed.post",
      rkey,
      record: { $type: "app.bsky.feed.post", text: rkey, createdAt: "2026-12-01T08:00:00.000Z" },
    }),
  });
}

test("a call held before its effect has none until it is let go, even if its sender is gone", async () => {
  const hold = pds.gate.hold(PUT, "before");
  const sender = new AbortController();
  const sent = assert.rejects(put("3mayqdskek22a", sender.signal));
  await hold.reached;
  assert.equal((await pds.posts(account.did)).length, 0);
  sender.abort();
  await sent;
  hold.release();
  while ((await pds.posts(account.did)).length === 0);
});

test("a call held after its effect has happened, though its answer is not back", async () => {
  const known = pds.gate.count(PUT);
  const hold = pds.gate.hold(PUT, "after");
  const sent = put("3mayqdskek32a");
  await hold.reached;
  assert.equal((await pds.posts(account.did)).length, 2);
  hold.release();
  assert.equal((await sent).status, 200);
  assert.equal(pds.gate.count(PUT), known + 1);
});
