// The official MCP client as an assistant would use it: its own OAuth, with a person at the consent page.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { randomBytes } from "node:crypto";
import { decide } from "./oauth.mjs";

/** What the client keeps between its steps, in memory, and the person who is shown the authorization URL. */
class PersonAtBrowser {
  #client;
  #discovery;
  #tokens;
  #verifier;

  constructor({ name, redirectUrl, onStep }) {
    this.redirectUrl = redirectUrl;
    this.clientMetadata = {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
    this.onStep = onStep;
  }

  state() {
    this.expectedState = randomBytes(16).toString("base64url");
    return this.expectedState;
  }

  saveDiscoveryState(discovery) {
    if (!this.#discovery) this.onStep(`answered 401; permission is given by ${discovery.authorizationServerUrl}`);
    this.#discovery = discovery;
  }

  discoveryState() {
    return this.#discovery;
  }

  clientInformation() {
    return this.#client;
  }

  saveClientInformation(information) {
    this.#client = information;
    this.onStep(`registered as ${information.client_id}`);
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens) {
    this.#tokens = tokens;
    this.onStep(`got an access token for: ${tokens.scope}`);
  }

  redirectToAuthorization(url) {
    this.authorizationUrl = url.href;
  }

  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }
}

/**
 * Connects the official client to an MCP endpoint that it knows only the address of.
 *
 * @param {object} options
 * @param {string} options.mcpUrl
 * @param {import("./forms.mjs").Visitor} options.visitor the person's browser
 * @param {() => Promise<string>} options.signInLink
 * @param {string[]} [options.also] capabilities ticked besides those that are asked for
 * @param {string} [options.name] the client's name on the consent page
 * @param {object} [options.clientOptions] further options of the client
 * @param {(line: string) => void} [options.onStep]
 * @returns {Promise<Client>} connected
 */
export async function connect({ mcpUrl, visitor, signInLink, also, name = "Demo assistant", clientOptions = {}, onStep = () => {} }) {
  const person = new PersonAtBrowser({ name, redirectUrl: "http://127.0.0.1:9/callback", onStep });
  const open = async () => {
    const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: person });
    const client = new Client({ name: "postern-demo", version: "1.0.0" }, { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: "auto" }, ...clientOptions });
    // Whatever the server asks the person to confirm is confirmed.
    client.setRequestHandler("elicitation/create", async () => ({ action: "accept", content: {} }));
    return { client, transport };
  };
  const first = await open();
  try {
    await first.client.connect(first.transport);
    return first.client;
  } catch (cause) {
    if (!(cause instanceof UnauthorizedError)) throw cause;
  }
  const callback = new URL(await decide({ visitor, url: person.authorizationUrl, signInLink, also }));
  if (callback.searchParams.get("state") !== person.expectedState) throw new Error("the redirect carries another state");
  onStep("signed in and approved on the consent page");
  await first.transport.finishAuth(callback.searchParams);
  const second = await open();
  await second.client.connect(second.transport);
  return second.client;
}

/** Calls a tool and gives its structured result; a refusal is thrown with its words. */
export async function callTool(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  if (result.isError) throw new Error(`${name} refused: ${result.content.map((part) => part.text).join(" ")}`);
  return result.structuredContent;
}
