// A real PDS for a test, its accounts, and what is on it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../../scripts/lib/worker.mjs";
import { temporaryFolder } from "../../../scripts/lib/folders.mjs";
import { Gate } from "./gate.mjs";

const SERVER = join(import.meta.dirname, "pds-server.mjs");

/** A call that the server refused: its HTTP status and the name of the error. */
export class XrpcError extends Error {
  constructor(method, status, body) {
    super(`${method} answered ${status} ${body.error ?? ""}: ${body.message ?? ""}`);
    this.status = status;
    this.error = body.error;
  }
}

/** Starts a PDS that holds nothing yet. */
export async function startPds() {
  const folder = temporaryFolder("pds");
  const port = await freePort();
  const child = spawn(process.execPath, [SERVER, folder, String(port)], { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, LOG_ENABLED: "false" } });
  const errors = [];
  child.stderr.on("data", (chunk) => errors.push(chunk));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the PDS ended by itself (${signal ?? code}):\n${Buffer.concat(errors)}`);
  });
  const [line] = await Promise.race([once(lines, "line"), ended]);
  // After `stop` nobody waits for it; before, an end by itself fails the test that runs.
  ended.catch((cause) => {
    if (!child.killed) throw cause;
  });
  const said = JSON.parse(line);
  return new Pds(child, `http://localhost:${port}`, await Gate.open(port, said.port), said.adminPassword);
}

/** A running PDS behind a gate. */
export class Pds {
  #child;
  #adminPassword;

  constructor(child, origin, gate, adminPassword) {
    this.#child = child;
    this.#adminPassword = adminPassword;
    this.origin = origin;
    this.gate = gate;
  }

  /** Makes an account with an app password. `name` becomes `name.test`. */
  async createAccount(name) {
    const handle = `${name}.test`;
    const account = await this.call("com.atproto.server.createAccount", {
      body: { handle, email: `${name}@example.test`, password: `password of ${name}` },
    });
    const made = await this.call("com.atproto.server.createAppPassword", { token: account.accessJwt, body: { name: "postern" } });
    return { did: account.did, handle, appPassword: made.password, accessJwt: account.accessJwt };
  }

  /** Bars an account from posting, or lets it post again, as the server's moderators do. */
  async bar(did, barred) {
    const subject = { $type: "com.atproto.admin.defs#repoRef", did };
    const takedown = { applied: barred };
    const basic = Buffer.from(`admin:${this.#adminPassword}`).toString("base64");
    await this.call("com.atproto.admin.updateSubjectStatus", { body: { subject, takedown }, authorization: `Basic ${basic}` });
  }

  /** The posts of an account, newest first: uri, cid and value. */
  async posts(did) {
    const query = { repo: did, collection: "app.bsky.feed.post", limit: "100" };
    return (await this.call("com.atproto.repo.listRecords", { query })).records;
  }

  /** One call of the XRPC method `name`: a POST if there is a body, else a GET. */
  async call(name, { body, query, token, authorization = token && `Bearer ${token}` } = {}) {
    const url = new URL(`${this.origin}/xrpc/${name}`);
    for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
    const headers = {};
    if (authorization) headers.authorization = authorization;
    if (body) headers["content-type"] = "application/json";
    const answer = await fetch(url, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
    const said = await answer.text();
    const result = said === "" ? {} : JSON.parse(said);
    if (!answer.ok) throw new XrpcError(name, answer.status, result);
    return result;
  }

  /** Ends the server. */
  async stop() {
    await this.gate.close();
    if (this.#child.exitCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }
}
