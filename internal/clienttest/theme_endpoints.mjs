// Methods that the everyday steps leave out, and servers that want to see a mail
// first.

import assert from "node:assert/strict";
import { inferAdditionalFields } from "better-auth/client/plugins";
import { device, isDate, isSignedIn, must, mustFail, newUser, open, openStrict, signIn } from "./scene.mjs";

export const steps = [
  ["ok and error", async (scene) => {
    const { client } = device(scene);
    assert.deepEqual(await must(client.ok()), { ok: true });
    assert.deepEqual(await must(client.$fetch("/ok")), { ok: true });
    const page = await must(client.$fetch("/error", { query: { error: "no_such_thing" } }));
    assert.equal(typeof page, "string");
    assert.ok(page.includes("no_such_thing"));
    const { data, error } = await client.$fetch("/no-such-path");
    assert.equal(data, null);
    assert.deepEqual(error, { status: 404, statusText: "Not Found" });
  }],

  ["additional fields of a user", async (scene) => {
    const fields = { plan: { type: "string", required: false }, trialEnds: { type: "date", required: false } };
    const home = scene.home = open(scene, { plugins: [inferAdditionalFields({ user: fields })] });
    const trialEnds = new Date("2031-02-03T04:05:06.789Z");
    const { user } = await newUser(home, { plan: "free", score: 3, trialEnds, note: "hush" });
    Object.assign(scene, { email: user.email, password: "nanoseconds of wire" });
    const seen = (await must(home.client.getSession())).user;
    for (const u of [user, seen]) {
      assert.equal(u.plan, "free");
      assert.equal(u.score, 3);
      assert.deepEqual(u.trialEnds, trialEnds);
      assert.equal(u.role, "reader");
      assert.ok(!("note" in u), "what is hidden is not sent");
      assert.ok(isDate(u.createdAt) && isDate(u.updatedAt));
    }
    await must(home.client.updateUser({ plan: null, score: 4 }));
    const later = (await must(home.client.getSession())).user;
    assert.equal(later.plan, null);
    assert.equal(later.score, 4);
    await mustFail(home.client.updateUser({ role: "owner" }), 400, "FIELD_NOT_ALLOWED", "role is not allowed to be set");
  }],

  ["update the session", async (scene) => {
    const { client } = scene.home;
    const { session } = await must(client.updateSession({ place: "Rome" }));
    assert.equal(session.place, "Rome");
    assert.ok(isDate(session.expiresAt));
    assert.equal((await must(client.getSession())).session.place, "Rome");
    await mustFail(client.updateSession({ nothing: 1 }), 400, undefined, "No fields to update");
  }],

  ["verify the password", async (scene) => {
    const { client } = scene.home;
    assert.deepEqual(await must(client.verifyPassword({ password: scene.password })), { status: true });
    await mustFail(client.verifyPassword({ password: "wrong password" }), 400, "INVALID_PASSWORD", "Invalid password");
  }],

  ["tokens of an account that has none", async (scene) => {
    const { client } = scene.home;
    const [{ id: accountId }] = await must(client.listAccounts());
    const unsupported = [400, "PROVIDER_NOT_SUPPORTED", "Provider credential is not supported."];
    await mustFail(client.getAccessToken({ accountId }), ...unsupported);
    await mustFail(client.refreshToken({ accountId }), ...unsupported);
    await mustFail(client.accountInfo({ query: { accountId } }), 400, "PROVIDER_NOT_CONFIGURED", "Account is not associated with a configured social provider.");
    await mustFail(client.getAccessToken({ accountId: "nobody's" }), 400, "ACCOUNT_NOT_FOUND", "Account not found");
    await mustFail(client.refreshToken({ accountId: "nobody's" }), 400, "ACCOUNT_NOT_FOUND", "Account not found");
    await mustFail(client.accountInfo({ query: { accountId: "nobody's" } }), 400, "ACCOUNT_NOT_FOUND", "Account not found");
    await mustFail(device(scene).client.getAccessToken({ accountId }), 401, undefined, undefined);
  }],

  ["a session of somebody else cannot be revoked", async (scene) => {
    const stranger = device(scene);
    const { token } = await newUser(stranger);
    assert.deepEqual(await must(scene.home.client.revokeSession({ token })), { status: true });
    assert.ok(await isSignedIn(stranger));
  }],

  ["a page that is loaded again", async (scene) => {
    const { browser } = scene.home;
    const reloaded = open(scene, { browser }); // the page, not the cookies
    assert.equal((await must(reloaded.client.getSession())).user.email, scene.email);
    assert.equal((await must(reloaded.client.getSession({ query: { disableCookieCache: true } }))).user.email, scene.email);
  }],

  ["reset links that lead nowhere", async (scene) => {
    const { client, browser } = device(scene);
    const at = (path) => browser.fetch(`${scene.origin}/api/auth${path}`);
    const callbackURL = encodeURIComponent(`${scene.origin}/choose`);
    const expired = await at(`/reset-password/no-token?callbackURL=${callbackURL}`);
    assert.equal(expired.status, 302);
    assert.equal(expired.headers.get("location"), `${scene.origin}/choose?error=INVALID_TOKEN`);
    await mustFail(client.resetPassword({ newPassword: "a fine password", token: "no-token" }), 400, "INVALID_TOKEN", "Invalid token");
    await mustFail(client.resetPassword({ newPassword: "a fine password" }), 400, "INVALID_TOKEN", "Invalid token");
  }],

  ["change the address to one that cannot be", async (scene) => {
    const { client } = scene.home;
    await mustFail(client.changeEmail({ newEmail: scene.email }), 400, undefined, "Email is the same");
    await mustFail(client.changeEmail({ newEmail: "no address" }), 400, "VALIDATION_ERROR", "[body.newEmail] Invalid email address");
  }],

  ["change an address that was never verified", async (scene) => {
    const { client, browser } = scene.home;
    const next = `hopper.${crypto.randomUUID()}@example.com`;
    assert.deepEqual(await must(client.changeEmail({ newEmail: next, callbackURL: "/changed" })), { status: true });
    const { url } = await scene.mail("verification", next);
    assert.equal((await browser.fetch(url)).headers.get("location"), "/changed");
    assert.equal((await must(client.getSession())).user.email, next);
    scene.email = next;
  }],

  ["delete the user in a fresh session", async (scene) => {
    assert.deepEqual(await must(scene.home.client.deleteUser()), { success: true, message: "User deleted" });
    assert.equal(await isSignedIn(scene.home), false);
    await mustFail(scene.home.client.deleteUser(), 401, "UNAUTHORIZED", "Unauthorized");
  }],

  ["strict: nobody is signed in before the mail is read", async (scene) => {
    const home = scene.home = openStrict(scene);
    const { email, password, token, user } = await newUser(home);
    assert.equal(token, null);
    assert.equal(user.emailVerified, false);
    assert.equal(await isSignedIn(home), false);
    Object.assign(scene, { email, password });
    const first = await scene.mails(scene.strict);
    await mustFail(home.client.signIn.email({ email, password }), 403, "EMAIL_NOT_VERIFIED", "Email not verified");
    assert.equal((await scene.mails(scene.strict)).length, first.length + 1, "the refused sign-in sends another mail");
    const again = await must(openStrict(scene).client.signUp.email({ name: "Mallory", email, password: "another password" }));
    assert.equal(again.token, null, "a known address looks like a new one");
    assert.equal(again.user.email, email);
    assert.notEqual(again.user.id, user.id);
  }],

  ["strict: the link signs in", async (scene) => {
    const { browser } = scene.home;
    const { url, token } = await scene.mail("verification", scene.email, scene.strict);
    const elsewhere = openStrict(scene);
    const verified = await must(elsewhere.client.verifyEmail({ query: { token } }));
    assert.equal(verified.status, true);
    assert.ok(await isSignedIn(elsewhere));
    assert.equal((await browser.fetch(url)).status, 302, "followed twice");
    await signIn(scene, scene.home);
    await mustFail(scene.home.client.sendVerificationEmail({ email: scene.email }),
      400, "EMAIL_ALREADY_VERIFIED", "Email is already verified");
  }],

  ["strict: a session is prolonged by a second request", async (scene) => {
    const { client } = scene.home;
    const read = await must(client.getSession());
    assert.equal(read.needsRefresh, true);
    const prolonged = await must(client.getSession({ fetchOptions: { method: "POST" } }));
    assert.ok(!("needsRefresh" in prolonged) || prolonged.needsRefresh === false);
    assert.ok(prolonged.session.expiresAt >= read.session.expiresAt);
  }],

  ["strict: a reset ends every session", async (scene) => {
    const { client } = openStrict(scene);
    await must(client.requestPasswordReset({ email: scene.email, redirectTo: "/choose" }));
    const { url, token } = await scene.mail("reset", scene.email, scene.strict);
    const link = await scene.home.browser.fetch(url);
    assert.equal(link.headers.get("location"), `${scene.strict}/choose?token=${token}`);
    scene.password = "a password after the reset";
    await must(client.resetPassword({ newPassword: scene.password, token }));
    assert.equal(await isSignedIn(scene.home), false);
    await signIn(scene, scene.home);
  }],

  ["strict: what is not switched on", async (scene) => {
    await mustFail(scene.home.client.changeEmail({ newEmail: "new@example.com" }),
      400, "CHANGE_EMAIL_DISABLED", "Change email is disabled");
  }],

  ["strict: delete the user with the link of a mail", async (scene) => {
    const { client, browser } = scene.home;
    const sent = { success: true, message: "Verification email sent" };
    assert.deepEqual(await must(client.deleteUser({ callbackURL: "/goodbye" })), sent);
    assert.ok(await isSignedIn(scene.home), "nothing happens before the mail is read");
    const { url } = await scene.mail("deletion", scene.email, scene.strict);
    const stranger = openStrict(scene);
    await mustFail(stranger.client.deleteUser.callback({ query: { token: "x" } }), 404, "FAILED_TO_GET_USER_INFO", "Failed to get user info");
    const link = await browser.fetch(url);
    assert.equal(link.status, 302);
    assert.equal(link.headers.get("location"), "/goodbye");
    assert.equal(await isSignedIn(scene.home), false);
    await mustFail(client.signIn.email({ email: scene.email, password: scene.password }),
      401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
  }],

  ...["token", "callback"].map((way) => [`strict: delete the user with a mailed token (${way})`, async (scene) => {
    const home = openStrict(scene);
    const { email, password } = await newUser(home);
    const { token: proof } = await scene.mail("verification", email, scene.strict);
    await must(home.client.verifyEmail({ query: { token: proof } }));
    await must(home.client.deleteUser({ password }));
    const { token } = await scene.mail("deletion", email, scene.strict);
    const use = way === "token"
      ? (token) => home.client.deleteUser({ token })
      : (token) => home.client.deleteUser.callback({ query: { token } });
    await mustFail(use("no-token"), 404, "INVALID_TOKEN", "Invalid token");
    assert.deepEqual(await must(use(token)), { success: true, message: "User deleted" });
    assert.equal(await isSignedIn(home), false);
  }]),
];
