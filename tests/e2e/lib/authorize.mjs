// Loaded ahead of a program that cannot be told a token (`node --import`): puts MCP_TOKEN into each request that it makes
// to MCP_ORIGIN, whichever of node's clients it uses.

import http from "node:http";
import { createRequire } from "node:module";

const { MCP_TOKEN, MCP_ORIGIN } = process.env;
const host = new URL(MCP_ORIGIN).host;
const authorization = `Bearer ${MCP_TOKEN}`;

const plainFetch = globalThis.fetch;
globalThis.fetch = (input, init = {}) => {
  const request = new Request(input, init);
  if (new URL(request.url).host !== host || request.headers.has("authorization")) return plainFetch(input, init);
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set("authorization", authorization);
  return plainFetch(input, { ...init, headers });
};

const plainRequest = http.request;
http.request = (...args) => {
  const request = plainRequest(...args);
  const port = request.port ?? new URL(MCP_ORIGIN).port;
  if (`localhost:${port}` === host && !request.hasHeader("authorization")) request.setHeader("authorization", authorization);
  return request;
};

// The program's own undici, whose clients share one dispatcher.
const { getGlobalDispatcher, setGlobalDispatcher } = createRequire(process.argv[1])("undici");
const authorized = (dispatch) => (options, handler) => {
  // fetch gives a list of names and values in turn, and was seen to above.
  if (Array.isArray(options.headers) || new URL(options.origin).host !== host) return dispatch(options, handler);
  return dispatch({ ...options, headers: { authorization, ...options.headers } }, handler);
};
setGlobalDispatcher(getGlobalDispatcher().compose(authorized));
