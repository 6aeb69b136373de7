// Requests without a client's overhead, on connections that stay open.

import { Agent, request } from "node:http";

/** Connections to one worker. */
export class Connections {
  #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(port) {
    this.port = port;
  }

  /** Makes one request; its status and body. */
  send({ path, method = "POST", headers = {}, body }) {
    return new Promise((answered, failed) => {
      const host = `localhost:${this.port}`;
      const outgoing = request({ host: "127.0.0.1", port: this.port, path, method, headers: { host, ...headers }, agent: this.#agent }, (answer) => {
        const chunks = [];
        answer.on("data", (chunk) => chunks.push(chunk));
        answer.on("end", () => answered({ status: answer.statusCode, body: Buffer.concat(chunks).toString() }));
        answer.on("error", failed);
      });
      outgoing.on("error", failed);
      outgoing.end(body);
    });
  }

  close() {
    this.#agent.destroy();
  }
}
