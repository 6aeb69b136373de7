// Consent clicked in a real Chromium, approve and deny, towards every kind of address that a client may be answered at:
// https, http on loopback with a port that the client chose as it started, and a private-use scheme.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { after, before, test } from "node:test";
import { authorizationUrl, discover, pkce, readRedirect, register, requestToken } from "../../scripts/lib/oauth.mjs";
import { makeCertificate } from "./lib/certificate.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { deploy } from "./lib/deployment.mjs";

const STATE = "a state & more=?#%";

let deployment;
let browser;
let acme;
before(async () => {
  [deployment, browser] = await Promise.all([deploy(), startChromium()]);
  acme = await deployment.createTenant("acme");
});
after(() => Promise.all([deployment?.stop(), browser?.close()]));

/** A client's own server on loopback: gives the first request for its callback, with its headers. */
async function listen(server, scheme, host) {
  const arrived = new Promise((resolve) => {
    server.on("request", (request, answer) => {
      answer.end("Back in the app.");
      if (request.url.startsWith("/callback")) resolve({ address: `${scheme}://${host}${request.url}`, headers: request.headers });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `${scheme}://${host}:${server.address().port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { asked: `${origin}/callback`, arrived: async () => arrived, close };
}

/** What stands at each kind of address, and how its answer is seen there. */
const CLIENTS = {
  "an https address": async () => {
    const client = await listen(createTlsServer(makeCertificate()), "https", "client.localhost");
    return { ...client, registered: client.asked };
  },
  "http on loopback, at a port of its own": async () => {
    const client = await listen(createServer(), "http", "127.0.0.1");
    return { ...client, registered: "http://127.0.0.1/callback" };
  },
  "a private-use scheme": async (page) => {
    // Nothing on this machine opens it: the browser says where it was sent.
    const asked = "com.example.postern-test:/callback";
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Network.enable");
    const arrived = new Promise((resolve) => {
      devtools.on("Network.requestWillBeSent", ({ request }) => {
        if (request.url.startsWith(asked)) resolve({ address: request.url, headers: request.headers });
      });
    });
    return { asked, registered: asked, arrived: async () => arrived, close: () => {} };
  },
};

/** Signs in, opens a client's authorization address, presses a button; gives what then arrived at the client. */
async function decideInBrowser(kind, button) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const client = await CLIENTS[kind](page);
  const { resource, server } = await discover(acme.mcp_url);
  const registration = { client_name: "Clicked", redirect_uris: [client.registered] };
  const { client_id: clientId } = await register(server, registration);
  const { verifier, challenge } = pkce();
  const asked = { clientId, redirectUri: client.asked, challenge, resource: resource.resource, scope: "posts:read", state: STATE };
  await page.goto(await deployment.signInLink(acme));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.goto(authorizationUrl(server, asked));
  assert.match(page.url(), /\/consent\/req_/);
  await page.getByRole("button", { name: button, exact: true }).click({ noWaitAfter: true });
  const arrived = await client.arrived();
  client.close();
  await context.close();
  const exchange = (code) => requestToken(server, { grant_type: "authorization_code", code, redirect_uri: client.asked, client_id: clientId, code_verifier: verifier, resource: resource.resource });
  return { ...arrived, exchange };
}

for (const kind of Object.keys(CLIENTS)) {
  test(`approving sends the code to ${kind}`, async () => {
    const { address, headers, exchange } = await decideInBrowser(kind, "Allow");
    const query = new URL(address).searchParams;
    assert.deepEqual([...query.keys()].sort(), ["code", "iss", "state"]);
    assert.equal(headers.referer, undefined);
    assert.equal(headers.cookie, undefined);
    const token = await exchange(readRedirect(address, { state: STATE, issuer: deployment.origin }));
    assert.equal(token.scope, "posts:read");
  });

  test(`denying tells ${kind} so, and gives nothing away`, async () => {
    const { address } = await decideInBrowser(kind, "Do not allow");
    const query = new URL(address).searchParams;
    assert.deepEqual([...query.keys()].sort(), ["error", "iss", "state"]);
    assert.deepEqual(["error", "iss", "state"].map((name) => query.get(name)), ["access_denied", deployment.origin, STATE]);
  });
}
