// Signing in as a person does it, in a real Chromium: by mail, with a code elsewhere, by passkeys of a virtual
// authenticator; invitations and members; and what axe-core says of every page on the way.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { violations } from "./lib/axe.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { deploy } from "./lib/deployment.mjs";
import { Mailbox, linkIn } from "./lib/mailbox.mjs";

const AUTHENTICATOR = {
  protocol: "ctap2",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};

let mailbox;
let deployment;
let browser;
let tenant;
before(async () => {
  mailbox = await Mailbox.open();
  [deployment, browser] = await Promise.all([deploy({ settings: mailbox.settings }), startChromium()]);
  tenant = await deployment.createTenant("acme");
});
after(async () => {
  await Promise.all([deployment?.stop(), browser?.close()]);
  await mailbox?.close();
});

/** A browser of somebody's own; whatever its pages may not do ends the test. */
async function freshPage() {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) assert.fail(`${page.url()}: ${message.text()}`);
  });
  return page;
}

/** Asks for a link on the sign-in page; gives the code that is shown. */
async function ask(page, email) {
  await page.goto(`${deployment.origin}/sign-in`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("button", { name: "Send me a link" }).click();
  return page.locator(".code").textContent();
}

async function signInByMail(page, email = tenant.owner_email) {
  await ask(page, email);
  await page.goto(linkIn(await mailbox.next(), deployment.origin));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${deployment.origin}/`);
}

async function assertAccessible(page) {
  assert.deepEqual(await violations(page), []);
}

test("a mailed link signs in the browser that asked", async () => {
  const page = await freshPage();
  await page.goto(`${deployment.origin}/account`);
  assert.match(page.url(), /\/sign-in\?next=/);
  await assertAccessible(page);
  await page.getByLabel("E-mail address").fill(tenant.owner_email);
  await page.getByRole("button", { name: "Send me a link" }).click();
  assert.match(await page.locator(".code").textContent(), /^\d{3} \d{3}$/);
  await assertAccessible(page);
  const letter = await mailbox.next();
  assert.deepEqual([letter.to, letter.from, letter.authorization], [[tenant.owner_email], "postern@example.com", "Bearer re_test"]);
  await page.goto(linkIn(letter, deployment.origin));
  await assertAccessible(page);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${deployment.origin}/account`);
  await assertAccessible(page);
  await page.goto(linkIn(letter, deployment.origin));
  assert.equal(await page.getByRole("heading").textContent(), "This link does not work");
  await page.context().close();
});

test("elsewhere the link takes the code of the browser that asked", async () => {
  const [desk, phone] = [await freshPage(), await freshPage()];
  const code = await ask(desk, tenant.owner_email);
  await phone.goto(linkIn(await mailbox.next(), deployment.origin));
  await assertAccessible(phone);
  await phone.getByLabel("Code").fill("12");
  await phone.getByRole("button", { name: "Sign in" }).click();
  await phone.getByText("That is not the code").waitFor();
  await assertAccessible(phone);
  await phone.getByLabel("Code").fill(code);
  await phone.getByRole("button", { name: "Sign in" }).click();
  await phone.waitForURL(`${deployment.origin}/`);
  await Promise.all([desk.context().close(), phone.context().close()]);
});

test("an unknown address gets the same page and no letter", async () => {
  const page = await freshPage();
  assert.match(await ask(page, "nobody@acme.example"), /^\d{3} \d{3}$/);
  // A later letter has come: one to nobody would have been before it.
  await signInByMail(page);
  assert.ok(mailbox.letters.every((letter) => letter.to[0] === tenant.owner_email));
  await page.context().close();
});

test("a passkey is added, signs in without a name, and is refused when copied or not verified", async () => {
  const page = await freshPage();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", { options: AUTHENTICATOR });
  await signInByMail(page);
  await page.goto(`${deployment.origin}/account`);
  await page.getByLabel("Name of the new passkey").fill("My laptop");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("My laptop").waitFor();
  await assertAccessible(page);
  const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
  assert.deepEqual(credentials.map(({ rpId, isResidentCredential }) => [rpId, isResidentCredential]), [["localhost", true]]);

  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("This device holds a passkey of yours already.").waitFor();

  const signOut = () => page.getByRole("navigation").getByRole("button", { name: "Sign out" }).click();
  await signOut();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.waitForURL(`${deployment.origin}/`);
  assert.match(await page.getByRole("main").textContent(), /Signed in as/);
  await page.goto(`${deployment.origin}/account`);
  assert.match(await page.getByRole("main").textContent(), /Signed in by a passkey/);
  await signOut();

  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByText("Nothing was done.").waitFor();
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });

  const [{ credentialId, ...credential }] = (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  assert.ok(credential.signCount > 1, "this authenticator counts");
  await devtools.send("WebAuthn.removeCredential", { authenticatorId, credentialId });
  await devtools.send("WebAuthn.addCredential", { authenticatorId, credential: { credentialId, ...credential, signCount: 0 } });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByText("This passkey does not sign anybody in.").waitFor();
  await assertAccessible(page);
  await page.context().close();
});

