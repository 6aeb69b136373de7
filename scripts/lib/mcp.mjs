// The official MCP client as an assistant would use it: its own OAuth, with a person at the consent page.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { randomBytes } from "node:crypto";
import { decide } from "./oauth.mjs";

const REDIRECT_URL = "http://127.0.0.1:9/callback";

/** How a client of a name describes itself, in a registration or in a document of its own. */
export function describeClient(name) {
  return {
    client_name: name,
    redirect_uris: [REDIRECT_URL],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
}

/**
 * What a client of the official libraries keeps between its steps, in memory (their OAuthClientProvider), and the person
 * who is shown the authorization URL.
 */
export class PersonAtBrowser {
  #person;
  #client;
  #discovery;
  #tokens;
  #verifier;
  /** How often the person decided. */
  asked = 0;

  /**
   * @param {object} options
   * @param {string} options.name the client's name on the consent page
   * @param {import("./forms.mjs").Visitor} options.visitor the person's browser
   * @param {() => Promise<string>} options.signInLink
   * @param {string[]} [options.also] capabilities ticked besides those that are asked for
   * @param {string} [options.clientMetadataUrl] the address of the client's own document, if it has one
   * @param {(line: string) => void} [options.onStep]
   */
  constructor({ name, visitor, signInLink, also, clientMetadataUrl, onStep = () => {} }) {
    this.#person = { visitor, signInLink, also };
    this.redirectUrl = REDIRECT_URL;
    this.clientMetadata = describeClient(name);
    this.clientMetadataUrl = clientMetadataUrl;
    this.onStep = onStep;
  }

  /** The person's decision about what the client asked for last; gives the parameters of the redirect. */
  async decide() {
    this.asked += 1;
    const callback = new URL(await decide({ ...this.#person, url: this.authorizationUrl }));
    if (callback.searchParams.get("state") !== this.expectedState) throw new Error("the redirect carries another state");
    this.onStep("signed in and approved on the consent page");
    return callback.searchParams;
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
 * @param {PersonAtBrowser} [options.person] one who may have approved before; else made of the other options, which are
 *   its constructor's
 * @param {object} [options.clientOptions] further options of the client
 * @returns {Promise<Client>} connected
 */
export async function connect({ mcpUrl, clientOptions = {}, person, ...options }) {
  const provider = person ?? new PersonAtBrowser({ name: "Demo assistant", ...options });
  const open = async () => {
    const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: provider });
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
  await first.transport.finishAuth(await provider.decide());
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
