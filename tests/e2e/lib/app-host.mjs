// A host of MCP Apps in Chromium: the official bridge on one side of a sandboxed frame, a view of ours on the other, and the
// official client behind the bridge. Its policy for views without declared domains is the specification's.

import { buildSync } from "esbuild";
import { fileURLToPath } from "node:url";

const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' data:; connect-src 'none'";

const bundle = buildSync({
  entryPoints: [fileURLToPath(new URL("./app-host-page.mjs", import.meta.url))],
  bundle: true,
  write: false,
  format: "iife",
  platform: "browser",
}).outputFiles[0].text;

/** A page that hosts one view at a time. */
export class AppHost {
  /** What the view made the host do: addresses to open, tools called, sizes told. */
  opened = [];
  called = [];
  sizes = [];
  /** Addresses that anything on the page asked the network for. */
  requested = [];
  /** Errors and warnings of the console; a policy's violation is told there. */
  said = [];

  static async open(browser, client) {
    const host = new AppHost();
    host.client = client;
    host.context = await browser.newContext();
    const page = (host.page = await host.context.newPage());
    page.on("request", (request) => host.requested.push(request.url()));
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && host.said.push(message.text()));
    page.on("pageerror", (error) => host.said.push(String(error)));
    await page.exposeFunction("hostOpened", (url) => void host.opened.push(url));
    await page.exposeFunction("hostSized", (size) => void host.sizes.push(size));
    await page.exposeFunction("hostCalled", (params) => host.#call(params));
    await page.setContent('<!doctype html><title>Host</title><style>body{margin:0}iframe{border:0;width:100%;height:200px}</style><body></body>');
    await page.addScriptTag({ content: bundle });
    return host;
  }

  #call(params) {
    this.called.push(params);
    return this.client.callTool(params);
  }

  /**
   * Shows a tool's result by the view that the tool names; gives the view's frame.
   *
   * @param {string} name the tool
   * @param {object} args its arguments
   * @param {object} [options]
   * @param {object} [options.context] the host's context, such as its theme
   * @param {object} [options.capabilities] what the host says it can do
   */
  async show(name, args, { context = {}, capabilities = { openLinks: {}, serverTools: {} } } = {}) {
    const { tools } = await this.client.listTools();
    const uri = tools.find((tool) => tool.name === name)._meta.ui.resourceUri;
    const [{ text }] = (await this.client.readResource({ uri })).contents;
    const result = await this.client.callTool({ name, arguments: args });
    const html = text.replace("<head>", `<head><meta http-equiv="Content-Security-Policy" content="${POLICY}">`);
    await this.page.evaluate((given) => globalThis.showView(given), { html, args, result, context, capabilities });
    return this.page.frameLocator("iframe");
  }

  /** The frame itself, for looking at it from within. */
  get frame() {
    return this.page.frames().find((frame) => frame !== this.page.mainFrame());
  }

  tell(context) {
    return this.page.evaluate((context) => globalThis.tellContext(context), context);
  }

  close() {
    return this.context.close();
  }
}
