// The worker's output, for a person's eyes.

// Wrangler's own remarks that tell a developer of Postern nothing; the worker's events tell of requests.
const NOISE = [
  /^\s*$/,
  /^\s*[─⛅⎔🪵]/u,
  /^(env\.|Binding |Your Worker has access|Using (vars|secrets) defined)/,
  /Request\.cf|workers\.cloudflare\.com|GetAddrInfoReqWrap/,
  /Scheduled Workers are not automatically triggered|To manually trigger a scheduled event|cdn-cgi\/local\/scheduled|For more details, see/,
  /^\[wrangler:info\] (Ready on|GET|POST|PUT|DELETE|OPTIONS|HEAD) ?/,
];
const COLOURS = /\u001b\[[0-9;]*m/g;

/**
 * One line of output as it is shown, or nothing if it is not worth showing. The worker's events are JSON lines; they
 * become `HH:MM:SS kind name=value …`.
 */
export function readable(coloured) {
  const line = coloured.replace(COLOURS, "");
  const event = parseEvent(line);
  if (event) return showEvent(event);
  return NOISE.some((noise) => noise.test(line)) ? undefined : line.replace(/^\[wrangler:(\w+)\] /, "");
}

function parseEvent(line) {
  const start = line.indexOf("{");
  if (start < 0 || !line.endsWith("}")) return undefined;
  try {
    return JSON.parse(line.slice(start));
  } catch {
    return undefined;
  }
}

function showEvent(event) {
  const { kind, event: name, at, time, ...rest } = event;
  const when = new Date(at ?? time ?? Date.now()).toTimeString().slice(0, 8);
  const facts = Object.entries(rest)
    .filter(([, value]) => value !== null && value !== "")
    .map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`);
  return [when, kind ?? name ?? "event", ...facts].join(" ");
}
