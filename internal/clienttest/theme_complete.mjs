// Steps that need the mails of the server and a server without rate limit. They
// begin where the others end: ada is signed in at home.

import assert from "node:assert/strict";
import { device, eventually, isDate, isSignedIn, must, mustFail, near, signIn } from "./scene.mjs";

const day = 24 * 60 * 60;

export const steps = [
  ["errors of a sign-up", async (scene) => {
    const { client } = device(scene);
    const name = "Ada";
    await mustFail(client.signUp.email({ name, email: scene.email, password: scene.password }),
      422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "User already exists. Use another email.");
    await mustFail(client.signUp.email({ name, email: "new@example.com", password: "short" }),
      400, "PASSWORD_TOO_SHORT", "Password too short");
    await mustFail(client.signUp.email({ name, email: "no address", password: scene.password }),
      400, "VALIDATION_ERROR", "[body.email] Invalid email address");
  }],

  ["a request without a session", async (scene) => {
    const { client } = device(scene);
    await mustFail(client.updateUser({ name: "Nobody" }), 401, "UNAUTHORIZED", "Unauthorized");
    const { error } = await client.listSessions();
    assert.equal(error.status, 401);
    assert.equal(error.statusText, "Unauthorized");
  }],

  ["options of the client itself", async (scene) => {
    const seen = [];
    const { client } = device(scene, {
      onError: ({ error }) => seen.push(error.status),
      onSuccess: ({ response }) => seen.push(response.status),
    });
    await client.signIn.email({ email: scene.email, password: "wrong horse battery" });
    await client.getSession();
    assert.deepEqual(seen, [401, 200]);
    await assert.rejects(client.listSessions({ fetchOptions: { throw: true } }), { status: 401 });
  }],

  ["a callback URL is handed back", async (scene) => {
    const data = await signIn(scene, device(scene), { callbackURL: "/welcome" });
    assert.equal(data.redirect, true);
    assert.equal(data.url, "/welcome");
    await mustFail(device(scene).client.signIn.email({
      email: scene.email, password: scene.password, callbackURL: "https://evil.example/",
    }), 403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
  }],

  ["rememberMe: false", async (scene) => {
    const library = device(scene);
    await signIn(scene, library, { rememberMe: false });
    assert.equal(library.browser.cookie("session_token").maxAge, null, "the cookie ends with the browser");
    assert.ok(library.browser.cookie("dont_remember"));
    const { session } = await must(library.client.getSession());
    assert.ok(near(session.expiresAt, day), `expires ${session.expiresAt}`);
  }],

  ["revoke the other sessions", async (scene) => {
    scene.phone = device(scene);
    await signIn(scene, scene.phone);
    assert.deepEqual(await must(scene.home.client.revokeOtherSessions()), { status: true });
    assert.equal(await isSignedIn(scene.phone), false);
    assert.equal((await must(scene.home.client.listSessions())).length, 1);
  }],

  ["change the password and revoke the other sessions", async (scene) => {
    await signIn(scene, scene.phone);
    const before = (await must(scene.home.client.getSession())).session.token;
    const next = "tr0ub4dor and three";
    const data = await must(scene.home.client.changePassword({
      currentPassword: scene.password, newPassword: next, revokeOtherSessions: true,
    }));
    scene.password = next;
    const { session } = await must(scene.home.client.getSession());
    assert.equal(data.token, session.token);
    assert.notEqual(data.token, before, "the session that knew the old password is replaced");
    assert.equal(await isSignedIn(scene.phone), false);
  }],

  ["update the user", async (scene) => {
    const image = "https://example.com/ada.png";
    assert.deepEqual(await must(scene.home.client.updateUser({ name: "Countess", image })), { status: true });
    const { user } = await must(scene.home.client.getSession());
    assert.equal(user.name, "Countess");
    assert.equal(user.image, image);
    await eventually("the atom's new name", () => scene.atom.data?.user.name === "Countess");
    await must(scene.home.client.updateUser({ image: null }));
    assert.equal((await must(scene.home.client.getSession())).user.image, null);
  }],

  ["verify the address", async (scene) => {
    const { client, browser } = scene.home;
    assert.deepEqual(await must(client.sendVerificationEmail({ email: scene.email, callbackURL: "/verified" })), { status: true });
    const mail = await scene.mail("verification", scene.email);
    const response = await browser.fetch(mail.url);
    assert.equal(response.status, 302);
    assert.equal(response.headers.get("location"), "/verified");
    assert.equal((await must(client.getSession())).user.emailVerified, true);
    const { data } = await client.verifyEmail({ query: { token: mail.token } });
    assert.equal(data.status, true, "a link may be followed twice");
    await mustFail(client.verifyEmail({ query: { token: mail.token + "x" } }), 401, "INVALID_TOKEN", "Invalid token");
  }],

  ["change the address", async (scene) => {
    const { client, browser } = scene.home;
    const next = "countess@example.com";
    assert.deepEqual(await must(client.changeEmail({ newEmail: next, callbackURL: "/changed" })), { status: true });
    const confirmation = await scene.mail("confirmation", scene.email);
    assert.equal((await browser.fetch(confirmation.url)).headers.get("location"), "/changed");
    assert.equal((await must(client.getSession())).user.email, scene.email, "the new address has not agreed yet");
    const verification = await scene.mail("verification", next);
    assert.equal((await browser.fetch(verification.url)).headers.get("location"), "/changed");
    scene.email = next;
    const { user } = await must(client.getSession());
    assert.equal(user.email, next);
    assert.equal(user.emailVerified, true);
  }],

  ["reset the password", async (scene) => {
    const { client, browser } = device(scene);
    const redirectTo = `${scene.origin}/choose`;
    const answer = await must(client.requestPasswordReset({ email: scene.email, redirectTo }));
    assert.deepEqual(await must(client.requestPasswordReset({ email: "nobody@example.com", redirectTo })), answer);
    const mail = await scene.mail("reset", scene.email);
    const location = new URL((await browser.fetch(mail.url)).headers.get("location"));
    assert.equal(location.href.split("?")[0], redirectTo);
    const token = location.searchParams.get("token");
    const next = "the fourth password";
    assert.deepEqual(await must(client.resetPassword({ newPassword: next, token })), { status: true });
    await mustFail(client.resetPassword({ newPassword: next, token }), 400, "INVALID_TOKEN", "Invalid token");
    await mustFail(client.signIn.email({ email: scene.email, password: scene.password }),
      401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
    scene.password = next;
    await signIn(scene, device(scene));
  }],

  ["list the accounts", async (scene) => {
    const accounts = await must(scene.home.client.listAccounts());
    assert.equal(accounts.length, 1);
    const { user } = await must(scene.home.client.getSession());
    const [account] = accounts;
    assert.equal(account.providerId, "credential");
    assert.equal(account.userId, user.id);
    assert.equal(account.accountId, user.id);
    assert.deepEqual(account.scopes, []);
    assert.ok(isDate(account.createdAt));
    assert.ok(!("password" in account), "the hash stays in the database");
    await mustFail(scene.home.client.unlinkAccount({ accountId: account.id }),
      400, "FAILED_TO_UNLINK_LAST_ACCOUNT", "You can't unlink your last account");
  }],

  ["the store's signal refetches the session", async (scene) => {
    await must(scene.home.client.$fetch("/update-user", { method: "POST", body: { name: "Ada King" } }));
    assert.notEqual(scene.atom.data.user.name, "Ada King", "$fetch raises no signal");
    scene.home.client.$store.notify("$sessionSignal");
    await eventually("the atom's new name", () => scene.atom.data?.user.name === "Ada King");
  }],

  ["revoke all sessions", async (scene) => {
    assert.deepEqual(await must(scene.home.client.revokeSessions()), { status: true });
    await eventually("the atom's end of the session", () => scene.atom.data === null);
    assert.equal(await isSignedIn(scene.home), false);
  }],

  ["delete the user", async (scene) => {
    await signIn(scene, scene.home);
    await signIn(scene, scene.phone);
    await mustFail(scene.home.client.deleteUser({ password: "wrong horse battery" }), 400, "INVALID_PASSWORD", "Invalid password");
    assert.deepEqual(await must(scene.home.client.deleteUser({ password: scene.password })),
      { success: true, message: "User deleted" });
    assert.equal(await isSignedIn(scene.phone), false, "sessions go with their user");
    await mustFail(scene.home.client.signIn.email({ email: scene.email, password: scene.password }),
      401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
  }],
];
