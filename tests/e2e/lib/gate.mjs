// A gate before a server: notes what passes, holds what a test wants held, so that a crash can be put exactly before or
// after an effect, and loses answers on their way back.

import { once } from "node:events";
import { createServer, request } from "node:http";
import { observe } from "./wire.mjs";

/** Forwards everything from a loopback port to another one. */
export class Gate {
  #server;
  #holds = [];
  /**
   * What arrived, in order: method, path without the query, when (milliseconds), the bearer token, MCP's revision, and
   * the fields if a form was sent; `status` once the server has answered.
   */
  arrived = [];

  /** Opens the gate on `port`, or on a free one if that is 0, before the server on `inner`. */
  static async open(port, inner) {
    const gate = new Gate();
    gate.#server = createServer((incoming, answer) => {
      // A side that went away leaves nobody to answer.
      gate.#pass(incoming, answer, inner).catch(() => answer.destroy());
    }).listen(port, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  /** Where it listens. */
  get port() {
    return this.#server.address().port;
  }

  /** How often a path was asked for. */
  count(path) {
    return this.arrived.filter((one) => one.path === path).length;
  }

  /**
   * Holds the next request for a path: `before` the server sees it, or `after` it has answered and before the answer
   * goes back.
   *
   * @param {string} path
   * @param {"before" | "after"} when
   * @returns {{reached: Promise<void>, release: () => void, answered: Promise<void>}} `reached` is when it is held,
   *   `answered` when the server has answered
   */
  hold(path, when) {
    return this.#lieInWait({ path, when, fits: () => true });
  }

  /**
   * Lets the next request for a path that fits through to the server, and loses the answer.
   *
   * @param {string} path
   * @param {(visit: object) => boolean} fits given what `arrived` notes
   * @returns {{answered: Promise<object>}} the visit, when the server has answered
   */
  drop(path, fits) {
    return this.#lieInWait({ path, when: "never", fits });
  }

  #lieInWait(hold) {
    hold.reached = new Promise((resolve) => (hold.reach = resolve));
    hold.released = new Promise((resolve) => (hold.release = resolve));
    hold.answered = new Promise((resolve) => (hold.answer = resolve));
    this.#holds.push(hold);
    return hold;
  }

  /** Lets go of everything and closes. */
  async close() {
    for (const hold of this.#holds) hold.release();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #pass(incoming, answer, inner) {
    // Read whole first: what was sent stays sent when the sender dies.
    const body = await readAll(incoming);
    const visit = noteOf(incoming, body);
    this.arrived.push(visit);
    const index = this.#holds.findIndex((hold) => hold.path === visit.path && hold.fits(visit));
    const [hold] = index < 0 ? [] : this.#holds.splice(index, 1);
    const wait = async (when) => {
      if (hold?.when !== when) return;
      hold.reach();
      await hold.released;
    };
    await wait("before");
    const outgoing = request({ host: "127.0.0.1", port: inner, method: incoming.method, path: incoming.url, headers: incoming.headers });
    outgoing.end(body);
    const [reply] = await once(outgoing, "response");
    const content = await readAll(reply);
    visit.status = reply.statusCode;
    if (incoming.method === "POST" && /\/mcp(\/|$)/.test(visit.path)) {
      const header = (name) => incoming.headers[name];
      observe({ sent: body.toString(), header, status: reply.statusCode, type: reply.headers["content-type"] ?? "", received: content.toString() });
    }
    hold?.answer(visit);
    if (hold?.when === "never") return answer.destroy();
    await wait("after");
    answer.writeHead(reply.statusCode, withoutFraming(reply.headers)).end(content);
  }
}

function noteOf({ method, url, headers }, body) {
  const bearer = headers.authorization?.match(/^Bearer (.+)$/)?.[1];
  const visit = { method, path: url.split("?")[0], at: Date.now(), bearer, revision: headers["mcp-protocol-version"] };
  const isForm = headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  return isForm ? { ...visit, form: Object.fromEntries(new URLSearchParams(body.toString())) } : visit;
}

async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function withoutFraming({ "transfer-encoding": _chunked, connection: _connection, ...headers }) {
  return headers;
}
