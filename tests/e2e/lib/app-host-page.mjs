// Runs in the host's page: puts a view into a sandboxed frame and speaks with it by the official bridge.

import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

let bridge;

globalThis.showView = async ({ html, args, result, context, capabilities }) => {
  await bridge?.close();
  document.body.replaceChildren();
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  document.body.append(frame);
  bridge = new AppBridge(null, { name: "host", version: "1" }, capabilities, { hostContext: context });
  bridge.oncalltool = (params) => globalThis.hostCalled(params);
  bridge.onopenlink = async ({ url }) => {
    await globalThis.hostOpened(url);
    return {};
  };
  bridge.onsizechange = (size) => {
    globalThis.hostSized(size);
    if (size.height) frame.style.height = `${size.height}px`;
  };
  const ready = new Promise((resolve) => (bridge.oninitialized = resolve));
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html;
  await ready;
  await bridge.sendToolInput({ arguments: args });
  await bridge.sendToolResult(result);
};

globalThis.tellContext = (context) => bridge.setHostContext(context);

globalThis.tearDown = () => bridge.teardownResource({});
