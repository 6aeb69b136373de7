// A deployment whose access tokens live for five seconds, behind a gate that sees every request of its clients.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../../../scripts/lib/worker.mjs";
import { deploy } from "./deployment.mjs";
import { Gate } from "./gate.mjs";

/** The shortest life that may be configured. */
const TOKEN_SECONDS = 5;
const EXPIRIES = 3;

/** Starts one, whose tokens may live longer; options are those of `deploy`. */
export async function deployExpiring({ tokenSeconds = TOKEN_SECONDS, ...options } = {}) {
  const port = await freePort();
  const gate = await Gate.open(0, port);
  const settings = { ACCESS_TOKEN_SECONDS: String(tokenSeconds) };
  const deployment = await deploy({ ...options, port, front: gate.port, settings }).catch(async (cause) => {
    await gate.close();
    throw cause;
  });
  return new Expiring(deployment, gate);
}

/** What a test sees of it. */
class Expiring {
  constructor(deployment, gate) {
    this.deployment = deployment;
    this.gate = gate;
  }

  /** Successful refreshes for a tenant's resource so far. */
  refreshes(tenant) {
    return this.gate.arrived.filter((visit) => isRefresh(visit, tenant) && visit.status === 200).length;
  }

  /** The revision that the last call which a tenant's endpoint took was made in. */
  revision(tenant) {
    return this.#accepted(tenant).at(-1)?.revision;
  }

  /**
   * Makes a call whose refresh is answered, but never hears of it; shows that the client went on with its old pair.
   *
   * @param {object} tenant whose client has made a call
   * @param {() => Promise<void>} call takes the loss, or throws what it should not
   */
  async loseRefresh(tenant, call) {
    await this.untilExpired(tenant);
    const { answered } = this.gate.drop("/token", (visit) => isRefresh(visit, tenant));
    await call();
    const { status, form } = await answered;
    assert.equal(status, 200);
    const taken = this.gate.arrived.filter((visit) => isRefresh(visit, tenant) && visit.form.refresh_token === form.refresh_token);
    assert.ok(taken.length > 1 && taken.every((visit) => visit.status === 200), "the lost pair's refresh token was good again");
  }

  /** Waits until every access token is over that came with a call which a tenant's endpoint took. */
  async untilExpired(tenant) {
    const ends = Math.max(...this.#accepted(tenant).map(endOf));
    while (Date.now() <= ends) await pause(ends - Date.now() + 1);
  }

  /**
   * Makes a call before and after each of three expiries of the access token, and shows that each was taken.
   *
   * @param {object} tenant the calls of one client at a time
   * @param {() => Promise<void>} call one or more calls of the endpoint; throws if any of them fails
   */
  async crossExpiries(tenant, call) {
    const [calls, refreshes] = [this.#accepted(tenant).length, this.refreshes(tenant)];
    await call();
    for (let expiry = 0; expiry < EXPIRIES; expiry += 1) {
      await this.untilExpired(tenant);
      await call();
    }
    assert.ok(crossed(this.#accepted(tenant).slice(calls)) >= EXPIRIES, "each call was taken, with a token that was good then");
    assert.ok(this.refreshes(tenant) - refreshes >= EXPIRIES, "each of those tokens was refreshed");
  }

  #accepted(tenant) {
    const { pathname } = new URL(tenant.mcp_url);
    return this.gate.arrived.filter(({ path, bearer, status }) => path === pathname && bearer && status < 300);
  }

  async stop() {
    await this.deployment.stop();
    await this.gate.close();
  }
}

const isRefresh = ({ path, form }, { mcp_url }) => path === "/token" && form?.grant_type === "refresh_token" && form.resource === mcp_url;

/** When the token of a call is over, in milliseconds. */
function endOf({ bearer }) {
  const { exp } = JSON.parse(Buffer.from(bearer.split(".")[1], "base64url").toString());
  return exp * 1000;
}

/** How often a call came after the end of the token with which the one before it in the count came. */
function crossed(calls) {
  let [count, ends] = [-1, 0];
  for (const call of calls) {
    if (call.at < ends) continue;
    count += 1;
    ends = endOf(call);
  }
  return count;
}
