// A worker on this machine: its state directory, its databases, its process. Used by the doors and by the tests.

import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { EventEmitter, on, once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const STATE_HOME = join(process.env.XDG_STATE_HOME || join(homedir(), ".local/state"), "postern");
export const DEFAULT_STATE = join(STATE_HOME, "dev");
export const DEFAULT_PORT = 8790;
const DATABASES = { DIRECTORY: "schema/directory", SHARD_0: "schema/shard" };
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const WRANGLER_ENV = { CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false", NO_COLOR: "1", FORCE_COLOR: "0" };

/** Something that a person has to put right, said in a sentence and a hint. */
export class Trouble extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/** The two origins of a worker on a port of this machine. */
export function originsOf(port) {
  return { publicOrigin: `http://localhost:${port}`, contentOrigin: `http://127.0.0.1:${port}` };
}

/** Reads a state directory's root keys; makes them, readable by their owner only, if there are none. */
export function keysOf(state) {
  const file = join(state, "keys.json");
  if (!existsSync(file)) {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const keys = { current: "k1", keys: { k1: randomBytes(32).toString("base64url") }, retired: [] };
    writeFileSync(file, `${JSON.stringify(keys)}\n`, { mode: 0o600, flag: "wx" });
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Reads a state directory's root keys, which must be there. */
export function existingKeysOf(state) {
  if (!existsSync(join(state, "keys.json"))) {
    throw new Trouble(`${state} holds no keys`, "start scripts/dev first, or name its --state");
  }
  return keysOf(state);
}

/** Where a running `scripts/dev` says which state directory its port uses. */
const noteOf = (port) => join(STATE_HOME, "running", `${port}.json`);

/** Notes that this process serves `state` on `port`, until the process ends. */
export function noteRunning(port, state) {
  const note = noteOf(port);
  mkdirSync(dirname(note), { recursive: true, mode: 0o700 });
  writeFileSync(note, JSON.stringify({ state, pid: process.pid }), { mode: 0o600 });
  process.on("exit", () => rmSync(note, { force: true }));
}

/** The state directory that the worker on `port` uses. */
export function stateOn(port) {
  return existsSync(noteOf(port)) ? JSON.parse(readFileSync(noteOf(port), "utf8")).state : DEFAULT_STATE;
}

/** A free port of the loopback interface. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Refuses a port that somebody else listens on. */
export async function requireFree(port) {
  const server = createServer();
  await new Promise((free, taken) => {
    server.once("error", taken);
    server.listen(port, "127.0.0.1", free);
  }).catch((cause) => {
    throw cause.code === "EADDRINUSE"
      ? new Trouble(`port ${port} is taken`, "end what listens there, or choose another: --port N")
      : new Trouble(`port ${port} cannot be used: ${cause.message}`, "choose another: --port N");
  });
  server.close();
  await once(server, "close");
}

/** Brings both databases to the schema of this checkout. */
export async function migrate(state) {
  const stamp = join(state, "data", "migrated");
  const wanted = schemaHash();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  for (const database of Object.keys(DATABASES)) {
    await runWrangler(["d1", "migrations", "apply", database, "--local", "--persist-to", join(state, "data")], {
      failure: `the migrations of ${database} failed`,
    });
  }
  writeFileSync(stamp, wanted);
}

function schemaHash() {
  const hash = createHash("sha256");
  for (const folder of Object.values(DATABASES)) {
    for (const name of readdirSync(join(ROOT, folder)).sort()) {
      hash.update(`${folder}/${name}\n`).update(readFileSync(join(ROOT, folder, name)));
    }
  }
  return hash.digest("hex");
}

async function runWrangler(args, { failure }) {
  const child = spawn(process.execPath, [WRANGLER, ...args, "--config", join(ROOT, "wrangler.toml")], {
    cwd: ROOT,
    env: { ...process.env, ...WRANGLER_ENV },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = [];
  child.stdout.on("data", (chunk) => said.push(chunk));
  child.stderr.on("data", (chunk) => said.push(chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Trouble(`${failure}:\n${Buffer.concat(said)}`, "the output above says why");
}

/**
 * Starts the built worker on loopback.
 *
 * Settings and secrets reach it by a file in the state directory, never by a command line.
 *
 * @param {object} options
 * @param {string} options.state the state directory
 * @param {number} options.port
 * @param {number} [options.front] the port at which it is reached, where something stands before it
 * @param {Record<string, string>} [options.settings] further variables of the worker
 * @param {string} [options.bindings] further bindings, as wrangler.toml has them
 * @param {Record<string, string>} [options.env] further variables of the process that runs it
 * @param {string} [options.build] the folder of the build
 * @param {(line: string) => void} [options.onLine] gets every line of output
 * @returns {Promise<Worker>} when it answers
 */
export async function startWorker({ state, port, front = port, settings = {}, bindings = "", env = {}, build = "build", onLine = () => {} }) {
  const script = join(ROOT, build, "index.js");
  if (!existsSync(script)) throw new Trouble("the worker is not built", "scripts/build");
  const { publicOrigin, contentOrigin } = originsOf(front);
  const keys = keysOf(state);
  const variables = { PUBLIC_ORIGIN: publicOrigin, CONTENT_ORIGIN: contentOrigin, POSTERN_KEYS: JSON.stringify(keys), ...settings };
  const envFile = join(state, "worker.env");
  rmSync(envFile, { force: true });
  writeFileSync(envFile, Object.entries(variables).map(([name, value]) => `${name}='${value}'\n`).join(""), { mode: 0o600 });
  const args = ["dev", script, "--config", bindings ? configWith(state, bindings) : join(ROOT, "wrangler.toml"), "--env-file", envFile, "--persist-to", join(state, "data")];
  args.push("--ip", "127.0.0.1", "--port", String(port), "--inspector-port", String(await freePort()));
  args.push("--show-interactive-dev-session=false");
  const child = spawn(process.execPath, [WRANGLER, ...args], {
    cwd: ROOT,
    // A process group of its own: Ctrl-C reaches the door alone, which then ends everything in order.
    detached: true,
    env: { ...process.env, ...WRANGLER_ENV, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const worker = new Worker({ child, state, port, front, keys, onLine });
  await worker.ready();
  return worker;
}

/** A copy of wrangler.toml in a state directory, with further bindings. */
function configWith(state, bindings) {
  const config = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  const copy = join(state, "wrangler.toml");
  writeFileSync(copy, `${config.replace('main = "build/', `main = "${ROOT}/build/`)}\n${bindings}`);
  return copy;
}

/** A running worker and the processes under it. */
export class Worker {
  #child;
  #lines = [];
  #speech = new EventEmitter();
  // Whatever ends this process, an uncaught error too, ends what it started.
  #atExit = () => this.#signal("SIGKILL");

  constructor({ child, state, port, front, keys, onLine }) {
    this.#child = child;
    this.state = state;
    this.port = port;
    this.keys = keys;
    Object.assign(this, originsOf(front));
    this.ended = once(child, "exit");
    process.on("exit", this.#atExit);
    const log = createWriteStream(join(state, "worker.log"), { mode: 0o600 });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        log.write(`${line}\n`);
        this.#lines = [...this.#lines.slice(-199), line];
        onLine(line);
        this.#speech.emit("line", line);
      });
    }
  }

  /** The last 200 lines of output. */
  get output() {
    return this.#lines.join("\n");
  }

  /** What `pattern` finds in a line of output, one of the last 200 or one to come. */
  async said(pattern, { seconds = 10 } = {}) {
    const found = this.output.match(pattern);
    if (found) return found;
    const signal = AbortSignal.timeout(seconds * 1000);
    for await (const [line] of on(this.#speech, "line", { signal })) {
      const match = line.match(pattern);
      if (match) return match;
    }
  }

  /** Waits until the worker answers; at most a minute. */
  async ready() {
    const deadline = Date.now() + 60_000;
    while (!(await this.#answers())) {
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        await this.stop();
        throw new Trouble(`the worker did not start:\n${this.output}`, "the output above says why");
      }
      await pause(100);
    }
  }

  async #answers() {
    try {
      // A worker that answers at all is up; whether it is well is not asked here.
      await (await fetch(`http://localhost:${this.port}/healthz`, { signal: AbortSignal.timeout(10_000) })).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Fires the cron trigger and waits for the end of the tick.
   *
   * @param {Date} [at] the time that the tick believes it was scheduled for
   * @returns {Promise<string>} the outcome: `ok` or `exception`
   */
  async fireCron(at = new Date()) {
    const query = `cron=${encodeURIComponent("* * * * *")}&time=${at.getTime()}&format=json`;
    const answer = await fetch(`http://127.0.0.1:${this.port}/cdn-cgi/handler/scheduled?${query}`);
    const body = await answer.text();
    // 500 with an outcome means that the handler failed; anything else did not come from the trigger.
    const { outcome } = body.startsWith("{") ? JSON.parse(body) : {};
    if (!outcome) throw new Error(`the cron trigger answered ${answer.status}: ${body.slice(0, 200)}`);
    return outcome;
  }

  /** Kills the process that runs the worker's code with SIGKILL, as a crash would; wrangler starts another one. */
  killRuntime() {
    // The first workerd only forwards; the worker's own is the one that started last.
    const pid = this.#descendants().filter(({ command }) => command.includes("workerd")).map((child) => child.pid).at(-1);
    if (pid === undefined) throw new Error("no workerd runs under this worker");
    process.kill(pid, "SIGKILL");
    return pid;
  }

  /** Kills everything with SIGKILL, as a power cut would. The state directory can be started again. */
  async killAll() {
    this.#signal("SIGKILL");
    await this.#gone(5_000);
  }

  /** Ends everything that was started, in order if it can be. */
  async stop() {
    this.#signal("SIGTERM");
    if (await this.#gone(5_000)) return;
    await this.killAll();
  }

  /** Waits until no process of the group is left; says whether it came to that in time. */
  async #gone(milliseconds) {
    const deadline = Date.now() + milliseconds;
    while (this.#signal(0)) {
      if (Date.now() > deadline) return false;
      await pause(20);
    }
    process.off("exit", this.#atExit);
    return true;
  }

  /** Sends a signal to the whole group; says whether anybody was there to get it. */
  #signal(signal) {
    try {
      return process.kill(-this.#child.pid, signal);
    } catch (cause) {
      if (cause.code === "ESRCH") return false;
      throw cause;
    }
  }

  #descendants() {
    const rows = execFileSync("ps", ["-e", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).trim().split("\n");
    const all = rows.map((row) => row.trim().match(/^(\d+)\s+(\d+)\s+(.*)$/)).map(([, pid, parent, command]) => ({ pid: Number(pid), parent: Number(parent), command }));
    const under = (pid) => all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...under(child.pid)]);
    return under(this.#child.pid).sort((one, other) => one.pid - other.pid);
  }
}
