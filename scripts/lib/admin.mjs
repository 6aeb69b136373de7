// scripts/admin: a thin client of the operator's door.

import { readOptions, readPort, run } from "./cli.mjs";
import { Operator } from "./operator.mjs";
import { DEFAULT_PORT, existingKeysOf, originsOf, stateOn, Trouble } from "./worker.mjs";

const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

// Each command: its words, what it does, and the call it makes of its positional words and its options.
const COMMANDS = {
  "create-tenant": {
    words: ["SAFENAME", "OWNER_EMAIL"],
    options: "[--name NAME] [--owner-name NAME] [--workspace NAME] [--time-zone ZONE]",
    does: "makes a tenant with a workspace and its Wall; the same again changes nothing",
    call: ([safename, owner_email], options) => [
      "create_tenant",
      {
        safename,
        owner_email,
        name: options.name ?? safename,
        owner_name: options["owner-name"] ?? owner_email,
        workspace: options.workspace ?? "Main",
        time_zone: options["time-zone"] ?? zoneHere(),
      },
    ],
  },
  "list-tenants": { words: [], does: "lists the tenants", call: () => ["list_tenants", {}] },
  "sign-in-link": {
    words: ["SAFENAME", "EMAIL"],
    does: "prints a one-time link with which a member signs in (15 minutes)",
    call: ([safename, email]) => ["create_sign_in_link", { safename, email }],
    show: ({ url }) => url,
  },
  invite: {
    words: ["SAFENAME", "EMAIL"],
    options: "[--name NAME] [--role owner|admin|editor|viewer] [--approver]",
    does: "makes a person a member (editor) and prints their first sign-in link",
    call: ([safename, email], options) => [
      "invite",
      { safename, email, name: options.name ?? email, role: options.role ?? "editor", approver: options.approver ?? false },
    ],
    show: ({ url }) => url,
  },
  status: { words: [], does: "last tick, oldest due delivery, schema versions, unknown outcomes", call: () => ["status", {}] },
  hold: {
    words: ["SHARD", "REASON"],
    does: "stops publishing from a shard until it is released",
    call: ([shard, reason]) => ["hold_shard", { shard: readShard(shard), reason }],
  },
  release: { words: ["SHARD"], does: "lets a shard publish again", call: ([shard]) => ["release_shard", { shard: readShard(shard) }] },
  export: { words: ["SAFENAME"], does: "writes all that a tenant has as JSON lines", call: ([safename]) => ["export_tenant", { safename }], raw: true },
  delete: { words: ["SAFENAME"], does: "deletes a tenant after 30 days' grace", call: ([safename]) => ["delete_tenant", { safename }] },
  restore: { words: ["SAFENAME"], does: "takes a deletion back within its grace", call: ([safename]) => ["restore_tenant", { safename }] },
  "add-client": {
    words: ["NAME"],
    options: "--redirect URL [--redirect URL]… [--jwks-uri URL]",
    does: "registers an OAuth client that does not expire and prints its id; with --jwks-uri it must sign (private_key_jwt)",
    call: ([name], { redirect = [], "jwks-uri": jwks_uri }) => ["add_client", { name, redirect_uris: redirect, jwks_uri }],
    show: ({ client_id }) => client_id,
  },
  "list-clients": { words: [], does: "lists the clients of add-client", call: () => ["list_clients", {}] },
  "remove-client": {
    words: ["CLIENT_ID"],
    does: "removes a client of add-client; its grants end with their access tokens",
    call: ([client_id]) => ["remove_client", { client_id }],
  },
  "rotate-key": {
    words: [],
    does: "wraps every tenant's key with the current root key, until none is left",
    call: () => ["rotate_keys", {}],
    repeat: ({ done, remaining }) => done > 0 && remaining > 0,
  },
};

const USAGE = `scripts/admin COMMAND … [--json] [--port N] [--state DIR] [--origin URL]

${Object.entries(COMMANDS)
  .map(([name, { words, options = "", does }]) => `  ${[name, ...words, options].filter(Boolean).join(" ")}\n      ${does}`)
  .join("\n")}

  --json          the worker's answer as it came
  --port N        a worker on this machine (${DEFAULT_PORT}), as scripts/dev started it
  --state DIR     its state directory, if it cannot be told from the port
  --origin URL    a deployed worker; its root keys are taken from POSTERN_KEYS in the environment`;

async function main() {
  const { values, positionals } = readOptions(
    USAGE,
    {
      json: { type: "boolean" },
      port: { type: "string" },
      state: { type: "string" },
      origin: { type: "string" },
      name: { type: "string" },
      "owner-name": { type: "string" },
      workspace: { type: "string" },
      "time-zone": { type: "string" },
      role: { type: "string" },
      approver: { type: "boolean" },
      redirect: { type: "string", multiple: true },
      "jwks-uri": { type: "string" },
    },
    true,
  );
  const [name, ...words] = positionals;
  const command = findCommand(name, words);
  const [call, fields] = command.call(words, values);
  const operator = operatorFor(values);
  if (command.raw) {
    await writePages(operator, call, fields);
    return;
  }
  let answer;
  do answer = await operator.call(call, fields);
  while (command.repeat?.(answer));
  console.log(values.json ? JSON.stringify(answer, null, 2) : (command.show ?? show)(answer));
}

/** Writes an answer that comes in pages of lines; a page's last line names the next one where more follows. */
async function writePages(operator, call, fields) {
  let next;
  do {
    const lines = (await operator.text(call, next === undefined ? fields : { ...fields, next })).split("\n").filter(Boolean);
    next = nextPage(lines.at(-1));
    if (next !== undefined) lines.pop();
    if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
  } while (next !== undefined);
}

function nextPage(line) {
  const row = line === undefined ? {} : JSON.parse(line);
  return Object.keys(row).length === 1 ? row.next : undefined;
}

function findCommand(name, words) {
  const command = COMMANDS[name];
  if (!command) throw new Trouble(name ? `there is no command ${name}` : "no command was given", USAGE);
  if (words.length !== command.words.length) {
    throw new Trouble(`${name} takes ${command.words.join(" ") || "no further words"}`, "scripts/admin --help lists everything");
  }
  return command;
}

function operatorFor({ origin, port: portText, state }) {
  if (origin === undefined) {
    const port = readPort(portText, DEFAULT_PORT);
    return new Operator({ origin: originsOf(port).publicOrigin, keys: existingKeysOf(state ?? stateOn(port)) });
  }
  const keys = process.env.POSTERN_KEYS;
  if (!keys) throw new Trouble("POSTERN_KEYS is not set", "put the deployment's root keys into the environment");
  return new Operator({ origin, keys: JSON.parse(keys) });
}

function readShard(text) {
  if (!/^\d+$/.test(text)) throw new Trouble(`${text} is not a shard`, "shards are numbered: 0 is the first");
  return Number(text);
}

/** An answer for people: `name: value` lines, lists as blocks. */
function show(value, indent = "") {
  if (Array.isArray(value)) return value.length === 0 ? `${indent}none` : value.map((item) => show(item, indent)).join("\n\n");
  if (value === null || typeof value !== "object") return `${indent}${value}`;
  return Object.entries(value)
    .map(([name, item]) => {
      const nested = item !== null && typeof item === "object";
      return nested ? `${indent}${name}:\n${show(item, `${indent}  `)}` : `${indent}${name}: ${item}`;
    })
    .join("\n");
}

run(main);
