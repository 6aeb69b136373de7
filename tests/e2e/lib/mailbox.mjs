// An HTTP e-mail API on loopback that keeps what it is given, so that a test can read its letters.

import { once } from "node:events";
import { createServer } from "node:http";

export class Mailbox {
  #server;
  #waiting = [];
  /** Letters in the order they came: from, to, subject, text, and the key they came under. */
  letters = [];

  static async open() {
    const mailbox = new Mailbox();
    mailbox.#server = createServer(async (request, answer) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      mailbox.#keep({ ...JSON.parse(body), authorization: request.headers.authorization });
      answer.writeHead(200, { "content-type": "application/json" }).end('{"id":"1"}');
    }).listen(0, "127.0.0.1");
    await once(mailbox.#server, "listening");
    return mailbox;
  }

  /** The worker's settings with which letters come here. */
  get settings() {
    const url = `http://127.0.0.1:${this.#server.address().port}/emails`;
    return { MAIL_SENDER: "api", MAIL_FROM: "postern@example.com", MAIL_API_URL: url, MAIL_API_KEY: "re_test" };
  }

  /** The next letter that nobody has taken yet, once it is there. */
  async next() {
    const arrived = this.letters.find((letter) => !letter.taken);
    const letter = arrived ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
    letter.taken = true;
    return letter;
  }

  #keep(letter) {
    this.letters.push(letter);
    this.#waiting.shift()?.(letter);
  }

  async close() {
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** The one address of this deployment that a letter holds. */
export function linkIn(letter, origin) {
  const links = letter.text.split(/\s+/).filter((word) => word.startsWith(`${origin}/`));
  if (links.length !== 1) throw new Error(`the letter holds ${links.length} links: ${letter.text}`);
  return links[0];
}
