// A web server of files on loopback, for what the worker is told to fetch.

import { once } from "node:events";
import { createServer } from "node:http";

/** Serves what it is given, and counts who asks. */
export class FileServer {
  #server;
  #files = new Map();
  #asked = [];

  static async start() {
    const files = new FileServer();
    files.#server = createServer((request, answer) => {
      const name = decodeURIComponent(request.url.slice(1));
      files.#asked.push(name);
      const file = files.#files.get(name);
      if (!file) return answer.writeHead(404).end();
      answer.writeHead(200, { "content-type": file.type, "content-length": file.bytes.length }).end(file.bytes);
    }).listen(0, "127.0.0.1");
    await once(files.#server, "listening");
    return files;
  }

  /** Serves `bytes` under a name; gives the address. */
  serve(name, bytes, type) {
    this.#files.set(name, { bytes, type });
    return `http://localhost:${this.#server.address().port}/${encodeURIComponent(name)}`;
  }

  /** How often a file was asked for. */
  asked(name) {
    return this.#asked.filter((one) => one === name).length;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
