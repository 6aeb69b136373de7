// A real Bluesky server (PDS) with a directory of identities (PLC) in memory, both on loopback. Run as a process of
// its own: prints `{"port": N, "adminPassword": …}`, N where the PDS listens, when it answers; ends with SIGTERM or when its parent goes away.
//
//   node pds-server.mjs FOLDER PORT
//
// PORT is where the PDS says that it is; it listens elsewhere, and a gate of the test stands between.

import { randomBytes } from "node:crypto";
import { Server } from "node:net";
import { join } from "node:path";

const folder = process.argv[2];
const publicPort = Number(process.argv[3]);

// Both servers would listen on every interface of the machine, and the PDS on the port that it has in its addresses.
const { listen } = Server.prototype;
Server.prototype.listen = function listenOnLoopback(where, ...rest) {
  const port = typeof where === "object" ? where.port : where;
  const done = rest.find((argument) => typeof argument === "function");
  return listen.call(this, port === publicPort ? 0 : port, "127.0.0.1", done);
};

const { Secp256k1Keypair } = await import("@atproto/crypto");
const { default: plcServer } = await import("@did-plc/server");
const { PDS } = await import("@atproto/pds");
const { freePort } = await import("../../../scripts/lib/worker.mjs");

const hex = (length) => randomBytes(length).toString("hex");

const plcPort = await freePort();
const plc = plcServer.PlcServer.create({ db: new plcServer.MockDatabase(), port: plcPort });
await plc.start();

const adminPassword = hex(16);
const rotationKey = await Secp256k1Keypair.create({ exportable: true });
const pds = await PDS.fromEnv({
  port: publicPort,
  hostname: "localhost",
  devMode: true,
  inviteRequired: false,
  serviceHandleDomains: [".test"],
  didPlcUrl: `http://localhost:${plcPort}`,
  dataDirectory: folder,
  blobstoreDiskLocation: join(folder, "blobs"),
  bskyAppViewUrl: "https://appview.invalid",
  bskyAppViewDid: "did:example:appview",
  crawlers: [],
  adminPassword,
  jwtSecret: hex(16),
  dpopSecret: hex(32),
  plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotationKey.export()).toString("hex"),
});
const server = await pds.start();

const end = async () => {
  await pds.destroy();
  await plc.destroy();
  process.exit(0);
};
process.once("SIGTERM", end);
process.stdin.once("end", end).resume();
console.log(JSON.stringify({ port: server.address().port, adminPassword }));
