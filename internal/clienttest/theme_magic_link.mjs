// The plugin magic-link: signing in by a link in a mail.

import assert from "node:assert/strict";
import { magicLinkClient } from "better-auth/client/plugins";
import { isDate, isSignedIn, must, mustFail, near, newUser, openPlugins } from "./scene.mjs";

const device = (scene) => openPlugins(scene, [magicLinkClient()]);
const someAddress = () => `mary.${crypto.randomUUID()}@example.com`;
const targets = { callbackURL: "/in", newUserCallbackURL: "/welcome", errorCallbackURL: "/oops?a=b" };
const invalidToken = "/oops?a=b&error=INVALID_TOKEN";

// ask has a link sent and returns its mail.
async function ask(scene, { client }, email, options = targets) {
  assert.deepEqual(await must(client.signIn.magicLink({ email, ...options })), { status: true });
  return scene.mail("magic link", email, scene.plugins);
}

// follow opens a link and returns where it leads, within the site.
async function follow(scene, { browser }, url) {
  const response = await browser.fetch(url);
  assert.equal(response.status, 302, await response.text());
  const target = response.headers.get("location");
  assert.ok(target.startsWith(scene.plugins), target);
  return target.slice(scene.plugins.length);
}

export const steps = [
  ["magic link: what is sent", async (scene) => {
    scene.home = device(scene);
    scene.email = someAddress();
    const { url, token } = scene.link = await ask(scene, scene.home, scene.email, { name: "Mary Somerville", ...targets });
    assert.match(token, /^[a-zA-Z]{32}$/);
    const query = new URLSearchParams({ token, ...targets });
    assert.equal(url, `${scene.plugins}/api/auth/magic-link/verify?${query}`);
    assert.equal(await isSignedIn(scene.home), false);
  }],

  ["magic link: the first makes a user", async (scene) => {
    assert.equal(await follow(scene, scene.home, scene.link.url), "/welcome");
    const { user, session } = await must(scene.home.client.getSession());
    assert.deepEqual([user.email, user.name, user.emailVerified], [scene.email, "Mary Somerville", true]);
    assert.ok(near(session.expiresAt, 7 * 24 * 60 * 60));
    scene.user = user;
  }],

  ["magic link: it is good once", async (scene) => {
    const thief = device(scene);
    assert.equal(await follow(scene, thief, scene.link.url), invalidToken);
    assert.equal(await isSignedIn(thief), false);
  }],

  ["magic link: the next signs in", async (scene) => {
    const phone = device(scene);
    const { url } = await ask(scene, phone, scene.email.toUpperCase());
    assert.equal(await follow(scene, phone, url), "/in");
    assert.deepEqual((await must(phone.client.getSession())).user, scene.user);
  }],

  ["magic link: without targets it leads home", async (scene) => {
    const phone = device(scene);
    const { url } = await ask(scene, phone, scene.email, {});
    assert.equal(await follow(scene, phone, url), "/");
    assert.equal(await follow(scene, phone, url), "/?error=INVALID_TOKEN");
  }],

  ["magic link: verified by the client", async (scene) => {
    const phone = device(scene);
    const { token } = await ask(scene, phone, scene.email, {});
    const data = await must(phone.client.magicLink.verify({ query: { token } }));
    assert.deepEqual(Object.keys(data).sort(), ["session", "token", "user"]);
    assert.deepEqual(data.user, scene.user);
    assert.equal(data.token, data.session.token);
    assert.ok(isDate(data.session.expiresAt));
    assert.deepEqual((await must(phone.client.getSession())).session, data.session);
    await mustFail(phone.client.magicLink.verify({ query: { token } }), 302, undefined, undefined);
  }],

  ["magic link: requests that send nothing", async (scene) => {
    const { client } = device(scene);
    const before = (await scene.mails(scene.plugins)).length;
    await mustFail(client.signIn.magicLink({ email: "no address" }), 400, "VALIDATION_ERROR", "[body.email] Invalid email address");
    for (const [field, code] of [
      ["callbackURL", "INVALID_CALLBACK_URL"],
      ["newUserCallbackURL", "INVALID_NEW_USER_CALLBACK_URL"],
      ["errorCallbackURL", "INVALID_ERROR_CALLBACK_URL"],
    ]) {
      await mustFail(client.signIn.magicLink({ email: scene.email, [field]: "https://evil.example/" }), 403, code, `Invalid ${field}`);
    }
    assert.equal((await scene.mails(scene.plugins)).length, before);
  }],

  ["magic link: links that lead elsewhere", async (scene) => {
    const phone = device(scene);
    const { token } = await ask(scene, phone, scene.email);
    const verify = (query) => phone.client.magicLink.verify({ query });
    for (const field of Object.keys(targets)) {
      await mustFail(verify({ token, [field]: "https://evil.example/" }), 403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
    }
    await mustFail(verify({}), 400, "VALIDATION_ERROR", "[query.token] Invalid input: expected string, received undefined");
    assert.equal(await isSignedIn(phone), false);
    await must(verify({ token }));
  }],

  ["magic link: who has not proved an address loses it", async (scene) => {
    const squatter = device(scene);
    const { email, password, user } = await newUser(squatter);
    const owner = device(scene);
    const { url } = await ask(scene, owner, email);
    assert.equal(await follow(scene, owner, url), "/in");
    const now = await must(owner.client.getSession());
    assert.deepEqual([now.user.id, now.user.emailVerified], [user.id, true]);
    assert.equal(await isSignedIn(squatter), false);
    await mustFail(squatter.client.signIn.email({ email, password }), 401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
    assert.deepEqual(await must(owner.client.listAccounts()), []);
  }],
];
