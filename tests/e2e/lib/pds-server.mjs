// A real Bluesky server (PDS) with a directory of identities (PLC) in memory, both on loopback. Run as a process of
// its own: prints `{"pds": URL, "plc": URL}` when it answers, ends with SIGTERM or when its parent goes away.
//
//   node pds-server.mjs FOLDER

import { randomBytes } from "node:crypto";
import { Server } from "node:net";
import { join } from "node:path";

// Both servers would listen on every interface of the machine.
const { listen } = Server.prototype;
Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  const done = rest.find((argument) => typeof argument === "function");
  return listen.call(this, typeof port === "object" ? port.port : port, "127.0.0.1", done);
};

const { Secp256k1Keypair } = await import("@atproto/crypto");
const { default: plcServer } = await import("@did-plc/server");
const { PDS } = await import("@atproto/pds");
const { freePort } = await import("../../../scripts/lib/worker.mjs");

const folder = process.argv[2];
const hex = (length) => randomBytes(length).toString("hex");

const plcPort = await freePort();
const plc = plcServer.PlcServer.create({ db: new plcServer.MockDatabase(), port: plcPort });
await plc.start();

const rotationKey = await Secp256k1Keypair.create({ exportable: true });
const port = await freePort();
const pds = await PDS.fromEnv({
  port,
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
  adminPassword: hex(16),
  jwtSecret: hex(16),
  dpopSecret: hex(32),
  plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotationKey.export()).toString("hex"),
});
await pds.start();

const end = async () => {
  await pds.destroy();
  await plc.destroy();
  process.exit(0);
};
process.once("SIGTERM", end);
process.stdin.once("end", end).resume();
console.log(JSON.stringify({ pds: `http://localhost:${port}`, plc: `http://localhost:${plcPort}` }));
