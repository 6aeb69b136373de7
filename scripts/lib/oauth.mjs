// The whole way of a client to an access token, as the standards tell it: RFC 9728, 8414, 7591, 7636, 8707, 9207.

import { createHash, randomBytes } from "node:crypto";

/** A step of the flow that did not go as the standards say. */
export class FlowError extends Error {}

/**
 * What a client learns from an MCP endpoint that it may not use yet.
 *
 * @param {string} mcpUrl
 * @returns {Promise<{challengeScope: string | undefined, resource: object, server: object}>} the scope that the 401
 *   names, the protected resource's metadata (RFC 9728) and the authorization server's (RFC 8414)
 */
export async function discover(mcpUrl) {
  const answer = await fetch(mcpUrl, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  if (answer.status !== 401) throw new FlowError(`${mcpUrl} without a token answered ${answer.status}, not 401`);
  const challenge = parseChallenge(answer.headers.get("www-authenticate") ?? "");
  if (!challenge.resource_metadata) throw new FlowError("the 401 names no resource_metadata");
  const resource = await getJson(challenge.resource_metadata);
  const issuer = resource.authorization_servers?.[0];
  if (!issuer) throw new FlowError("the protected resource names no authorization server");
  const server = await getJson(serverMetadataUrl(issuer));
  if (server.issuer !== issuer) throw new FlowError(`the metadata of ${issuer} name another issuer: ${server.issuer}`);
  return { challengeScope: challenge.scope, resource, server };
}

/** The parameters of a `WWW-Authenticate: Bearer` challenge (RFC 6750 section 3). */
export function parseChallenge(header) {
  return Object.fromEntries([...header.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

/** Registers a public client (RFC 7591) and gives what the server recorded. */
export async function register(server, metadata) {
  const answer = await fetch(server.registration_endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "native",
      ...metadata,
    }),
  });
  return readAnswer(answer, 201);
}

/** A fresh verifier and its challenge (RFC 7636, S256). */
export function pkce() {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** The address that a client opens in the person's browser. */
export function authorizationUrl(server, { clientId, redirectUri, challenge, resource, scope, state }) {
  const url = new URL(server.authorization_endpoint);
  const query = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: challenge,
    code_challenge_method: "S256",
    resource,
    scope,
    state,
  };
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

/**
 * The person's part: signs in when asked to, then decides on the consent page.
 *
 * @param {object} options
 * @param {import("./forms.mjs").Visitor} options.visitor the person's browser
 * @param {string} options.url the authorization URL of any client
 * @param {() => Promise<string>} options.signInLink gives a fresh one-time link
 * @param {string[]} [options.also] capabilities that are ticked besides those that the client asks for
 * @param {string[]} [options.workspaces] ids of the workspaces to tick; all of them when left out
 * @param {string} [options.tenant] which tenant, if the page asks
 * @param {"approve" | "deny"} [options.decision]
 * @returns {Promise<string>} the address that the browser is sent to in the end; it is not opened
 */
export async function decide({ visitor, url, signInLink, also = [], workspaces, tenant, decision = "approve" }) {
  const home = new URL(url).origin;
  let page = await visitor.follow(url, home);
  if (new URL(page.url).pathname.startsWith("/sign-in")) {
    await signIn(visitor, await signInLink());
    page = await visitor.follow(url, home);
  }
  for (let pages = 0; pages < 3; pages += 1) {
    if (page.location) return page.location;
    if (page.status !== 200) throw new FlowError(`${page.url} answered ${page.status}: ${page.body.slice(0, 300)}`);
    page = await visitor.submit(page, {
      button: `decision=${decision}`,
      tick: {
        workspace: workspaces ?? (() => true),
        capability: (value, ticked) => ticked || also.includes(value),
      },
      fields: tenant === undefined ? {} : { tenant },
    });
    if (page.location && new URL(page.location).origin === home) page = await visitor.follow(page.location, home);
  }
  throw new FlowError(`the consent page ${page.url} does not come to an end`);
}

/** Opens a one-time link and presses its button. */
export async function signIn(visitor, link) {
  const answer = await visitor.submit(await visitor.get(link), { button: "Sign in" });
  if (answer.status !== 303) throw new FlowError(`signing in answered ${answer.status}: ${answer.body.slice(0, 300)}`);
}

/**
 * What the redirect carries for the client, checked as a client must.
 *
 * @throws {FlowError} when the state or the issuer is not ours, or it carries an error
 */
export function readRedirect(address, { state, issuer }) {
  const query = new URL(address).searchParams;
  if (query.get("state") !== state) throw new FlowError("the redirect carries another state");
  if (query.get("iss") !== issuer) throw new FlowError(`the redirect carries another issuer: ${query.get("iss")}`);
  if (query.has("error")) throw new FlowError(`${query.get("error")}: ${query.get("error_description") ?? ""}`);
  return query.get("code");
}

/** Asks the token endpoint; gives its answer, or throws what it refused. */
export async function requestToken(server, parameters) {
  const answer = await fetch(server.token_endpoint, { method: "POST", body: new URLSearchParams(parameters) });
  return readAnswer(answer, 200);
}

/**
 * From nothing to a token: discovery, registration, consent, exchange.
 *
 * @returns {Promise<object>} the token response with `client_id`, `token_endpoint` and `resource` added
 */
export async function obtainToken({ mcpUrl, visitor, signInLink, scope, clientName = "scripts/token", ...person }) {
  const { challengeScope, resource, server } = await discover(mcpUrl);
  const redirectUri = "http://127.0.0.1:9/callback";
  const { client_id: clientId } = await register(server, { client_name: clientName, redirect_uris: [redirectUri] });
  const { verifier, challenge } = pkce();
  const state = randomBytes(16).toString("base64url");
  const url = authorizationUrl(server, {
    clientId,
    redirectUri,
    challenge,
    resource: resource.resource,
    scope: scope ?? challengeScope,
    state,
  });
  const code = readRedirect(await decide({ visitor, url, signInLink, ...person }), { state, issuer: server.issuer });
  const token = await requestToken(server, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    client_id: clientId,
    code_verifier: verifier,
    resource: resource.resource,
  });
  return { ...token, client_id: clientId, token_endpoint: server.token_endpoint, resource: resource.resource };
}

/** Where an issuer's metadata lie: the well-known part goes between host and path (RFC 8414 section 3.1). */
function serverMetadataUrl(issuer) {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname === "/" ? "" : pathname}`;
}

async function getJson(url) {
  return readAnswer(await fetch(url, { redirect: "manual", headers: { accept: "application/json" } }), 200);
}

async function readAnswer(answer, expected) {
  const body = await answer.text();
  if (answer.status !== expected) throw new FlowError(`${answer.url} answered ${answer.status}: ${body.slice(0, 300)}`);
  return JSON.parse(body);
}
