// The workers that are measured, each in a workerd of its own with a direct socket: no proxy stands before it.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Visitor } from "../forms.mjs";
import { authorizationUrl, obtainToken, pkce, readRedirect, register, requestToken } from "../oauth.mjs";
import { Operator } from "../operator.mjs";
import { ROOT, freePort, keysOf, migrate, originsOf } from "../worker.mjs";
import { temporaryFolder } from "../folders.mjs";
import { CASES, rpc } from "./cases.mjs";
import { Connections } from "./http.mjs";
import { Process } from "./process.mjs";
import { Tally } from "./tally.mjs";

// The one that wrangler runs, so that there is one version of workerd.
const fromWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));
const { Miniflare } = fromWrangler("miniflare");
const { unstable_readConfig: readConfig } = fromWrangler("wrangler");

const COMPATIBILITY_DATE = "2026-11-01";
const SAFENAME = "acme";
const POSTS = 50;

/** A worker under load. */
class Subject {
  #miniflare;
  #connections;
  #process;
  #size;

  constructor(name, { miniflare, port, process, size }) {
    this.name = name;
    this.port = port;
    this.origin = `http://localhost:${port}`;
    this.#miniflare = miniflare;
    this.#connections = new Connections(port);
    this.#process = process;
    this.#size = size;
  }

  /** This worker once `prepare` has filled it; the very first request, with which the isolate starts, is timed before. */
  async ready(prepare) {
    try {
      const began = performance.now();
      await this.#connections.send({ path: `/${SAFENAME}/mcp`, body: "{}" });
      this.firstRequestMs = performance.now() - began;
      await prepare();
      return this;
    } catch (trouble) {
      await this.stop();
      throw trouble;
    }
  }

  /** A tally of one case, its requests not yet made. */
  prepare(name) {
    const { parallel, request } = CASES[name];
    return this.tally(parallel, () => request(this));
  }

