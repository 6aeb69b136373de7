// The Bluesky server that the connector is tested against is a real one, and it keeps what it is given.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startPds, XrpcError } from "./lib/pds.mjs";

let pds;
before(async () => {
  pds = await startPds();
});
after(() => pds?.stop());

test("an app password opens a session, and a record that is put can be read back once", async () => {
  const account = await pds.createAccount("roundtrip");
  const session = await pds.call("com.atproto.server.createSession", {
    body: { identifier: account.handle, password: account.appPassword },
  });
  assert.equal(session.did, account.did);

  const record = { $type: "app.bsky.feed.post", text: "Hello", createdAt: "2026-12-01T08:00:00.000Z" };
  const place = { repo: account.did, collection: "app.bsky.feed.post", rkey: "3mayqdskek22a" };
  const put = () => pds.call("com.atproto.repo.putRecord", { token: session.accessJwt, body: { ...place, record } });
  const first = await put();
  const again = await put();
  assert.equal(again.cid, first.cid);

  const read = await pds.call("com.atproto.repo.getRecord", { query: place });
  assert.deepEqual(read.value, record);
  assert.equal((await pds.posts(account.did)).length, 1);
});

test("a wrong password is refused with the network's own error", async () => {
  const account = await pds.createAccount("refused");
  const attempt = pds.call("com.atproto.server.createSession", { body: { identifier: account.handle, password: "wrong" } });
  await assert.rejects(attempt, (error) => error instanceof XrpcError && error.status === 401 && error.error === "AuthenticationRequired");
});
