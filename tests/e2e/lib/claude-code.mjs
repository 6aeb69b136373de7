// Claude Code on a device, with a model on loopback that does what the prompt says: no account and no network.

import { once } from "node:events";
import { createServer } from "node:http";
import { Device } from "./device.mjs";

const SERVER = "postern";
const PROMPT = /^Call (\w+) with (.*)$/m;
const NAME_TOOLS = "Name your tools.";

/** The part of Anthropic's Messages API that Claude Code needs: calls the tool that the prompt names, and tells its result; or names its tools. */
export class ObedientModel {
  #server;

  static async start() {
    const model = new ObedientModel();
    model.#server = createServer(async (request, answer) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      if (!/^\/v1\/messages(\?|$)/.test(request.url)) return answer.writeHead(404).end();
      answer.writeHead(200, { "content-type": "text/event-stream" });
      for (const event of events(JSON.parse(body))) answer.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      answer.end();
    }).listen(0, "127.0.0.1");
    await once(model.#server, "listening");
    return model;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A message as it is streamed: one call of a tool, or one text. */
function events({ model, messages, tools = [] }) {
  const parts = messages.flatMap(({ content }) => (typeof content === "string" ? [{ type: "text", text: content }] : content));
  const result = parts.findLast(({ type }) => type === "tool_result");
  const [, name, input] = parts.findLast(({ type, text }) => type === "text" && PROMPT.test(text))?.text.match(PROMPT) ?? [];
  const tool = tools.find((one) => one.name === `mcp__${SERVER}__${name}`);
  const isToName = parts.some(({ type, text }) => type === "text" && text.includes(NAME_TOOLS));
  const words = isToName ? tools.map((one) => one.name) : (result ?? null);
  const [block, delta, stop_reason] =
    tool && !result
      ? [{ type: "tool_use", id: "toolu_1", name: tool.name, input: {} }, { type: "input_json_delta", partial_json: input }, "tool_use"]
      : [{ type: "text", text: "" }, { type: "text_delta", text: JSON.stringify(words) }, "end_turn"];
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = { id: "msg_1", type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null, usage };
  return [
    { type: "message_start", message },
    { type: "content_block_start", index: 0, content_block: block },
    { type: "content_block_delta", index: 0, delta },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage },
    { type: "message_stop" },
  ];
}

/** Claude Code as a member of a tenant has it on a device. */
export class ClaudeCode {
  /**
   * @param {import("./deployment.mjs").Deployment} deployment
   * @param {object} tenant
   * @param {object} options
   * @param {ObedientModel} options.model
   * @param {string} options.clientId the address of its client-ID document, in place of the one at its maker's
   */
  static async start(deployment, tenant, { model, clientId, ...options }) {
    const env = {
      ANTHROPIC_BASE_URL: model.origin,
      ANTHROPIC_API_KEY: "not asked for",
      MCP_OAUTH_CLIENT_METADATA_URL: clientId,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      // The conversation begins with every tool in place: none has to be looked for, none comes later.
      ENABLE_TOOL_SEARCH: "false",
      MCP_CONNECTION_NONBLOCKING: "false",
    };
    const claude = new ClaudeCode();
    claude.device = await Device.start(deployment, tenant, { ...options, env });
    await claude.#run(["mcp", "add", "--transport", "http", SERVER, tenant.mcp_url]);
    return claude;
  }

  /** `claude mcp login`, which wants a terminal; the person approves in the browser. */
  login() {
    return this.#run(["mcp", "login", SERVER], { terminal: true });
  }

  /** How `claude mcp list` says that the connection is. */
  async health() {
    const { stdout } = await this.#run(["mcp", "list"]);
    return stdout.match(new RegExp(`^${SERVER}: .* - (.*)$`, "m"))?.[1];
  }

  /** Has a tool called; gives its result as the model was told it (`content`, `is_error`), or null if it was not called. */
  call(tool, input = {}) {
    return this.#prompt(`Call ${tool} with ${JSON.stringify(input)}`);
  }

  /** The names of the server's tools as the model was given them, in the server's own words. */
  async tools() {
    const prefix = `mcp__${SERVER}__`;
    return (await this.#prompt(NAME_TOOLS)).filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  async #prompt(prompt) {
    const { stdout } = await this.#run(["-p", prompt, "--allowedTools", `mcp__${SERVER}__*`, "--output-format", "json"]);
    return JSON.parse(JSON.parse(stdout).result);
  }

  async #run(args, options) {
    const program = process.env.CLAUDE_CODE;
    if (!program) throw new Error("CLAUDE_CODE does not say where Claude Code is; scripts/test e2e clients fetches it");
    const said = await this.device.run(program, args, options);
    if (said.status !== 0) throw new Error(`claude ${args[0]} ${args[1]} ended with ${said.status}: ${said.stdout}${said.stderr}`);
    return said;
  }
}
