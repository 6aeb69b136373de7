// scripts/token: a token, or an approval, by the real flow.

import { readOptions, readPort, run } from "./cli.mjs";
import { Visitor } from "./forms.mjs";
import { decide, obtainToken } from "./oauth.mjs";
import { Operator } from "./operator.mjs";
import { chooseTenant, ownerLink } from "./tenants.mjs";
import { DEFAULT_PORT, Trouble, existingKeysOf, originsOf, stateOn } from "./worker.mjs";

const USAGE = `scripts/token [--port N] [--tenant T] [--scope "a b"] [--json] [--follow URL] [--state DIR]

Does the real OAuth flow against a running scripts/dev and prints an access token, nothing else.

  --port N        where scripts/dev listens (${DEFAULT_PORT})
  --tenant T      the tenant's safename (the first one)
  --scope "a b"   the capabilities to ask for (those that the server's challenge names)
  --json          the whole token response, with client_id, token_endpoint and resource added
  --follow URL    takes any client's authorization URL instead: signs in as the owner, approves what it asks for, and
                  prints the address that the browser would be sent to, without opening it
  --state DIR     the state directory of that scripts/dev, if it cannot be told from the port`;

async function main() {
  const { values } = readOptions(USAGE, {
    port: { type: "string" },
    tenant: { type: "string" },
    scope: { type: "string" },
    state: { type: "string" },
    follow: { type: "string" },
    json: { type: "boolean" },
  });
  const port = readPort(values.port, DEFAULT_PORT);
  const { publicOrigin } = originsOf(port);
  const follow = values.follow === undefined ? undefined : readAuthorizationUrl(values.follow, publicOrigin);
  const operator = new Operator({ origin: publicOrigin, keys: existingKeysOf(values.state ?? stateOn(port)) });
  const tenant = await chooseTenant(operator, values.tenant ?? (follow && tenantAskedFor(follow)));
  const person = { visitor: new Visitor(), signInLink: () => ownerLink(operator, tenant), tenant: tenant.tenant_id };
  if (follow) {
    console.log(await decide({ ...person, url: follow.href }));
    return;
  }
  const mcpUrl = `${publicOrigin}/${tenant.safename}/mcp`;
  const token = await obtainToken({ ...person, mcpUrl, scope: values.scope });
  console.log(values.json ? JSON.stringify(token, null, 2) : token.access_token);
}

/** A client's authorization URL, which must be one of this deployment. */
function readAuthorizationUrl(text, origin) {
  const hint = `give the address that a client opens in the browser: ${origin}/authorize?...`;
  if (!URL.canParse(text)) throw new Trouble(`--follow: ${text} is not an address`, hint);
  const url = new URL(text);
  if (url.origin !== origin) throw new Trouble(`--follow: ${url.origin} is not the server on that port, ${origin}`, hint);
  if (url.pathname !== "/authorize") throw new Trouble(`--follow: ${text} is not an authorization URL`, hint);
  return url;
}

/** The safename in an authorization URL's resource, if it names one. */
function tenantAskedFor(url) {
  const resource = url.searchParams.get("resource");
  if (!resource) return undefined;
  if (!URL.canParse(resource)) throw new Trouble(`--follow: its resource ${resource} is not an address`, "give the URL as the client made it");
  return new URL(resource).pathname.split("/")[1];
}

run(main);
