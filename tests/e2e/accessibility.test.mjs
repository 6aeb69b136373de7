// Every page there is, in the states that people meet it in, looked at with axe-core: no violation of WCAG 2.2 AA in
// light or dark, on a phone or a desk, and nothing to scroll sideways. Which pages there are, the routing table and the
// templates say: one that is not opened here fails the last test.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../../scripts/lib/folders.mjs";
import { Visitor } from "../../scripts/lib/forms.mjs";
import { authorizationUrl, discover, obtainToken, pkce, register, requestToken } from "../../scripts/lib/oauth.mjs";
import { violations } from "./lib/axe.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { callTool, deploy, postMcp } from "./lib/deployment.mjs";
import { Documents } from "./lib/documents.mjs";
import { FileServer } from "./lib/files.mjs";
import { CLIENT_ID, CLIENT_SECRET, Idp, signInThere } from "./lib/idp.mjs";
import { Mailbox, linkIn } from "./lib/mailbox.mjs";
import { patternOf, readPaths, readTemplates } from "./lib/pages.mjs";
import { png } from "./lib/pictures.mjs";
import { Resolver } from "./lib/resolver.mjs";

/** Paths that answer GET with something that is no page. */
const NO_PAGES = [
  "/healthz",
  "/passkeys.js",
  "/.well-known/oauth-authorization-server",
  "/.well-known/oauth-protected-resource/{}/mcp",
  "/{}/mcp",
  "/media/{}/{}/{}",
  "/{}/{}/feed.atom",
  "/{}/{}/feed.json",
];
const VIEWER = "vera.viewer@acme.example";
const LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
const REDIRECT = "http://127.0.0.1:9/callback";

let mailbox;
/** One that sends letters, and one that does not. */
let mailing;
let deployment;
let browser;
let files;
let documents;
let idp;
let resolver;
let acme;
let client;
let workspace;
before(async () => {
  [mailbox, browser, files, documents, idp, resolver] = await Promise.all([
    Mailbox.open(),
    startChromium(),
    FileServer.start(),
    Documents.start(),
    Idp.open(),
    Resolver.start(),
  ]);
  const settings = { DNS_RESOLVER: resolver.address };
  [mailing, deployment] = await Promise.all([deploy({ settings: mailbox.settings }), deploy({ settings, env: documents.env })]);
  acme = await deployment.createTenant("acme");
  await deployment.operator.call("invite", { safename: "acme", email: VIEWER, name: "Vera Viewer", role: "viewer", approver: true });
  client = await deployment.client(acme, { also: ["posts:publish", "social_profiles:write"] });
  [workspace] = (await callTool(client, "whoami", {})).workspaces;
  await deployment.saveSettings(acme, workspace.id, { hold_seconds: "0" });
});
after(async () => {
  await client?.close();
  await Promise.all([mailing?.stop(), deployment?.stop(), browser?.close()]);
  await Promise.all([mailbox?.close(), files?.stop(), documents?.stop(), idp?.close(), resolver?.stop()]);
});

const seen = { paths: new Set(), bodies: [] };

/** Looks at the page that is open; `status` is what it was answered with. */
async function look(page) {
  const { origin, pathname } = new URL(page.url());
  const side = [deployment, mailing].some((one) => one.contentOrigin === origin) ? "Content" : "App";
  seen.paths.add(`${side} ${patternOf(side, pathname)}`);
  seen.bodies.push(await page.content());
  assert.deepEqual(await violations(page), []);
}

async function open(page, address, status = 200) {
  const answer = await page.goto(address);
  assert.equal(answer.status(), status, `${address}\n${await page.locator("body").textContent()}`);
  await look(page);
}

/** Presses a button and looks at what comes; `heading` is on it. Fields are sent as they are, whatever the browser thinks. */
async function press(page, scope, name, heading) {
  await scope.locator("form").evaluateAll((forms) => forms.forEach((form) => (form.noValidate = true)));
  await Promise.all([page.waitForEvent("domcontentloaded"), scope.getByRole("button", { name, exact: true }).first().click()]);
  await page.getByText(heading).first().waitFor();
  await look(page);
}

