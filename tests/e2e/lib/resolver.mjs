// A resolver of DNS over HTTPS on loopback, as DNS_RESOLVER names it: it knows the TXT records that it is given.

import { once } from "node:events";
import { createServer } from "node:http";

/** The type of a TXT record, and the codes of an answer and of a name that is not there (RFC 1035, sections 3.2.2 and 4.1.1). */
const [TXT, NO_ERROR, NO_SUCH_NAME] = [16, 0, 3];

export class Resolver {
  #server;
  #texts = new Map();

  static async start() {
    const resolver = new Resolver();
    resolver.#server = createServer((request, answer) => {
      const name = new URL(request.url, resolver.address).searchParams.get("name");
      const text = resolver.#texts.get(name);
      const found = { Status: NO_ERROR, Answer: [{ name, type: TXT, TTL: 300, data: `"${text}"` }] };
      answer.writeHead(200, { "content-type": "application/dns-json" });
      answer.end(JSON.stringify(text ? found : { Status: NO_SUCH_NAME }));
    }).listen(0, "127.0.0.1");
    await once(resolver.#server, "listening");
    return resolver;
  }

  get address() {
    return `http://127.0.0.1:${this.#server.address().port}/dns-query`;
  }

  /** From now on `name` has this one record. */
  publish(name, text) {
    this.#texts.set(name, text);
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