  tally(parallel, next) {
    return new Tally({ process: this.#process, connections: this.#connections, parallel, next });
  }

  /** Whether a case is measured here. */
  takes() {
    return true;
  }

  /** One request of a case, and how many bytes answer it. */
  async sample(name) {
    const request = CASES[name].request(this);
    const { body } = await this.#connections.send(request);
    request.then?.(body);
    return { request, bytes: Buffer.byteLength(body) };
  }

  /** What is about the worker as a whole. */
  figures() {
    return { firstRequestMs: this.firstRequestMs, memoryMiB: this.#process.memoryMiB(), sizeKiB: this.#size };
  }

  async stop() {
    this.#connections.close();
    await this.#miniflare.dispose();
  }
}

/** A bare worker: it takes the sampled request and answers as many bytes. */
class Floor extends Subject {
  takes(name) {
    return Boolean(CASES[name].floor);
  }

  prepare(name, { request, bytes }) {
    const { parallel, floor } = CASES[name];
    const path = `/${floor}/${bytes}${request.expect ? `?status=${request.expect}` : ""}`;
    return this.tally(parallel, () => ({ ...request, path }));
  }
}

/** The floor, with rows to select. */
export async function startFloor(folder) {
  const port = await freePort();
  const env = { DB: { type: "d1", id: "floor" } };
  const subject = await start("floor", { folder, port, env, flags: ["no_nodejs_compat"], kind: Floor, prepare: fillFloor });
  return subject.ready(() => {});
}

async function fillFloor(miniflare) {
  const { DB } = await miniflare.getBindings();
  await DB.prepare("CREATE TABLE entry (key TEXT PRIMARY KEY, text TEXT NOT NULL)").run();
  const rows = Array.from({ length: POSTS }, (_, index) => `('entry-${index}', 'Entry number ${index}')`);
  await DB.prepare(`INSERT INTO entry (key, text) VALUES ${rows.join(", ")}`).run();
}

/** This worker, with a tenant, its posts and a client's token. */
export async function startOurs() {
  const state = temporaryFolder("bench");
  await migrate(state);
  const keys = keysOf(state);
  const port = await freePort();
  const { publicOrigin, contentOrigin } = originsOf(port);
  const config = readConfig({ config: join(ROOT, "wrangler.toml") });
  const env = {
    PUBLIC_ORIGIN: text(publicOrigin),
    CONTENT_ORIGIN: text(contentOrigin),
    POSTERN_KEYS: text(JSON.stringify(keys)),
    ...bindings(config),
  };
  const subject = await start("postern", { folder: join(ROOT, "build"), port, env, flags: config.compatibility_flags, persist: join(state, "data/v3") });
  return subject.ready(() => prepareOurs(subject, keys));
}

async function prepareOurs(subject, keys) {
  const operator = new Operator({ origin: subject.origin, keys });
  const owner_email = "owner@acme.example";
  const tenant = await operator.call("create_tenant", { safename: SAFENAME, name: "Acme", owner_email, owner_name: "Owner", workspace: "Main", time_zone: "Europe/Stockholm" });
  const signInLink = async () => (await operator.call("create_sign_in_link", { safename: SAFENAME, email: owner_email })).url;
  const token = await obtainToken({ mcpUrl: tenant.mcp_url, visitor: new Visitor(), signInLink });
  Object.assign(subject, {
    token,
    paths: { mcp: `/${SAFENAME}/mcp`, metadata: "/.well-known/oauth-authorization-server", token: new URL(token.token_endpoint).pathname },
  });
  const posts = [];
  for (let from = 0; from < POSTS; from += 10) {
    const wanted = Array.from({ length: 10 }, (_, index) => ({ text: `Post ${from + index}`, profiles: ["wall"] }));
    posts.push(...(await callTool(subject, "create_posts", { posts: wanted })).posts);
  }
  subject.readCall = { name: "get_post", arguments: { post_id: posts[7].post_id } };
}

/** The peer, with its rows and a client's token; consent is automatic there. */
export async function startPeer(folder) {
  const port = await freePort();
  const env = { DB: { type: "d1", id: "peer" }, OAUTH_KV: { type: "kv", id: "peer" } };
  const flags = ["nodejs_compat", "global_fetch_strictly_public"];
  const subject = await start("peer", { folder, port, env, flags, prepare: (miniflare) => migratePeer(miniflare, folder) });
  return subject.ready(() => preparePeer(subject));
}

async function preparePeer(subject) {
  const issuer = `${subject.origin}/${SAFENAME}`;
  const server = { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/oauth/token`, registration_endpoint: `${issuer}/register` };
  const redirect_uri = "http://127.0.0.1:9/callback";
  const { client_id } = await register(server, { client_name: "bench", redirect_uris: [redirect_uri] });
  const { verifier, challenge } = pkce();
  const url = authorizationUrl(server, { clientId: client_id, redirectUri: redirect_uri, challenge, resource: `${issuer}/mcp`, scope: "posts:read", state: "s" });
  const { headers } = await fetch(url, { redirect: "manual" });
  const code = readRedirect(headers.get("location"), { state: "s", issuer });
  const token = await requestToken(server, { grant_type: "authorization_code", code, redirect_uri, client_id, code_verifier: verifier });
  Object.assign(subject, {
    token: { ...token, client_id },
    paths: { mcp: `/${SAFENAME}/mcp`, metadata: `/.well-known/oauth-authorization-server/${SAFENAME}`, token: `/${SAFENAME}/oauth/token` },
    readCall: { name: "posts_get", arguments: { slug: "post-7" } },
  });
}

async function migratePeer(miniflare, folder) {
  const { DB } = await miniflare.getBindings();
  const sql = readFileSync(join(folder, "../migrations/0001_init.sql"), "utf8");
  for (const statement of sql.split(";\n").map((one) => one.trim()).filter(Boolean)) await DB.prepare(statement).run();
}

async function start(name, { folder, port, env, flags, persist, kind = Subject, prepare = () => {} }) {
  const before = Process.children();
  const modules = modulesOf(folder);
  const miniflare = new Miniflare({
    cf: false,
    logRequests: false,
    ...(persist ? { resourcePersistencePath: persist } : {}),
    workers: [
      {
        config: { name, compatibilityDate: COMPATIBILITY_DATE, compatibilityFlags: flags, manifest: { mainModule: "index.js", modules }, env },
        dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port }] },
      },
    ],
  });
  await miniflare.ready;
  await prepare(miniflare);
  return new kind(name, { miniflare, port, process: Process.startedSince(before), size: sizeOf(modules) });
}

/** The bundle and its wasm modules; what else a build leaves behind is not deployed. */
function modulesOf(folder) {
  const modules = {};
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".wasm")) modules[name] = { type: "wasm", contents: new Uint8Array(readFileSync(join(folder, name))) };
    if (name === "index.js") modules[name] = { type: "esm", contents: readFileSync(join(folder, name), "utf8") };
  }
  return modules;
}

function sizeOf(modules) {
  const kib = (bytes) => Math.round(bytes / 1024);
  const contents = Object.values(modules).map(({ contents: bytes }) => Buffer.from(bytes));
  const sum = (size) => contents.reduce((total, bytes) => total + size(bytes), 0);
  return { raw: kib(sum((bytes) => bytes.length)), gzipped: kib(sum((bytes) => gzipSync(bytes, { level: 9 }).length)) };
}

const text = (value) => ({ type: "text", value });

/**
 * What wrangler.toml binds, in Miniflare's words. Of the doors' limits only the one that registering cannot do without:
 * its simulator keeps a database, at 1 ms a request, where the platform counts in memory, and the peer has no limits.
 */
function bindings({ d1_databases, kv_namespaces, r2_buckets, ratelimits }) {
  const named = (rows, made) => rows.map((row) => [row.binding, made(row)]);
  return Object.fromEntries([
    ...named(d1_databases, ({ database_id: id }) => ({ type: "d1", id })),
    ...named(kv_namespaces, ({ id }) => ({ type: "kv", id })),
    ...named(r2_buckets, ({ bucket_name: name }) => ({ type: "r2", name })),
    ...ratelimits.filter(({ name }) => name === "LIMIT_REGISTER").map(({ name, namespace_id: namespace, simple }) => [name, { type: "rate-limit", namespace, simple }]),
  ]);
}

async function callTool(subject, name, args) {
  const { path, ...request } = rpc(subject, "tools/call", { name, arguments: args });
  const { result, error } = await (await fetch(subject.origin + path, { method: "POST", ...request })).json();
  if (error || result.isError) throw new Error(`${name} refused: ${JSON.stringify(error ?? result.structuredContent)}`);
  return result.structuredContent;
}
