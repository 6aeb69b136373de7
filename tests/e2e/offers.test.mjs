// Beyond tools, on the real runtime with the official client: resources, prompts, completion, and the stream of a long call.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { callTool, deploy } from "./lib/deployment.mjs";
import { png, pngChunk } from "./lib/pictures.mjs";

let deployment;
let tenant;
let client;
let pictures;
before(async () => {
  deployment = await deploy();
  tenant = await deployment.createTenant("acme");
  client = await deployment.client(tenant);
  pictures = await Pictures.start();
});
after(async () => {
  await client?.close();
  await pictures?.stop();
  await deployment?.stop();
});

/** A server of pictures, none of which is quick; some wait until they are let go. */
class Pictures {
  #server;
  #gates = new Map();
  asked = [];

  static async start() {
    const pictures = new Pictures();
    pictures.#server = createServer(async ({ url }, answer) => {
      pictures.asked.push(url);
      await (pictures.#gates.get(url) ?? pause(30));
      answer.writeHead(200, { "content-type": "image/png" }).end(png(pngChunk("tEXt", Buffer.from(`Title\0${url}`))));
    }).listen(0, "127.0.0.1");
    await once(pictures.#server, "listening");
    return pictures;
  }

  url(name) {
    return `http://localhost:${this.#server.address().port}/${name}`;
  }

  /** Holds a picture; gives what lets it go. */
  hold(name) {
    let release;
    this.#gates.set(`/${name}`, new Promise((resolve) => (release = resolve)));
    return release;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

test("what is listed is read, and templates are completed and filled in", async () => {
  const { resources } = await client.listResources();
  assert.ok(resources.length > 0);
  for (const { uri } of resources) {
    const { contents } = await client.readResource({ uri });
    assert.ok(contents.length > 0 && contents.every((one) => one.uri === uri), uri);
  }
  const { post_id: id } = await callTool(client, "create_post", { text: "By its address" });
  const { resourceTemplates } = await client.listResourceTemplates();
  const { uriTemplate } = resourceTemplates.find(({ name }) => name === "post");
  const complete = async (name) => (await client.complete({ ref: { type: "ref/resource", uri: uriTemplate }, argument: { name, value: "" } })).completion.values;
  assert.deepEqual(await complete("workspace"), ["Main"]);
  assert.deepEqual(await complete("post_id"), [id]);
  const { contents } = await client.readResource({ uri: uriTemplate.replace("{workspace}", "Main").replace("{post_id}", id) });
  assert.equal(JSON.parse(contents[0].text).text, "By its address");
  await assert.rejects(client.readResource({ uri: "postern://Main/posts/post_none" }), /-32602|no such resource/);
});

test("prompts are listed and had", async () => {
  const { prompts } = await client.listPrompts();
  assert.deepEqual(prompts.map(({ name }) => name), ["plan_next_week", "article_to_posts", "what_went_wrong", "review_before_publishing"]);
  const { messages } = await client.getPrompt({ name: "plan_next_week", arguments: { theme: "harbours" } });
  assert.match(messages[0].content.text, /harbours/);
});

test("a long call tells its progress on a stream, and ends with its result", async () => {
  const told = [];
  const media = [1, 2, 3].map((side) => ({ url: pictures.url(`told/${side}`) }));
  const result = await client.callTool(
    { name: "create_posts", arguments: { posts: [{ text: "With pictures", media }] } },
    { onprogress: ({ progress, total }) => told.push([progress, total]) },
  );
  assert.equal(result.structuredContent.posts.length, 1);
  assert.deepEqual(told, [[0, 3], [1, 3], [2, 3]]);
});

test("closing the stream cancels what is not written yet", async () => {
  const release = pictures.hold("closed/0");
  const { access_token: token } = await deployment.token(tenant);
  const media = Array.from({ length: 20 }, (_, number) => ({ url: pictures.url(`closed/${number}`) }));
  const call = { name: "create_posts", arguments: { posts: [{ text: "Never made", media }] }, _meta: { progressToken: "t" } };
  const closing = new AbortController();
  const answer = await fetch(tenant.mcp_url, {
    method: "POST",
    signal: closing.signal,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: call }),
  });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const reader = answer.body.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /notifications\/progress/);
  closing.abort();
  await reader.read().catch(() => {});
  // The runtime hears of it when it next writes to the stream, and the call when it next wants to.
  release();
  await deployment.worker.said(/"code":"cancelled"/);
  assert.ok(!pictures.asked.includes("/closed/19"), "the rest of the pictures was not asked for");
  const { posts } = await callTool(client, "list_posts", { text: "Never made" });
  assert.deepEqual(posts, []);
});
