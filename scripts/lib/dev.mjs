// scripts/dev: the worker on this machine, with its cron, a first tenant, and all that a person needs to connect.

import { resolve } from "node:path";
import { readOptions, readPort, run } from "./cli.mjs";
import { demo } from "./demo.mjs";
import { readable } from "./output.mjs";
import { Operator } from "./operator.mjs";
import { ownerLink, tenantsOrFirst } from "./tenants.mjs";
import { DEFAULT_PORT, DEFAULT_STATE, keysOf, migrate, noteRunning, requireFree, startWorker } from "./worker.mjs";

const USAGE = `scripts/dev [--port N] [--state DIR] [--demo]

Sets up what is missing, builds, and runs the worker with its cron until Ctrl-C.

  --port N      where it listens (${DEFAULT_PORT})
  --state DIR   databases and keys (${DEFAULT_STATE})
  --demo        drives an official MCP client through sign-in, consent, tools and a scheduled post, prints the post's
                public address, and ends`;

async function main() {
  const { values } = readOptions(USAGE, { port: { type: "string" }, state: { type: "string" }, demo: { type: "boolean" } });
  const port = readPort(values.port, DEFAULT_PORT);
  const state = resolve(values.state ?? DEFAULT_STATE);
  await requireFree(port);
  keysOf(state);
  console.error("databases: applying migrations");
  await migrate(state);
  console.error(`worker: starting on port ${port}`);
  let ending = false;
  const onLine = (line) => {
    const words = ending || values.demo ? undefined : readable(line);
    if (words) console.error(words);
  };
  const worker = await startWorker({ state, port, onLine });
  const interrupted = untilInterrupted();
  try {
    noteRunning(port, state);
    const operator = new Operator({ origin: worker.publicOrigin, keys: worker.keys });
    const [tenant] = await tenantsOrFirst(operator);
    await (values.demo ? Promise.race([runDemo({ worker, operator, tenant }), interrupted]) : serve({ worker, operator, tenant, interrupted }));
  } finally {
    ending = true;
    await worker.stop();
  }
}

async function runDemo(options) {
  let number = 0;
  const url = await demo({ ...options, step: (line) => console.log(`${String((number += 1)).padStart(2)}. ${line}`) });
  console.log(`\nThe post's public address: ${url}`);
}

async function serve({ worker, operator, tenant, interrupted }) {
  console.log(greeting(tenant, await ownerLink(operator, tenant)));
  const cron = everyMinute(() => tick(worker));
  const ended = worker.ended.then(() => {
    throw new Error(`the worker ended:\n${worker.output}`);
  });
  await Promise.race([interrupted, ended]).finally(() => clearTimeout(cron.timer));
  console.error("\nending");
}

async function tick(worker) {
  try {
    const outcome = await worker.fireCron();
    if (outcome !== "ok") console.error(`cron: the tick ended with ${outcome}; ${worker.state}/worker.log tells more`);
  } catch (cause) {
    console.error(`cron: ${cause.message}`);
  }
}

/** Calls `work` at the beginning of each minute, as the platform does. */
function everyMinute(work) {
  const cron = {};
  const next = () => {
    cron.timer = setTimeout(() => {
      next();
      work();
    }, 60_000 - (Date.now() % 60_000));
  };
  next();
  return cron;
}

function untilInterrupted() {
  return new Promise((end) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
  });
}

function greeting({ safename, mcp_url: url }, link) {
  const name = `postern-${safename}`;
  return `
MCP URL        ${url}

Claude Code    claude mcp add --transport http ${name} ${url}
               claude mcp login ${name}
Codex          codex mcp add ${name} --url ${url}
JSON           {"mcpServers": {"${name}": {"type": "http", "url": "${url}"}}}
VS Code        code --add-mcp '{"name": "${name}", "type": "http", "url": "${url}"}'

Sign in once   ${link}
More links     scripts/admin sign-in-link ${safename} EMAIL

The cron fires each minute. Ctrl-C ends everything.
`;
}

run(main);
