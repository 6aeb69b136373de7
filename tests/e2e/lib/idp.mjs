// A real OpenID provider on loopback, with one client: whoever types a name there is that subject.

import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

export const CLIENT_ID = "postern";
export const CLIENT_SECRET = "a-secret-of-the-end-to-end-tests";

export class Idp {
  #server;
  #withheld;

  /** Starts a provider on a free port; `redirectUri` may be named later, by {@link Idp.accept}. */
  static async open() {
    const idp = new Idp();
    idp.#server = createServer((request, answer) => idp.#handle(request, answer)).listen(0, "127.0.0.1");
    await once(idp.#server, "listening");
    idp.issuer = `http://127.0.0.1:${idp.#server.address().port}`;
    return idp;
  }

  #handle(request, answer) {
    const end = answer.end.bind(answer);
    answer.end = (...rest) => {
      const to = answer.getHeader("location");
      if (!this.#withheld || !to?.startsWith(this.redirectUri)) return end(...rest);
      answer.removeHeader("location");
      answer.statusCode = 204;
      this.#withheld(to);
      this.#withheld = undefined;
      return end();
    };
    this.handler(request, answer);
  }

  /** Keeps the next answer to the client from the browser; gives the address that would have been opened. */
  withhold() {
    return new Promise((resolve) => (this.#withheld = resolve));
  }

  /** From now on the client's answers go to this address. */
  accept(redirectUri) {
    this.redirectUri = redirectUri;
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [redirectUri], response_types: ["code"] }],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      // The address belongs into the ID token: nothing else is read.
      conformIdTokenClaims: false,
      cookies: { keys: ["a-key-of-the-end-to-end-tests"] },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, email: `${id}@acme.example`, email_verified: true, name: `${id} at the provider` }),
      }),
    });
    this.handler = provider.callback();
  }

  async close() {
    const closed = once(this.#server.close(), "close");
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Signs in on the provider's own pages as `login`, and lets Postern know. */
export async function signInThere(page, login) {
  await page.locator("input[name=login]").fill(login);
  await page.locator("input[name=password]").fill("anything");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}
