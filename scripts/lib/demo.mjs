// scripts/dev --demo: one post, from an assistant that knows only an address, to its public page.

import { setTimeout as pause } from "node:timers/promises";
import { Visitor } from "./forms.mjs";
import { callTool, connect } from "./mcp.mjs";
import { ownerLink } from "./tenants.mjs";

const SOON = "PT40S";
const PATIENCE_MS = 180_000;

/**
 * Drives the official client through the main job against a running worker.
 *
 * @param {object} options
 * @param {import("./worker.mjs").Worker} options.worker
 * @param {import("./operator.mjs").Operator} options.operator
 * @param {{safename: string, owner_email: string, mcp_url: string}} options.tenant
 * @param {(line: string) => void} options.step gets one line per step
 * @returns {Promise<string>} the post's public address
 */
export async function demo({ worker, operator, tenant, step }) {
  const client = await connect({
    mcpUrl: tenant.mcp_url,
    visitor: new Visitor(),
    signInLink: () => ownerLink(operator, tenant),
    also: ["posts:publish"],
    onStep: step,
  });
  try {
    const url = await publishOne(client, worker, step);
    await readPublicly(url, step);
    return url;
  } finally {
    await client.close();
  }
}

async function publishOne(client, worker, step) {
  const { tools } = await client.listTools();
  step(`tools/list: ${tools.length} tools`);
  const body = { profiles: ["wall"], text: `Hello from an assistant, ${new Date().toISOString()}` };
  const preview = await callTool(client, "preview_post", body);
  step(`preview_post: ${preview.ready ? "ready" : "not ready"}; ${preview.profiles.map(previewed).join("; ")}`);
  const draft = await callTool(client, "create_post", body);
  step(`create_post: ${draft.post_id} is ${draft.status}`);
  const scheduled = await callTool(client, "schedule_post", { post_id: draft.post_id, when: SOON });
  step(`schedule_post: ${scheduled.status}, ${scheduled.when?.words}`);
  const published = await untilPublished(client, worker, draft.post_id, step);
  return published.deliveries[0].url;
}

/** Fires the cron as the platform would, until the post has come to an end. */
async function untilPublished(client, worker, post_id, step) {
  const deadline = Date.now() + PATIENCE_MS;
  let last;
  for (;;) {
    const outcome = await worker.fireCron();
    const post = await callTool(client, "get_post", { post_id });
    if (post.status !== last) step(`cron: ${outcome}; get_post: ${post.status}`);
    last = post.status;
    if (post.status === "published") return post;
    if (!["scheduled", "publishing"].includes(post.status) || Date.now() > deadline) {
      throw new Error(`the post is ${post.status}: ${summary(post.deliveries)}`);
    }
    await pause(5_000);
  }
}

async function readPublicly(url, step) {
  const answer = await fetch(url);
  const body = await answer.text();
  if (answer.status !== 200 || !body.includes("Hello from an assistant")) throw new Error(`${url} answered ${answer.status}`);
  step(`GET ${url}: ${answer.status}, with the post's text`);
}

function previewed({ network, parts }) {
  return `${network}: ${parts.map(({ count, limit }) => `${count} of ${limit}`).join(", ")} characters`;
}

function summary(deliveries = []) {
  return deliveries.map(({ network, profile, status, count, limit, problem }) => {
    const measure = count === undefined ? "" : `, ${count}${limit ? ` of ${limit}` : ""}`;
    return `${network ?? profile} ${status ?? ""}${measure}${problem ? `, ${JSON.stringify(problem)}` : ""}`;
  }).join("; ");
}
