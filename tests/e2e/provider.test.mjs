// Signing in through an organisation's own OpenID provider, a real one, in a real Chromium: set up, linked on the account
// page, used, and refused to whoever is not linked.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "./lib/axe.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { deploy } from "./lib/deployment.mjs";
import { CLIENT_ID, CLIENT_SECRET, Idp, signInThere } from "./lib/idp.mjs";

let deployment;
let browser;
let idp;
let acme;
let globex;
before(async () => {
  [deployment, browser, idp] = await Promise.all([deploy(), startChromium(), Idp.open()]);
  acme = await deployment.createTenant("acme");
  globex = await deployment.createTenant("globex");
  // The owner belongs to another organisation too.
  await deployment.operator.call("invite", { safename: globex.safename, email: acme.owner_email, name: "Owner", role: "editor", approver: false });
});
after(async () => {
  await Promise.all([deployment?.stop(), browser?.close(), idp?.close()]);
});

async function freshPage() {
  const context = await browser.newContext();
  // The provider's own pages ask the web for a font.
  await context.route((url) => !["localhost", "127.0.0.1"].includes(url.hostname), (route) => route.abort());
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    const own = page.url().startsWith(deployment.origin);
    if (own && /Content Security Policy/.test(message.text())) assert.fail(`${page.url()}: ${message.text()}`);
  });
  return page;
}

async function signInByLink(page) {
  await page.goto(await deployment.signInLink(acme));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${deployment.origin}/`);
}

async function assertAccessible(page) {
  assert.deepEqual(await violations(page), []);
}

test("a provider is set up, linked, and signs in for its organisation alone", async () => {
  const page = await freshPage();
  await signInByLink(page);
  await page.getByRole("link", { name: "Sign-in of acme" }).click();
  await assertAccessible(page);
  const form = page.getByRole("region", { name: "Add a provider" });
  const callback = await form.locator("code").first().textContent();
  assert.ok(callback.startsWith(`${deployment.origin}/acme/sign-in/idp_`), callback);
  idp.accept(callback);
  await form.getByLabel("Name on the button").fill("Acme Login");
  await form.getByLabel("Issuer").fill(`${idp.issuer}/other`);
  await form.getByLabel("Client id").fill(CLIENT_ID);
  await form.getByLabel("Client secret").fill(CLIENT_SECRET);
  await form.getByRole("button", { name: "Add the provider" }).click();
  await page.getByRole("alert").waitFor();
  await assertAccessible(page);
  await form.getByLabel("Issuer").fill(idp.issuer);
  await form.getByLabel("Client secret").fill(CLIENT_SECRET);
  await form.getByRole("button", { name: "Add the provider" }).click();
  await page.getByText("Added.").waitFor();
  assert.ok(!(await page.content()).includes(CLIENT_SECRET), "the secret is not shown");
  assert.match(await page.getByRole("main").textContent(), new RegExp(callback));
  await assertAccessible(page);

  await page.getByRole("link", { name: "Account" }).click();
  await page.getByRole("link", { name: "Sign-ins of your organisations" }).click();
  await assertAccessible(page);
  await page.getByRole("link", { name: "Link Acme Login of acme" }).click();
  await signInThere(page, "anna");
  await page.getByText("Linked. From now on you can sign in by it.").waitFor();
  assert.match(await page.getByRole("main").textContent(), /Linked as anna@acme\.example/);
  await assertAccessible(page);
  await page.getByRole("navigation").getByRole("button", { name: "Sign out" }).click();

  await page.goto(`${deployment.origin}/acme/members`);
  await page.getByRole("link", { name: "Sign in through acme" }).click();
  await assertAccessible(page);
  await page.getByRole("link", { name: "Sign in with Acme Login" }).click();
  // The provider knows the browser still, and asks nothing.
  await page.waitForURL(`${deployment.origin}/acme/members`);
  await page.goto(`${deployment.origin}/`);
  const home = await page.getByRole("main").textContent();
  assert.ok(home.includes("/acme/mcp") && !home.includes("/globex/mcp"), home);
  assert.equal((await page.goto(`${deployment.origin}/globex/members`)).status(), 404);
  await page.goto(`${deployment.origin}/account`);
  assert.match(await page.getByRole("main").textContent(), /Signed in through an organisation’s provider/);
  assert.equal(await page.getByRole("button", { name: "Add a passkey" }).count(), 0);
  await assertAccessible(page);
  await page.context().close();
});

test("whoever nobody linked is refused with words", async () => {
  const page = await freshPage();
  await page.goto(`${deployment.origin}/acme/sign-in`);
  await page.getByRole("link", { name: "Sign in with Acme Login" }).click();
  await signInThere(page, "mallory");
  await page.getByText("Nobody here is linked to this sign-in.").waitFor();
  await assertAccessible(page);
  await page.goto(`${deployment.origin}/`);
  assert.match(page.url(), /\/sign-in/);
  await page.context().close();
});

test("an answer that is opened in another browser signs nobody in", async () => {
  const [own, other] = [await freshPage(), await freshPage()];
  await own.goto(`${deployment.origin}/acme/sign-in`);
  await own.getByRole("link", { name: "Sign in with Acme Login" }).click();
  const stolen = idp.withhold();
  await signInThere(own, "anna");
  assert.equal((await other.goto(await stolen)).status(), 400);
  await other.goto(`${deployment.origin}/`);
  assert.match(other.url(), /\/sign-in/);
  await Promise.all([own.context().close(), other.context().close()]);
});

test("an organisation without a provider looks like none", async () => {
  const page = await freshPage();
  const words = async (name) => {
    await page.goto(`${deployment.origin}/${name}/sign-in`);
    return (await page.getByRole("main").textContent()).replaceAll(name, "NAME");
  };
  assert.equal(await words("globex"), await words("nowhere"));
  await page.context().close();
});
