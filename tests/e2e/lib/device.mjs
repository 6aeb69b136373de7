// A person's computer as programs find it: a home folder of its own, and a browser that they open.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { temporaryFolder } from "../../../scripts/lib/folders.mjs";
import { Visitor } from "../../../scripts/lib/forms.mjs";
import { decide } from "../../../scripts/lib/oauth.mjs";

const PATIENCE_MS = 60_000;
/** Nothing listens there. */
const NOWHERE = "http://127.0.0.1:9";

/** Programs on it reach loopback only, and whatever they open in the browser a member of a tenant signs in to and approves. */
export class Device {
  #browser;
  #person;
  #troubles = [];
  /** The addresses that programs opened in the browser. */
  opened = [];
  /** Capabilities that the person ticks besides those that are asked for. */
  also;

  /**
   * @param {import("./deployment.mjs").Deployment} deployment
   * @param {object} tenant whose owner sits there
   * @param {object} [options]
   * @param {string[]} [options.also]
   * @param {Record<string, string>} [options.env] further variables of its programs
   */
  static async start(deployment, tenant, { also, env } = {}) {
    const device = new Device();
    device.#person = { visitor: new Visitor(), signInLink: () => deployment.signInLink(tenant) };
    device.also = also;
    device.#browser = createServer((request, answer) => device.#visit(request, answer)).listen(0, "127.0.0.1");
    await once(device.#browser, "listening");
    // It ends with the test's process, a failed one's too.
    device.#browser.unref();
    const home = temporaryFolder("device");
    const bin = join(home, "bin");
    mkdirSync(bin);
    device.home = home;
    device.env = {
      HOME: home,
      PATH: `${bin}:${process.env.PATH}`,
      LANG: "C.UTF-8",
      TERM: "xterm",
      BROWSER: putBrowser(bin, device.#browser.address().port),
      HTTP_PROXY: NOWHERE,
      HTTPS_PROXY: NOWHERE,
      NO_PROXY: "localhost,127.0.0.1",
      ...env,
    };
    return device;
  }

  /**
   * Runs a program to its end, at most a minute.
   *
   * @param {string} command
   * @param {string[]} args
   * @param {object} [options]
   * @param {string} [options.input] what it reads
   * @param {boolean} [options.terminal] whether it is run at a terminal; its output is then in `stdout`
   * @returns {Promise<{status: number, stdout: string, stderr: string}>}
   */
  async run(command, args, { input = "", terminal = false } = {}) {
    const [program, words] = terminal ? ["script", ["-qefc", [command, ...args].map(quoted).join(" "), "/dev/null"]] : [command, args];
    const child = spawn(program, words, { cwd: this.home, env: this.env, timeout: PATIENCE_MS, stdio: "pipe" });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (said[name] += text));
    child.stdin.end(input);
    const [status] = await once(child, "close");
    this.check();
    return { status, ...said };
  }

  /** Throws what went wrong in the browser, if anything did. */
  check() {
    if (this.#troubles.length > 0) throw this.#troubles[0];
  }

  async #visit(request, answer) {
    let url = "";
    for await (const chunk of request) url += chunk;
    this.opened.push(url);
    try {
      await openCallback(await decide({ ...this.#person, also: this.also, url }));
      answer.writeHead(204).end();
    } catch (cause) {
      this.#troubles.push(cause);
      answer.writeHead(500).end();
    }
  }
}

/** Opens the address of a program that may not listen yet: it is quicker to be approved here than by a person. */
async function openCallback(url) {
  const deadline = Date.now() + PATIENCE_MS / 2;
  for (;;) {
    const answer = await fetch(url).catch((cause) => cause);
    if (answer.ok) return;
    if (answer.cause?.code !== "ECONNREFUSED" || Date.now() > deadline) {
      throw new Error(`${new URL(url).origin} answered ${answer.status ?? answer.cause?.code}`);
    }
    await pause(50);
  }
}

/** Puts a browser where programs look for one; gives its path. */
function putBrowser(bin, port) {
  const path = join(bin, "xdg-open");
  const open = `fetch("http://127.0.0.1:${port}", { method: "POST", body: process.argv.at(-1) }).then(({ ok }) => process.exit(ok ? 0 : 1));`;
  writeFileSync(path, `#!/usr/bin/env node\n${open}\n`, { mode: 0o755 });
  return path;
}

const quoted = (word) => `'${word.replaceAll("'", `'\\''`)}'`;
