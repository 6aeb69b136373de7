// Speaks with the host (MCP Apps 2026-01-26): JSON-RPC 2.0 over messages with the window around this one. All that comes
// from the host or the server is data: it becomes text nodes, never markup.
"use strict";

const host = { capabilities: {}, context: {}, arguments: {} };
const waiting = new Map();
let lastId = 0;

const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");

function ask(method, params) {
  const id = ++lastId;
  send({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** Opens an address outside, where the host does that. */
const openLink = (url) => ask("ui/open-link", { url }).catch(() => {});

/** Calls a tool of the server by way of the host; gives its structured result. */
const callTool = async (name, args) => (await ask("tools/call", { name, arguments: args })).structuredContent;

/** An element with attributes, and children that are elements or plain text. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return made;
}

const list = (kind, items) => items?.length > 0 && element("ul", { class: kind }, items.map((item) => element("li", null, item)));

/** A link that the host opens; plain text where it does not, or where the address is not of the web. */
function link(url, words = url) {
  if (!host.capabilities.openLinks || !/^https?:\/\//.test(url)) return words;
  return element("button", { type: "button", class: "link", onclick: () => openLink(url) }, words);
}

/** Shows nodes in place of what was shown. */
const show = (...nodes) => document.querySelector("main").replaceChildren(...nodes.flat().filter(Boolean));

function showProblems(problems) {
  const said = problems.map(({ message, hint }) => [message, " ", element("span", { class: "hint" }, hint ?? "")]);
  show(element("h1", null, "That did not work"), list("problems", said));
}

function onResult(result) {
  const content = result?.structuredContent;
  if (content?.error) return showProblems(content.error.problems ?? []);
  if (content) return view(content);
  show((result?.content ?? []).map(({ text }) => text && element("p", null, text)));
}

function onContext(context) {
  Object.assign(host.context, context);
  const { style, dataset } = document.documentElement;
  if (context.theme) style.colorScheme = dataset.theme = context.theme;
  for (const [name, value] of Object.entries(context.styles?.variables ?? {})) {
    if (name.startsWith("--") && typeof value === "string") style.setProperty(name, value);
  }
}

const notices = {
  "ui/notifications/tool-input": (params) => (host.arguments = params?.arguments ?? {}),
  "ui/notifications/tool-result": onResult,
  "ui/notifications/tool-cancelled": () => show(element("p", null, "This was called off.")),
  "ui/notifications/host-context-changed": onContext,
};

function onAnswer({ id, result, error }) {
  const one = waiting.get(id);
  waiting.delete(id);
  if (error) one?.reject(error);
  else one?.resolve(result);
}

function onRequest({ id, method }) {
  if (["ping", "ui/resource-teardown"].includes(method)) return send({ id, result: {} });
  send({ id, error: { code: -32601, message: "Method not found" } });
}

addEventListener("message", ({ source, data }) => {
  if (source !== parent || data?.jsonrpc !== "2.0") return;
  if (data.method === undefined) onAnswer(data);
  else if (data.id !== undefined) onRequest(data);
  else notices[data.method]?.(data.params);
});

function tellSize() {
  const { width, height } = document.documentElement.getBoundingClientRect();
  send({ method: "ui/notifications/size-changed", params: { width: Math.ceil(width), height: Math.ceil(height) } });
}

async function begin(name) {
  const answer = await ask("ui/initialize", {
    protocolVersion: "2026-01-26",
    appInfo: { name: `postern-${name}`, version: "1" },
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
  });
  host.capabilities = answer?.hostCapabilities ?? {};
  onContext(answer?.hostContext ?? {});
  send({ method: "ui/notifications/initialized", params: {} });
  new ResizeObserver(tellSize).observe(document.documentElement);
}
