// A deployment of the built worker for one test file: fresh databases, a free port, nothing shared.

import { cpSync } from "node:fs";
import { Visitor } from "../../../scripts/lib/forms.mjs";
import { callTool, connect, PersonAtBrowser } from "../../../scripts/lib/mcp.mjs";
import { obtainToken, signIn } from "../../../scripts/lib/oauth.mjs";
import { Operator } from "../../../scripts/lib/operator.mjs";
import { freePort, keysOf, migrate, startWorker } from "../../../scripts/lib/worker.mjs";
import { temporaryFolder } from "../../../scripts/lib/folders.mjs";
import { checkExchanged } from "./wire.mjs";

// An interrupted run ends its workers too: they listen to `exit`.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

let template;

/** A state directory whose databases are migrated and empty; migrating happens once per process. */
export async function freshState() {
  template ??= (async () => {
    const folder = temporaryFolder("template");
    await migrate(folder);
    return folder;
  })();
  const state = temporaryFolder("state");
  cpSync(await template, state, { recursive: true });
  keysOf(state);
  return state;
}

/**
 * Starts a worker on a free loopback port.
 *
 * @param {object} [options]
 * @param {string} [options.state] a state directory; a fresh one when left out
 * @param {Record<string, string>} [options.settings] further variables of the worker
 * @param {string} [options.bindings] further bindings, as wrangler.toml has them
 * @param {Record<string, string>} [options.env] further variables of its process
 * @param {string} [options.build] the folder of the build
 */
export async function deploy({ state, ...options } = {}) {
  const worker = await startWorker({ state: state ?? (await freshState()), port: await freePort(), ...options });
  return new Deployment(worker, options);
}

/** A running worker with its operator's shell and its people. */
export class Deployment {
  #options;

  constructor(worker, options) {
    this.worker = worker;
    this.#options = options;
    this.operator = new Operator({ origin: worker.publicOrigin, keys: worker.keys });
  }

  get origin() {
    return this.worker.publicOrigin;
  }

  get contentOrigin() {
    return this.worker.contentOrigin;
  }

  /** Makes a tenant with a workspace and its Wall; gives what the operator's door gave, and the owner. */
  async createTenant(safename, { time_zone = "Europe/Stockholm", workspace = "Main" } = {}) {
    const owner_email = `owner@${safename}.example`;
    const fields = { safename, name: safename, owner_email, owner_name: `Owner of ${safename}`, workspace, time_zone };
    return { ...(await this.operator.call("create_tenant", fields)), owner_email };
  }

  /** A fresh one-time link for a member of a tenant. */
  async signInLink(tenant, email = tenant.owner_email) {
    return (await this.operator.call("create_sign_in_link", { safename: tenant.safename, email })).url;
  }

  #person(tenant, email) {
    return { mcpUrl: tenant.mcp_url, visitor: new Visitor(), signInLink: () => this.signInLink(tenant, email) };
  }

  /** The browser of a member who is signed in. */
  async signedIn(tenant, email = tenant.owner_email) {
    const visitor = new Visitor();
    await signIn(visitor, await this.signInLink(tenant, email));
    return visitor;
  }

  /** Changes a workspace's settings on its page: time_zone, grace_minutes, notice_minutes, hold_seconds. */
  async saveSettings(tenant, workspaceId, fields) {
    const visitor = await this.signedIn(tenant);
    const page = await visitor.get(`${this.origin}/${tenant.safename}/settings/${workspaceId}`);
    const saved = await visitor.submit(page, { fields });
    if (saved.status !== 303) throw new Error(`the settings were not saved (${saved.status}): ${saved.body.slice(0, 500)}`);
  }

  /** A token response by the real flow. */
  token(tenant, { email, ...options } = {}) {
    return obtainToken({ ...this.#person(tenant, email), ...options });
  }

  /** A member at a client of the official libraries, with no token yet; options are those of `PersonAtBrowser`. */
  atClient(tenant, { email, ...options }) {
    return new PersonAtBrowser({ ...this.#person(tenant, email), ...options });
  }

  /** The official client, connected; `also` are capabilities ticked besides those that are asked for. */
  client(tenant, { email, ...options } = {}) {
    return connect({ ...this.#person(tenant, email), ...options });
  }

  /** Fires the cron until `settled` gives something; gives that. */
  async tickUntil(settled, { seconds = 120 } = {}) {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      await this.worker.fireCron();
      const result = await settled();
      if (result) return result;
      if (Date.now() > deadline) throw new Error(`nothing settled within ${seconds} s; the last of what the worker said:\n${this.worker.output.slice(-2_000)}`);
      await new Promise((next) => setTimeout(next, 500));
    }
  }

  /** Starts the worker again on the same state and port, after it was stopped or killed. */
  async restart() {
    const { state, port } = this.worker;
    this.worker = await startWorker({ state, port, ...this.#options });
  }

  /** Stops the worker; throws if any message that was exchanged meanwhile is not of its schema. */
  async stop() {
    await this.worker.stop();
    await checkExchanged();
  }
}

/**
 * One raw POST to an MCP endpoint.
 *
 * @returns {Promise<{status: number, headers: Headers, body: unknown}>} the body parsed if it is JSON, else its text
 */
export async function postMcp(mcpUrl, message, { token, headers = {} } = {}) {
  const answer = await fetch(mcpUrl, {
    method: "POST",
    redirect: "manual",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    body: typeof message === "string" ? message : JSON.stringify(message),
  });
  const text = await answer.text();
  const isJson = (answer.headers.get("content-type") ?? "").startsWith("application/json");
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}

export { callTool };
