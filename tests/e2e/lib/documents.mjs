// Client-ID metadata documents over https on loopback, with a certificate that is made for the test.

import { once } from "node:events";
import { createServer } from "node:https";
import { makeCertificate } from "./certificate.mjs";

/** Serves documents, and counts who asks. */
export class Documents {
  #server;
  #bodies = new Map();
  #asked = [];

  static async start() {
    const documents = new Documents();
    const { key, cert, file } = makeCertificate();
    documents.certificate = file;
    documents.#server = createServer({ key, cert }, (request, answer) => {
      documents.#asked.push(request.url);
      const body = documents.#bodies.get(request.url);
      if (!body) return answer.writeHead(404).end();
      answer.writeHead(200, { "content-type": "application/json" }).end(body);
    }).listen(0, "localhost");
    await once(documents.#server, "listening");
    return documents;
  }

  /** What a process of the runtime needs in its environment to trust this server. */
  get env() {
    return { NODE_EXTRA_CA_CERTS: this.certificate };
  }

  get origin() {
    return `https://localhost:${this.#server.address().port}`;
  }

  /** Serves a client's document; gives its address, which is the client's id. */
  serve(path, metadata) {
    const url = `${this.origin}${path}`;
    this.#bodies.set(path, JSON.stringify({ client_id: url, ...metadata }));
    return url;
  }

  /** How often a path was asked for. */
  asked(path) {
    return this.#asked.filter((one) => one === path).length;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
