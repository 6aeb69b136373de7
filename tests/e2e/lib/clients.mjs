// The clients that people use, each behind the same few moves, so that what all of them must do is written once.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as FirstClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as FirstTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { connect } from "../../../scripts/lib/mcp.mjs";
import { freePort, ROOT } from "../../../scripts/lib/worker.mjs";
import { ClaudeCode } from "./claude-code.mjs";
import { Device } from "./device.mjs";

const MCP_REMOTE = join(ROOT, "node_modules/mcp-remote/dist/proxy.js");
const INSPECTOR = join(ROOT, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");

/**
 * A client at which a member of a tenant has signed in and approved.
 *
 * @typedef {object} Session
 * @property {() => Promise<string[]>} tools the names of the tools that it lists
 * @property {(tool: string, input?: object) => Promise<{isError: boolean, structured: unknown, text: string}>} call what
 *   came of a call; throws where the client gives no result
 * @property {(also?: string[]) => Promise<void>} [login] asks the person once more, who ticks `also` where the client does not
 *   ask for it
 * @property {() => number} asked how often the person was asked
 * @property {() => Promise<Session>} [beside] another process on the same device
 * @property {() => Promise<void>} close
 */

const toResult = ({ isError = false, structuredContent, content }) => ({ isError, structured: structuredContent, text: content.map(({ text }) => text).join("\n") });

/** What any client of the TypeScript libraries does alike. */
const through = (client) => ({
  tools: async () => (await client.listTools()).tools.map(({ name }) => name),
  call: async (name, input = {}) => toResult(await client.callTool({ name, arguments: input })),
  close: () => client.close(),
});

/** The official TypeScript client, with its negotiation of revisions. */
export async function startTypeScript(deployment, tenant, { versionNegotiation, ...options } = {}) {
  const person = deployment.atClient(tenant, { name: "TypeScript client", ...options });
  const client = await connect({ mcpUrl: tenant.mcp_url, person, clientOptions: { versionNegotiation } });
  const login = async () => client.transport.finishAuth(await person.decide());
  return { ...through(client), login, asked: () => person.asked };
}

/** The first generation of the official TypeScript library, which many clients are made of. */
export async function startSdk1(deployment, tenant, options) {
  const person = deployment.atClient(tenant, { name: "SDK 1 client", ...options });
  const open = () => new FirstTransport(new URL(tenant.mcp_url), { authProvider: person });
  const client = new FirstClient({ name: "sdk-1", version: "1.0.0" });
  const first = open();
  const refused = await client.connect(first).catch((cause) => cause);
  if (!(refused instanceof UnauthorizedError)) throw new Error("it was let in without being asked", { cause: refused });
  await first.finishAuth((await person.decide()).get("code"));
  await client.connect(open());
  return { ...through(client), asked: () => person.asked };
}

/** A program that speaks MCP over its standard input, through mcp-remote, which keeps credentials in ~/.mcp-auth. */
export async function startMcpRemote(deployment, tenant, options) {
  const device = await Device.start(deployment, tenant, options);
  const open = async () => {
    const client = new Client({ name: "program", version: "1.0.0" });
    const transport = new StdioClientTransport({ command: process.execPath, args: [MCP_REMOTE, tenant.mcp_url], env: device.env, stderr: "pipe" });
    let said = "";
    transport.stderr.on("data", (chunk) => (said += chunk));
    await client.connect(transport).catch((cause) => {
      device.check();
      throw new Error(`${cause.message}; mcp-remote said:\n${said}`, { cause });
    });
    return { ...through(client), asked: () => device.opened.length, beside: open };
  };
  return open();
}

/** The Inspector's command line, each call a process of its own, on a device without a keychain where nobody sits at a terminal. */
export async function startInspector(deployment, tenant, { era = "legacy", ...options } = {}) {
  const MCP_OAUTH_CALLBACK_URL = `http://127.0.0.1:${await freePort()}/oauth/callback`;
  const env = { MCP_AUTO_OPEN_ENABLED: "true", MCP_INSPECTOR_SECRET_STORE: "file", MCP_OAUTH_CALLBACK_URL };
  const device = await Device.start(deployment, tenant, { ...options, env });
  const run = async (auth, method, ...words) => {
    const asked = ["--cli", tenant.mcp_url, "--transport", "http", "--protocol-era", era, "--format", "json", ...auth, "--method", method, ...words];
    const { status, stdout, stderr } = await device.run(process.execPath, [INSPECTOR, ...asked]);
    if (!stdout) throw new Error(`the Inspector ended with ${status}: ${stderr}`);
    return JSON.parse(stdout).result;
  };
  await run([], "tools/list");
  const stored = ["--stored-auth-only"];
  return {
    tools: async () => (await run(stored, "tools/list")).tools.map(({ name }) => name),
    call: async (tool, input = {}) => toResult(await run(stored, "tools/call", "--tool-name", tool, "--tool-args-json", JSON.stringify(input))),
    // It asks for no more than before; the person ticks what is missing.
    login: async (also) => {
      device.also = also;
      await run(["--relogin"], "tools/list");
    },
    asked: () => device.opened.length,
    close: async () => {},
  };
}

/** Claude Code with a model that does as it is told. */
export async function startClaudeCode(deployment, tenant, options) {
  const claude = await ClaudeCode.start(deployment, tenant, options);
  await claude.login();
  return {
    tools: () => claude.tools(),
    async call(tool, input) {
      const result = await claude.call(tool, input);
      if (!result) throw new Error(`${tool} was not called`);
      const text = typeof result.content === "string" ? result.content : result.content.map((part) => part.text).join("\n");
      return { isError: result.is_error ?? false, structured: result.is_error ? undefined : JSON.parse(text), text };
    },
    login: () => claude.login(),
    asked: () => claude.device.opened.length,
    close: async () => {},
  };
}

/** The official Rust library, with a token that it is given. */
export async function startRmcp(deployment, tenant, { mode }) {
  const program = process.env.RMCP_CLIENT;
  if (!program) throw new Error("RMCP_CLIENT does not say where the client is; scripts/test e2e clients builds it");
  const { access_token } = await deployment.token(tenant);
  const env = { PATH: process.env.PATH, ACCESS_TOKEN: access_token };
  const child = spawn(program, [tenant.mcp_url, mode], { env, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`rmcp ended: ${said}`);
    return JSON.parse(value);
  };
  const ask = (...words) => {
    child.stdin.write(`${JSON.stringify(words)}\n`);
    return hear();
  };
  await hear();
  return {
    tools: async () => (await ask("list")).map(({ name }) => name),
    call: async (tool, input = {}) => toResult(await ask("call", tool, input)),
    asked: () => 0,
    async close() {
      child.stdin.end();
      await once(child, "close");
    },
  };
}