async function freshPage() {
  const context = await browser.newContext();
  // A provider's own pages ask the web for a font.
  await context.route(({ hostname }) => !["localhost", "127.0.0.1"].includes(hostname), (route) => route.abort());
  // A sandboxed page runs nobody's timers, axe-core's neither.
  await context.route(`${deployment.contentOrigin}/**`, async (route) => {
    const answer = await route.fetch();
    const headers = { ...answer.headers() };
    headers["content-security-policy"] = headers["content-security-policy"].replace(/; sandbox[^;]*/, "");
    await route.fulfill({ response: answer, headers });
  });
  return context.newPage();
}

/** A browser in which a member is signed in. */
async function signedIn(email, where = deployment) {
  const page = await freshPage();
  await page.goto(await where.signInLink(acme, email));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${where.origin}/`);
  return page;
}

const close = (...pages) => Promise.all(pages.map((page) => page.context().close()));

test("signing in by mail", async () => {
  const tenant = await mailing.createTenant("acme");
  const [desk, phone] = [await freshPage(), await freshPage()];
  await desk.goto(`${mailing.origin}/account`);
  await look(desk);
  await desk.getByLabel("E-mail address").fill(`nobody ${LONG_WORD}`);
  await press(desk, desk, "Send me a link", "This is not an e-mail address.");
  await desk.getByLabel("E-mail address").fill(tenant.owner_email);
  await press(desk, desk, "Send me a link", "The link asks there for this code");

  const link = linkIn(await mailbox.next(), mailing.origin);
  await open(phone, link);
  await phone.getByLabel("Code").fill("12");
  await press(phone, phone, "Sign in", "That is not the code");

  await open(desk, link);
  await press(desk, desk, "Sign in", "Your account");
  await open(desk, link, 404);
  await open(desk, `${mailing.origin}/sign-in?again=1&next=%2Faccount`);
  await open(desk, `${mailing.origin}/acme/members`);
  const invite = desk.getByRole("region", { name: "Invite somebody" });
  await invite.getByLabel("E-mail address").fill("nora.new@acme.example");
  await press(desk, invite, "Invite", "A letter with the link is on its way.");
  await close(desk, phone);
});

test("signing in without mail, and the account with a passkey", async () => {
  const page = await freshPage();
  await open(page, `${deployment.origin}/sign-in`);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  await devtools.send("WebAuthn.addVirtualAuthenticator", { options: { ...options, automaticPresenceSimulation: true } });
  await page.goto(await deployment.signInLink(acme));
  await press(page, page, "Sign in", "Your organisations");
  await open(page, `${deployment.origin}/account`);
  await page.getByLabel("Name of the new passkey").fill(LONG_WORD.slice(0, 60));
  await press(page, page, "Add a passkey", LONG_WORD.slice(0, 60));
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("This device holds a passkey of yours already.").waitFor();
  await look(page);
  await close(page);
});

test("members and invitations", async () => {
  const owner = await signedIn();
  const [stranger, viewer] = [await freshPage(), await signedIn(VIEWER)];
  await open(owner, `${deployment.origin}/acme/members`);
  const invite = owner.getByRole("region", { name: "Invite somebody" });
  await invite.getByLabel("E-mail address").fill("no address");
  await press(owner, invite, "Invite", "This is not an e-mail address.");
  await invite.getByLabel("E-mail address").fill(`${LONG_WORD.slice(0, 60)}@acme.example`);
  await press(owner, invite, "Invite", "Hand over this link");
  const link = await owner.locator("pre").textContent();

  await open(stranger, link);
  await press(stranger, stranger, "Join", "Give a name of 1 to 100 characters.");
  await open(viewer, link);
  await open(viewer, `${deployment.origin}/acme/members`);

  await open(owner, `${deployment.origin}/acme/members`);
  await press(owner, owner, `Withdraw the invitation of ${LONG_WORD.slice(0, 60)}@acme.example`, "Withdrawn.");
  await open(stranger, link, 404);

  await deployment.createTenant("other");
  const guest = await freshPage();
  await guest.goto(await deployment.signInLink({ safename: "other", owner_email: "owner@other.example" }));
  await guest.getByRole("button", { name: "Sign in" }).click();
  await invite.getByLabel("E-mail address").fill("owner@other.example");
  await press(owner, invite, "Invite", "Hand over this link");
  await open(guest, await owner.locator("pre").textContent());
  await press(guest, guest, "Join", "Your organisations");
  await close(owner, stranger, viewer, guest);
});

/** Fills the form in which a provider is added, and lets it answer there. */
async function describeProvider(form, { name, issuer = idp.issuer, clientId = CLIENT_ID }) {
  idp.accept(await form.locator("code").textContent());
  await form.getByLabel("Name on the button").fill(name);
  await form.getByLabel("Issuer").fill(issuer);
  await form.getByLabel("Client id").fill(clientId);
  await form.getByLabel("Client secret").fill(CLIENT_SECRET);
}

test("an organisation's providers and domains", async () => {
  const owner = await signedIn();
  const viewer = await signedIn(VIEWER);
  const stranger = await freshPage();
  const address = `${deployment.origin}/acme/providers`;
  await open(owner, address);
  await open(viewer, address);
  await open(owner, `${deployment.origin}/account/providers`);
  await open(stranger, `${deployment.origin}/acme/sign-in`);
  await open(stranger, `${deployment.origin}/acme/sign-in/nothing`, 404);

  await owner.goto(address);
  const adding = owner.getByRole("region", { name: "Add a provider" });
  const add = (heading) => press(owner, adding, "Add the provider", heading);
  const nowhere = `${idp.issuer}/${"realm".repeat(16)}`;
  await describeProvider(adding, { name: "", issuer: nowhere, clientId: LONG_WORD });
  await add("Give a name");
  await describeProvider(adding, { name: "Nowhere", issuer: nowhere });
  await add("does not answer as it should");
  await describeProvider(adding, { name: LONG_WORD.slice(0, 60), clientId: LONG_WORD });
  await add("Added.");
  await describeProvider(adding, { name: "Acme Login" });
  await add("Added.");
  await owner.getByLabel("New client secret").last().fill(CLIENT_SECRET);
  await press(owner, owner, "Replace the secret of Acme Login", "The new secret is used");

  const naming = owner.getByRole("region", { name: "Name a domain" });
  const name = async (domain, heading) => {
    await naming.getByLabel("Domain").fill(domain);
    await press(owner, naming, "Name the domain", heading);
  };
  await name(LONG_WORD, "Give a domain such as");
  await name(`${"m".repeat(63)}.${"n".repeat(63)}.example`, "Named.");
  await name("acme.example", "Named.");
  await press(owner, owner, "Look for the record of acme.example", "The record is not there.");
  const record = owner.getByRole("listitem").filter({ hasText: "_postern.acme.example" });
  const [recordName, text] = await record.locator("code").allTextContents();
  resolver.publish(recordName, text);
  await press(owner, owner, "Look for the record of acme.example", "Proved.");
  await open(viewer, address);
  await close(owner, viewer, stranger);
});

test("linking a provider, and signing in through it", async () => {
  const owner = await signedIn();
  const [stranger, newcomer] = [await freshPage(), await freshPage()];
  await open(owner, `${deployment.origin}/account/providers`);
  await owner.getByRole("link", { name: "Link Acme Login of acme" }).click();
  await signInThere(owner, "anna");
  await owner.getByText("Linked. From now on").waitFor();
  await look(owner);

  await stranger.goto(`${deployment.origin}/acme/members`);
  await look(stranger);
  await stranger.getByRole("link", { name: "Sign in through acme" }).click();
  await look(stranger);
  await stranger.getByRole("link", { name: "Sign in with Acme Login" }).click();
  await signInThere(stranger, acme.owner_email.split("@")[0]);
  await stranger.getByText("Nobody here is linked").waitFor();
  await look(stranger);

  await newcomer.goto(`${deployment.origin}/acme/sign-in`);
  await newcomer.getByRole("link", { name: "Sign in with Acme Login" }).click();
  await signInThere(newcomer, "nora.newcomer");
  await newcomer.waitForURL(`${deployment.origin}/`);
  await look(newcomer);
  await open(newcomer, `${deployment.origin}/account`);
  await open(newcomer, `${deployment.origin}/account/providers`, 403);
  await open(newcomer, `${deployment.origin}/sign-in?again=1&next=%2Facme%2Fmembers`);

  await press(owner, owner, "Unlink Acme Login of acme", "Taken away.");
  await owner.goto(`${deployment.origin}/acme/providers`);
  await owner.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
  await press(owner, owner, "Remove Acme Login", "Removed.");
  await press(owner, owner, "Take away acme.example", "Nobody joins by this domain any more");
  await close(owner, stranger, newcomer);
});

/** The authorization address of a client, as it would open it in the browser. */
async function asking({ name, ...parameters }) {
  const { resource, server } = await discover(acme.mcp_url);
  const metadata = { client_name: name, redirect_uris: [REDIRECT] };
  const { client_id: clientId } = name ? await register(server, metadata) : { client_id: parameters.clientId };
  const { challenge } = pkce();
  return authorizationUrl(server, { clientId, redirectUri: REDIRECT, challenge, resource: resource.resource, state: "s", ...parameters });
}

test("consent, and what an app's request is refused with", async () => {
  const owner = await signedIn();
  await open(owner, await asking({ name: `Zapper ${LONG_WORD}`, scope: "posts:read posts:publish offline_access" }));
  await owner.getByText("Show it fewer tools").click();
  await look(owner);
  await owner.getByRole("checkbox").evaluateAll((boxes) => boxes.forEach((box) => (box.checked = false)));
  await press(owner, owner, "Allow", "Tick at least one");

  // The app that was told to ask for more, and asks.
  const person = { visitor: new Visitor(), signInLink: () => deployment.signInLink(acme) };
  const narrow = await obtainToken({ mcpUrl: acme.mcp_url, scope: "workspace:read posts:read", ...person });
  const create = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "create_post", arguments: { text: "x" } } };
  assert.equal((await postMcp(acme.mcp_url, create, { token: narrow.access_token })).status, 403);
  await open(owner, await asking({ clientId: narrow.client_id, scope: "workspace:read posts:read posts:write" }));
  await owner.getByText("What it may do already, and keeps").waitFor();

  await deployment.operator.call("create_tenant", {
    safename: "bureau",
    name: "Bureau of Ships",
    owner_email: acme.owner_email,
    owner_name: "Owner of acme",
    workspace: "Main",
    time_zone: "Europe/Stockholm",
  });
  await open(owner, await asking({ name: "Undecided", resource: undefined }));
  await press(owner, owner, "Show its workspaces", "The app named none.");

  // A client that is answered on the web or on this machine.
  const callback = `${documents.origin}/callback`;
  const clientId = documents.serve("/client.json", { client_name: "Hosted assistant", redirect_uris: [callback, REDIRECT] });
  await open(owner, await asking({ clientId, redirectUri: callback }));
  await owner.getByText("proven address").waitFor();
  await open(owner, await asking({ clientId }));
  await owner.getByText("Any program on your device can say so.").waitFor();

  const viewer = await signedIn(VIEWER);
  await open(viewer, await asking({ name: "Ambitious", scope: "posts:read posts:write social_profiles:write" }));

  await open(owner, await asking({ clientId: "cli_nobody" }), 400);
  await open(owner, await asking({ name: "No challenge", challenge: undefined }), 400);
  await open(owner, await asking({ name: "Elsewhere", redirectUri: "http://127.0.0.1:9/elsewhere" }), 400);
  await open(owner, `${deployment.origin}/consent/nothing`, 410);
  await close(owner, viewer);
});

test("connected apps", async () => {
  const owner = await signedIn();
  const viewer = await signedIn(VIEWER);
  await open(viewer, `${deployment.origin}/acme/apps`);
  const person = { visitor: new Visitor(), signInLink: () => deployment.signInLink(acme) };
  const mcpUrl = acme.mcp_url;
  const scope = "workspace:read social_profiles:read posts:read posts:write offline_access";
  const token = await obtainToken({ mcpUrl, clientName: "Planner", scope, ...person });
  const { server } = await discover(mcpUrl);
  const refresh = () => requestToken(server, { grant_type: "refresh_token", refresh_token: token.refresh_token, client_id: token.client_id });
  await refresh();
  await refresh();
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call" };
  const post = { name: "create_post", arguments: { text: "Planned ahead", profiles: ["@main"], when: "P3D" } };
  assert.equal((await postMcp(mcpUrl, { ...call, params: post }, { token: token.access_token })).status, 200);
  await open(owner, `${deployment.origin}/acme/apps`);
  assert.match(await owner.getByRole("main").textContent(), /It repeated a refresh token/);

  const planner = owner.getByRole("region", { name: /Planner/ });
  await planner.getByRole("checkbox").evaluateAll((boxes) => boxes.forEach((box) => (box.checked = false)));
  await press(owner, planner, "Narrow", "leave at least one capability");
  await press(owner, planner, "End this connection", "Ended, and still to go out");

  await obtainToken({ mcpUrl, clientName: "Reader", scope: "posts:read", visitor: new Visitor(), signInLink: () => deployment.signInLink(acme, VIEWER) });
  await open(viewer, `${deployment.origin}/acme/apps`);
  await close(owner, viewer);
});

test("personal access tokens", async () => {
  const owner = await signedIn();
  const viewer = await signedIn(VIEWER);
  const address = `${deployment.origin}/acme/tokens`;
  await open(owner, address);
  await open(viewer, address);
  await owner.getByLabel("On, in the header and in addresses").check();
  await press(owner, owner, "Save", "A new token");
  await press(owner, owner, "Make the token", "A new token");
  await owner.getByRole("alert").waitFor();
  for (const [label, kind] of [["Nightly import", "header"], [LONG_WORD.slice(0, 60), "address"]]) {
    await owner.getByLabel("What will use it").fill(label);
    await owner.getByLabel("How it is presented").selectOption(kind);
    await owner.locator("input[name=workspace]").check();
    await press(owner, owner, "Make the token", "Copy this now.");
    await owner.goto(address);
  }
  await press(owner, owner, "Revoke Nightly import", "revoked");
  await close(owner, viewer);
});

test("who did what", async () => {
  const owner = await signedIn();
  const viewer = await signedIn(VIEWER);
  const address = `${deployment.origin}/acme/audit`;
  await open(owner, address);
  await open(owner, `${address}?what=nothing-like-this`);
  await open(owner, `${address}?from=tomorrow`, 400);
  await open(viewer, address, 403);
  await close(owner, viewer);
});

test("settings", async () => {
  const owner = await signedIn();
  const viewer = await signedIn(VIEWER);
  const address = `${deployment.origin}/acme/settings/${workspace.id}`;
  await open(owner, address);
  await owner.getByLabel("Grace for late posts, in minutes").fill("-1");
  await owner.getByLabel("Time zone").fill("Atlantis/Capital");
  await press(owner, owner, "Save", "Grace for late posts");
  assert.equal(await owner.locator(".bad").count(), 2);
  await owner.goto(address);
  await press(owner, owner, "Save", "Saved.");
  await open(viewer, address);
  await close(owner, viewer);
});

/** The address at which an account of a network is connected. */
const connectUrl = async (network) => (await callTool(client, "connect_social_profile", { network })).connect_url;

test("connecting accounts", async () => {
  const owner = await signedIn();
  await open(owner, await connectUrl("bluesky"));
  await owner.getByLabel("Server").fill("https://10.0.0.1");
  await owner.getByLabel("Handle").fill(LONG_WORD);
  await owner.getByLabel("App password").fill("aaaa-bbbb-cccc-dddd");
  await press(owner, owner, "Connect", "Nothing was connected yet.");

  const address = await connectUrl("wall");
  await open(owner, address);
  await press(owner, owner, "Make the Wall", "Nothing was connected yet.");
  await owner.getByLabel("Handle").fill("quiet");
  await owner.getByLabel("Display name").fill(LONG_WORD);
  await press(owner, owner, "Make the Wall", "@quiet is connected");
  await open(owner, address);
  await open(owner, `${deployment.origin}/acme/connect/nothing`, 404);
  await open(owner, `${deployment.contentOrigin}/acme/quiet`);
  await close(owner);
});

test("posts and the Wall", async () => {
  const owner = await signedIn();
  const picture = (name) => ({ url: files.serve(name, png(), "image/png"), alt: "The harbour at noon" });
  const hold = { profiles: ["@main"], text: `The office moves. ${LONG_WORD}\n\nhttps://example.com/${LONG_WORD}`, note: "Ask Ada first." };
  const draft = await callTool(client, "create_post", { ...hold, text: "The harbour office moves. ".repeat(600) });
  const waiting = await callTool(client, "create_post", { ...hold, when: "P3D" });
  const posts = [
    { ...hold, media: [picture("a.png")], thread: [{ text: "Here is why." }], when: "PT1S" },
    { profiles: ["@main"], text: "Three views of it.", media: ["b.png", "c.png", "d.png"].map(picture), when: "PT1S" },
    ...Array.from({ length: 21 }, (_, index) => ({ profiles: ["@main"], text: `Number ${index + 1}`, when: "PT1S" })),
  ];
  const made = (await callTool(client, "create_posts", { posts })).posts;
  const published = await deployment.tickUntil(async () => {
    const { posts: on } = await callTool(client, "list_posts", { status: "published", limit: 50 });
    return on.length === made.length && callTool(client, "get_post", { post_id: made[0].post_id });
  });
  await open(owner, draft.review_url);
  await open(owner, waiting.review_url);
  await open(owner, published.review_url);
  await press(await opened(owner, waiting.review_url), owner, "Cancel: make it a draft again", "Post in");

  const [{ url }] = published.deliveries;
  await open(owner, url);
  const wall = url.slice(0, url.lastIndexOf("/"));
  await open(owner, wall);
  await owner.getByRole("link", { name: "Older posts" }).click();
  await look(owner);
  await open(owner, `${wall}/nothing`, 404);
  await close(owner);
});

