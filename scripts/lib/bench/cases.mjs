// What is measured: for each case, how one request of it is made to a worker of either kind.

const MODERN = "2026-07-28";
const ABOUT_CLIENT = {
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** Each case: the next request of a subject, how many are under way at once, and the floor's route of the same work. */
export const CASES = {
  "401": { parallel: 4, floor: "bytes", request: ({ paths }) => ({ path: paths.mcp, body: "{}", expect: 401 }) },
  metadata: { parallel: 4, floor: "bytes", request: ({ paths }) => ({ method: "GET", path: paths.metadata }) },
  "tools/list": { parallel: 4, floor: "bytes", request: (subject) => rpc(subject, "tools/list", {}) },
  "tools/list 2025": { parallel: 4, floor: "bytes", request: (subject) => legacyRpc(subject, "tools/list", {}) },
  "tools/call": { parallel: 4, floor: "rows", request: (subject) => rpc(subject, "tools/call", subject.readCall) },
  // A family of refresh tokens is used by one client at a time.
  refresh: { parallel: 1, request: refresh },
};

/** A request of the newest revision. */
export function rpc(subject, method, params) {
  const named = params.name ? { "mcp-name": params.name } : {};
  const headers = { ...mcpHeaders(subject), "mcp-protocol-version": MODERN, "mcp-method": method, ...named };
  return { path: subject.paths.mcp, headers, body: message(method, { ...params, _meta: ABOUT_CLIENT }) };
}

function legacyRpc(subject, method, params) {
  return { path: subject.paths.mcp, headers: mcpHeaders(subject), body: message(method, params) };
}

const message = (method, params) => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

function mcpHeaders({ token }) {
  return {
    authorization: `Bearer ${token.access_token}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
}

function refresh({ paths, token }) {
  const fields = { grant_type: "refresh_token", refresh_token: token.refresh_token, client_id: token.client_id };
  return {
    path: paths.token,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields).toString(),
    // The next request presents what this one gave.
    then: (body) => Object.assign(token, JSON.parse(body)),
  };
}
