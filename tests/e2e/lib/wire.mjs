// Every MCP message that the end-to-end tests exchange, checked against the official JSON schema of its revision: what the
// server sends always, what a client sends where the server took it. Loading this watches the process's own fetch; the gate
// shows it what programs exchange.

import Ajv from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../scripts/lib/worker.mjs";

const ENVELOPE_VERSION = "io.modelcontextprotocol/protocolVersion";
/** What a request that names no revision is read as (2025-06-18, "Protocol Version Header"). */
const UNNAMED = "2025-03-26";

const schemas = new Map();

/** The definitions of a revision: which is whose, and a validator of each. */
function schemaOf(revision) {
  if (!schemas.has(revision)) schemas.set(revision, readSchema(revision));
  return schemas.get(revision);
}

function readSchema(revision) {
  const schema = JSON.parse(readFileSync(join(ROOT, `tests/vendor/mcp-schema/${revision}.json`), "utf8"));
  const definitions = schema.$defs ?? schema.definitions;
  const ajv = new (schema.$defs ? Ajv2020 : Ajv)({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addFormat("byte", true);
  ajv.addSchema(schema, revision);
  const place = schema.$defs ? "$defs" : "definitions";
  const byMethod = new Map();
  const byCode = new Map();
  for (const [name, { properties = {} }] of Object.entries(definitions)) {
    if (properties.method?.const) byMethod.set(properties.method.const, name);
    for (const { properties: error } of properties.error?.allOf ?? []) if (error?.code?.const) byCode.set(error.code.const, name);
  }
  const has = (name) => name in definitions;
  const check = (name, value) => {
    const validate = ajv.getSchema(`${revision}#/${place}/${name}`);
    return validate(value) ? [] : validate.errors.map(({ instancePath, message }) => `${name}${instancePath}: ${message}`);
  };
  return { byMethod, byCode, has, check };
}

/** What is wrong with a message of `revision`; `asked` are the methods of requests by their ids. */
export function violations(revision, message, asked = new Map()) {
  const { byMethod, byCode, has, check } = schemaOf(revision);
  if (Array.isArray(message)) {
    if (revision !== UNNAMED) return ["a batch, which this revision does not have"];
    return message.flatMap((one) => violations(revision, one, asked));
  }
  if (message.method) return check(byMethod.get(message.method) ?? ("id" in message ? "JSONRPCRequest" : "JSONRPCNotification"), message);
  const known = (...names) => names.find(has);
  // Of a request whose id could not be read the error has none; the schemas before 2025-11-25 knew of no such request.
  if (message.error) return check(byCode.get(message.error.code) ?? known("JSONRPCErrorResponse", "JSONRPCError"), { id: 0, ...message });
  const method = asked.get(message.id);
  const own = message.result?.resultType === "input_required" ? "InputRequiredResult" : byMethod.get(method)?.replace(/Request$/, "Result");
  const ofResult = own && has(own) ? check(own, message.result) : [];
  return [...ofResult, ...check(known("JSONRPCResultResponse", "JSONRPCResponse"), message)];
}

/** What was found wrong in this process. */
const found = [];
const pending = new Set();
let observed = 0;

/**
 * Looks at one exchange.
 *
 * @param {object} exchange
 * @param {string} exchange.sent the body of the request
 * @param {(name: string) => string | null | undefined} exchange.header gives a header of the request
 * @param {number} exchange.status
 * @param {string} exchange.type the answer's media type
 * @param {string} exchange.received the answer's body
 */
export function observe({ sent, header, status, type, received }) {
  const request = parsed(sent);
  const answers = type.startsWith("text/event-stream") ? eventsOf(received) : type.startsWith("application/json") ? [parsed(received)] : [];
  if (!answers.some(isMessage)) return;
  const requests = [request].flat().filter((one) => one?.method && one.id !== undefined);
  const revision = revisionOf(requests, header, answers);
  const asked = new Map(requests.map(({ id, method }) => [id, method]));
  const report = (side, message) => {
    observed += 1;
    for (const what of violations(revision, message, asked)) found.push(`${side} (${revision}): ${what} in ${JSON.stringify(message).slice(0, 2_000)}`);
  };
  answers.filter(isMessage).forEach((answer) => report("server", answer));
  const taken = status < 400 && !answers.flat().some((answer) => answer?.error || answer?.result?.isError);
  if (taken && requests.length > 0) report("client", request);
}

const isMessage = (value) => (Array.isArray(value) ? value.every(isMessage) : value?.jsonrpc === "2.0");

/** The revision that an exchange is in: its envelope's, its handshake's, its header's. */
function revisionOf(requests, header, answers) {
  const [request] = requests;
  const settled = answers[0]?.result?.protocolVersion;
  const named = [request?.params?._meta?.[ENVELOPE_VERSION], request?.method === "initialize" ? settled : undefined, header("mcp-protocol-version")];
  return named.find((one) => ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"].includes(one)) ?? (named[0] || /^20[2-9]\d-/.test(named[2] ?? "") ? "2026-07-28" : UNNAMED);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The messages of a stream of events. */
function eventsOf(text) {
  return text
    .split(/\r?\n\r?\n/)
    .map((event) => event.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n"))
    .filter(Boolean)
    .map(parsed);
}

const plainFetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const answer = await plainFetch(input, init);
  const { method = "GET", body, headers } = init ?? {};
  if (method !== "POST" || typeof body !== "string" || !/\/mcp(\/|$)/.test(new URL(input.url ?? input).pathname)) return answer;
  const names = new Headers(headers);
  const type = answer.headers.get("content-type") ?? "";
  const reading = answer
    .clone()
    .text()
    .then((received) => observe({ sent: body, header: (name) => names.get(name), status: answer.status, type, received }))
    // A stream that its reader gives up is looked at by nobody.
    .catch((cause) => cause.name === "AbortError" || found.push(`a message could not be looked at: ${cause.stack}`));
  pending.add(reading.finally(() => pending.delete(reading)));
  return answer;
};

/** Throws what was found wrong since it was last asked; gives how many messages were looked at so far. */
export async function checkExchanged() {
  await Promise.all(pending);
  const wrong = found.splice(0);
  if (wrong.length > 0) throw new Error(`${wrong.length} messages are not of their schema:\n${wrong.slice(0, 10).join("\n")}`);
  return observed;
}
