// Client-ID metadata documents over https on loopback, with a certificate that is made for the test.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { temporaryFolder } from "../../../scripts/lib/folders.mjs";

/** Makes a certificate for `localhost` with its key; gives both files. */
function makeCertificate() {
  const folder = temporaryFolder("certificate");
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", certificate], { stdio: "pipe" });
  return { key, certificate };
}

/** Serves documents, and counts who asks. */
export class Documents {
  #server;
  #bodies = new Map();
  #asked = [];

  static async start() {
    const documents = new Documents();
    const { key, certificate } = makeCertificate();
    documents.certificate = certificate;
    documents.#server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, answer) => {
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

  /** Serves a client's document; gives its address, which is the client's id. */
  serve(path, metadata) {
    const url = `https://localhost:${this.#server.address().port}${path}`;
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