test("people are invited, join, change and go", async () => {
  const [owner, guest] = [await freshPage(), await freshPage()];
  await signInByMail(owner);
  await assertAccessible(owner);
  await owner.getByRole("link", { name: "Members of acme" }).click();
  await assertAccessible(owner);
  const invite = owner.getByRole("region", { name: "Invite somebody" });
  await invite.getByLabel("E-mail address").fill("nora@acme.example");
  await invite.getByRole("combobox", { name: "Role" }).selectOption("editor");
  await invite.getByRole("button", { name: "Invite" }).click();
  await owner.getByText("A letter with the link is on its way.").waitFor();
  await assertAccessible(owner);

  await guest.goto(linkIn(await mailbox.next(), deployment.origin));
  await assertAccessible(guest);
  await guest.getByLabel("Your name").fill("Nora New");
  await guest.getByRole("button", { name: "Join" }).click();
  await guest.waitForURL(`${deployment.origin}/`);
  assert.match(await guest.getByRole("main").textContent(), /Nora New/);

  await owner.reload();
  const row = owner.getByRole("listitem").filter({ hasText: "nora@acme.example" });
  await row.getByText("Change").click();
  await row.getByRole("combobox", { name: "Role" }).selectOption("viewer");
  await row.getByRole("button", { name: "Save" }).click();
  await owner.getByText("Changed.").waitFor();
  await guest.goto(`${deployment.origin}/acme/members`);
  assert.match(await guest.getByRole("listitem").filter({ hasText: "Nora" }).textContent(), /viewer/);
  assert.equal(await guest.getByRole("region", { name: "Invite somebody" }).count(), 0);

  await row.getByText("Change").click();
  await row.getByRole("button", { name: "Remove Nora New" }).click();
  await owner.getByText("Removed.").waitFor();
  assert.equal((await guest.reload()).status(), 404);
  await Promise.all([owner.context().close(), guest.context().close()]);
});

test("signing out everywhere signs out other browsers", async () => {
  const [here, there] = [await freshPage(), await freshPage()];
  await there.goto(await deployment.signInLink(tenant));
  await there.getByRole("button", { name: "Sign in" }).click();
  await there.waitForURL(`${deployment.origin}/`);
  await here.goto(await deployment.signInLink(tenant));
  await here.getByRole("button", { name: "Sign in" }).click();
  await here.goto(`${deployment.origin}/account`);
  assert.match(await here.getByRole("main").textContent(), /Chrome on Linux/);
  await here.getByRole("button", { name: "Sign out everywhere" }).click();
  await here.waitForURL(`${deployment.origin}/sign-in`);
  await there.reload();
  assert.match(there.url(), /\/sign-in\?next=/);
  await Promise.all([here.context().close(), there.context().close()]);
});

test("the platform's binding sends letters too", async () => {
  const settings = { MAIL_SENDER: "binding", MAIL_FROM: "postern@example.com" };
  const bound = await deploy({ settings, bindings: '[[send_email]]\nname = "EMAIL"\n' });
  try {
    const other = await bound.createTenant("acme");
    const body = new URLSearchParams({ email: other.owner_email });
    const answer = await fetch(`${bound.origin}/sign-in`, { method: "POST", body, headers: { "sec-fetch-site": "same-origin" } });
    assert.equal(answer.status, 200);
    // The runtime's stand-in writes the letter's text into a file and names it in the log.
    const [, letter] = await bound.worker.said(/Text:\s+(\/\S+)/);
    assert.match(bound.worker.output, new RegExp(`To:\\s+.*${other.owner_email}`));
    assert.match(readFileSync(letter, "utf8"), new RegExp(`${bound.origin}/sign-in/link/\\S{43}`));
  } finally {
    await bound.stop();
  }
});