async function opened(page, address) {
  await page.goto(address);
  return page;
}

test("what is not there, forged, or too much", async () => {
  const owner = await signedIn();
  await open(owner, `${deployment.origin}/nobody/members`, 404);
  await owner.goto(`${deployment.origin}/account`);
  await owner.locator("input[name=csrf]").evaluateAll((fields) => fields.forEach((field) => (field.value = "forged")));
  await press(owner, owner, "Sign out everywhere", "This form is not valid any more");
  for (let visits = 0; visits < 256; visits += 16) {
    const answers = await Promise.all(Array.from({ length: 16 }, () => fetch(`${deployment.origin}/sign-in`)));
    if (answers.some(({ status }) => status === 429)) break;
  }
  await open(owner, `${deployment.origin}/sign-in`, 429);
  await close(owner);
});

test("every page while the database does not answer", async () => {
  const broken = await deploy({ state: temporaryFolder("unmigrated") });
  try {
    const page = await freshPage();
    await page.context().addCookies([{ name: "postern_session", value: "x".repeat(43), url: broken.origin }]);
    const faces = new Set();
    for (const { origin, pattern } of readPaths()) {
      if (origin !== "App" || NO_PAGES.includes(pattern)) continue;
      const path = pattern.replace("/sign-in/{}", `/sign-in/idp_${"0".repeat(26)}`).replaceAll("{}", "acme");
      const answer = await page.goto(`${broken.origin}${path}`);
      assert.equal(answer.status(), 503, pattern);
      const face = await page.content();
      if (faces.has(face)) continue;
      faces.add(face);
      assert.match(face, /Wait a minute and try again\./, pattern);
      assert.deepEqual(await violations(page), [], pattern);
    }
    assert.ok(faces.size > 0);
    await close(page);
  } finally {
    await broken.stop();
  }
});

test("the rules find what is wrong", async () => {
  const page = await freshPage();
  await page.setContent('<title>Bad</title><p style="color:#999;background:#fff">Pale</p><input><button style="width:9px;height:9px"></button><pre>' + LONG_WORD);
  const found = (await violations(page)).join("\n");
  for (const rule of ["color-contrast", "label", "html-has-lang", "button-name", "375 wide", "pixels too wide"]) assert.match(found, new RegExp(rule));
  await close(page);
});

test("no page was left out", () => {
  const paths = readPaths().map(({ origin, pattern }) => ({ pattern, path: `${origin} ${pattern}` }));
  assert.ok(paths.length > 20, "the routing table was read");
  assert.deepEqual(NO_PAGES.filter((pattern) => !paths.some((path) => path.pattern === pattern)), [], "no such path any more");
  const missing = paths.filter(({ pattern, path }) => !NO_PAGES.includes(pattern) && !seen.paths.has(path));
  assert.deepEqual(missing, [], "these paths have no line above");

  const templates = readTemplates();
  assert.ok(templates.length > 20, "the templates were read");
  const unseen = templates.filter(({ words }) => !seen.bodies.some((body) => body.includes(words)));
  assert.deepEqual(unseen, [], "these templates are on no page above");
});
