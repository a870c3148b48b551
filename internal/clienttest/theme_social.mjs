// Signing in at an OpenID provider: the client sends the page there, the browser
// comes back by the callback.

import { page } from "./dom.mjs";
import assert from "node:assert/strict";
import { createAuthClient } from "better-auth/react";
import { device, isDate, isSignedIn, must, mustFail, near, newUser, open, openStrict } from "./scene.mjs";

const refuser = "refuser@example.com"; // says no at the provider
const provider = "op";
const targets = { callbackURL: "/in", newUserCallbackURL: "/welcome", errorCallbackURL: "/oops?a=b#c" };

const someAddress = (host = "example.com") => `hedy.${crypto.randomUUID()}@${host}`;

// through takes a browser to the provider and back, and returns where it ends.
async function through({ browser }, url) {
  const away = await browser.fetch(url);
  assert.equal(away.status, 302, await away.text());
  const back = await browser.fetch(away.headers.get("location"));
  assert.equal(back.status, 302, await back.text());
  return back.headers.get("location");
}

// enter signs in at the provider and returns where the browser ends.
async function enter(device, loginHint, options = {}) {
  const { url } = await must(device.client.signIn.social({ provider, loginHint, ...targets, ...options }));
  return through(device, url);
}

// link does the same for an account that is to be the user's.
async function link(device, loginHint, options = {}) {
  const { newUserCallbackURL, ...rest } = targets;
  const { url } = await must(device.client.linkSocial({ provider, loginHint, ...rest, ...options }));
  return through(device, url);
}

// idToken is what an application gets that talks to the provider by itself.
async function idToken(scene, email, claims = {}) {
  const response = await fetch(`${scene.provider}/id_token?${new URLSearchParams({ email, ...claims })}`);
  return response.text();
}

// account returns the user's account at the provider.
async function account({ client }) {
  return (await must(client.listAccounts())).find(({ providerId }) => providerId === provider);
}

// opensAt reports whether the provider takes an access token for its own.
async function opens(scene, token) {
  const response = await fetch(`${scene.provider}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
  return response.status === 200;
}

function stay(scene) {
  page.location.href = `${scene.origin}/`;
}

export const steps = [
  ["requests that begin nothing", async (scene) => {
    const { client } = device(scene);
    await mustFail(client.signIn.social({ provider: "nobody" }), 404, "PROVIDER_NOT_FOUND", "Provider not found");
    await mustFail(client.signIn.social({ callbackURL: "/in" }), 400, "VALIDATION_ERROR", "[body.provider] Invalid input");
    await mustFail(client.signIn.social({ provider, additionalParams: { state: "mine" } }), 400, "VALIDATION_ERROR",
      "[body.additionalParams] additionalParams cannot include reserved OAuth parameters: state, client_id, redirect_uri, response_type, code_challenge, code_challenge_method, nonce, scope");
    for (const [field, code, message] of [
      ["callbackURL", "INVALID_CALLBACK_URL", "Invalid callbackURL"],
      ["newUserCallbackURL", "INVALID_NEW_USER_CALLBACK_URL", "Invalid newUserCallbackURL"],
      ["errorCallbackURL", "INVALID_ERROR_CALLBACK_URL", "Invalid errorCallbackURL"],
    ]) {
      await mustFail(client.signIn.social({ provider, [field]: "https://evil.example/" }), 403, code, message);
    }
    await mustFail(client.linkSocial({ provider }), 401, "UNAUTHORIZED", "Unauthorized");
  }],

  ["the page leaves for the provider", async (scene) => {
    stay(scene);
    scene.home = device(scene);
    scene.email = someAddress();
    const data = await must(scene.home.client.signIn.social({ provider, loginHint: scene.email, ...targets }));
    assert.equal(data.redirect, true);
    assert.equal(page.location.href, data.url);
    assert.ok(data.url.startsWith(`${scene.provider}/authorize?`));
    const query = new URL(data.url).searchParams;
    assert.equal(query.get("redirect_uri"), `${scene.origin}/api/auth/callback/op`);
    assert.equal(query.get("scope"), "openid profile email");
    assert.equal(query.get("login_hint"), scene.email);
    assert.ok(query.get("nonce"));
    assert.equal(await through(scene.home, data.url), "/welcome", "the user is new");
    assert.equal(scene.home.browser.cookie("state"), undefined);
  }],

  ["the page that comes back is signed in", async (scene) => {
    const { user, session } = await must(scene.home.client.getSession());
    assert.equal(user.email, scene.email);
    assert.equal(user.emailVerified, true);
    assert.match(user.name, /^User hedy\./);
    assert.match(user.image, /^https:\/\/op\.example\//);
    assert.ok(near(session.expiresAt, 7 * 24 * 60 * 60));
    scene.user = user;
    const { client } = open(scene, { create: createAuthClient, browser: scene.home.browser });
    const seen = await new Promise((resolve) => {
      client.$store.atoms.session.subscribe((state) => { if (state.data) resolve(state.data); });
    });
    assert.deepEqual(seen.user, user);
  }],

  ["signing in again", async (scene) => {
    scene.phone = open(scene, { create: createAuthClient });
    assert.equal(await enter(scene.phone, scene.email), "/in", "the user is known");
    assert.deepEqual((await must(scene.phone.client.getSession())).user, scene.user);
    assert.equal((await must(scene.phone.client.listSessions())).length, 2);
  }],

  ["disableRedirect", async (scene) => {
    stay(scene);
    const elsewhere = device(scene);
    const data = await must(elsewhere.client.signIn.social({ provider, loginHint: scene.email, disableRedirect: true }));
    assert.equal(data.redirect, false);
    assert.equal(page.location.href, `${scene.origin}/`);
    assert.equal(await through(elsewhere, data.url), scene.origin, "without a callbackURL it is the origin");
    const plain = open(scene, { disableDefaultFetchPlugins: true });
    assert.equal((await must(plain.client.signIn.social({ provider }))).redirect, true);
    assert.equal(page.location.href, `${scene.origin}/`, "a client without the plugin stays");
  }],

  ["scopes and parameters of one request", async (scene) => {
    const { url } = await must(device(scene).client.signIn.social({
      provider, scopes: ["calendar"], additionalParams: { prompt: "consent", login_hint: "somebody" }, additionalData: { plan: "x" },
    }));
    const query = new URL(url).searchParams;
    assert.deepEqual(query.get("scope").split(" ").sort(), ["calendar", "email", "openid", "profile"]);
    assert.equal(query.get("prompt"), "consent");
    assert.equal(query.get("login_hint"), "somebody");
    assert.equal(query.get("plan"), null, "data of the application is not for the provider");
  }],

  ["a user whom only the userinfo endpoint describes", async (scene) => {
    const home = device(scene);
    const email = someAddress();
    assert.equal(await enter(home, email, { scopes: ["sealed"] }), "/welcome");
    assert.equal((await must(home.client.getSession())).user.email, email);
  }],

  ["an answer that the browser posts", async (scene) => {
    const home = device(scene);
    const { url } = await must(home.client.signIn.social({
      provider, loginHint: someAddress(), ...targets, additionalParams: { response_mode: "form_post" },
    }));
    const html = await (await home.browser.fetch(url)).text();
    const form = new page.DOMParser().parseFromString(html, "text/html").querySelector("form");
    const body = new URLSearchParams([...form.querySelectorAll("input")].map(({ name, value }) => [name, value]));
    // It comes from another site, so there are no cookies.
    const posted = await fetch(form.getAttribute("action"), {
      method: "POST", body, redirect: "manual", headers: { origin: scene.provider },
    });
    assert.equal(posted.status, 302);
    const end = await home.browser.fetch(posted.headers.get("location"));
    assert.equal(end.headers.get("location"), "/welcome");
    assert.ok(await isSignedIn(home));
  }],

  ["a user who says no", async (scene) => {
    const home = device(scene);
    assert.equal(await enter(home, refuser), "/oops?a=b&error=access_denied&error_description=The+user+said+no#c");
    const { url } = await must(home.client.signIn.social({ provider, loginHint: refuser }));
    assert.equal(await through(home, url), `${scene.origin}/api/auth/error?error=access_denied&error_description=The+user+said+no`);
    assert.equal(await isSignedIn(home), false);
  }],

  ["callbacks that end no flow", async (scene) => {
    const victim = device(scene);
    const attacker = device(scene);
    const { url } = await must(attacker.client.signIn.social({ provider, loginHint: someAddress(), ...targets }));
    const callback = (await attacker.browser.fetch(url)).headers.get("location");
    const end = async ({ browser }, url) => (await browser.fetch(url)).headers.get("location");
    assert.equal(await end(victim, callback), "/oops?a=b&error=state_mismatch#c", "of another browser");
    assert.equal(await isSignedIn(victim), false);
    assert.equal(await end(attacker, callback), "/welcome");
    const lost = `${scene.origin}/api/auth/error?error=state_mismatch`;
    assert.equal(await end(attacker, callback), lost, "a second time");
    assert.equal(await end(victim, `${scene.origin}/api/auth/callback/op?code=x`), `${scene.origin}/api/auth/error?error=state_not_found`);
    const fresh = await must(victim.client.signIn.social({ provider, loginHint: someAddress(), ...targets }));
    const state = new URL(fresh.url).searchParams.get("state");
    assert.equal(await end(victim, `${scene.origin}/api/auth/callback/op?code=forged&state=${state}`), "/oops?a=b&error=invalid_code#c");
  }],

  ["the accounts", async (scene) => {
    const accounts = await must(scene.home.client.listAccounts());
    assert.equal(accounts.length, 1);
    const [{ id, accountId, providerId, userId, createdAt, updatedAt, scopes, ...rest }] = accounts;
    assert.deepEqual(rest, {}, "no tokens");
    assert.deepEqual([providerId, userId], [provider, scene.user.id]);
    assert.match(accountId, /^subject-/);
    assert.deepEqual(scopes, ["openid", "profile", "email"]);
    assert.ok(isDate(createdAt) && isDate(updatedAt));
    Object.assign(scene, { accountId: id, subject: accountId });
  }],

  ["what the provider says of the account", async (scene) => {
    const { client } = scene.home;
    const { user, data, account } = await must(client.accountInfo({ query: { accountId: scene.accountId } }));
    const { name, email, image, emailVerified } = scene.user;
    assert.deepEqual({ name, email, image, emailVerified }, user);
    assert.deepEqual([data.sub, data.iss, data.aud], [scene.subject, scene.provider, "app"]);
    assert.deepEqual(account, { id: scene.accountId, providerId: provider, accountId: scene.subject });
    await mustFail(client.accountInfo({ query: { accountId: scene.subject } }), 400, "ACCOUNT_NOT_FOUND", "Account not found");
    await mustFail(client.accountInfo({ query: {} }), 400, "VALIDATION_ERROR", "[query] Invalid input");
  }],

  ["an access token", async (scene) => {
    const { client } = scene.home;
    const { accessToken, accessTokenExpiresAt, scopes, idToken, ...rest } = await must(client.getAccessToken({ accountId: scene.accountId }));
    assert.deepEqual(rest, {});
    assert.ok(await opens(scene, accessToken));
    assert.ok(near(accessTokenExpiresAt, 3600), `expires ${accessTokenExpiresAt}`);
    assert.deepEqual(scopes, ["openid", "profile", "email"]);
    assert.equal(idToken.split(".").length, 3);
    const again = await must(client.getAccessToken({ accountId: scene.accountId }));
    assert.equal(again.accessToken, accessToken);
    await mustFail(client.getAccessToken({ useAccountCookie: true }), 400, "ACCOUNT_NOT_FOUND", "Account not found");
    await mustFail(client.getAccessToken({ accountId: scene.accountId, more: 1 }), 400, "VALIDATION_ERROR", '[body] Unrecognized key: "more"');
  }],

  ["an access token that has expired", async (scene) => {
    const home = device(scene);
    await enter(home, someAddress(), { scopes: ["brief"] });
    const { id: accountId } = await account(home);
    const first = await must(home.client.getAccessToken({ accountId }));
    assert.ok(near(first.accessTokenExpiresAt, 3600) && await opens(scene, first.accessToken), "it is a new one");
    assert.equal((await must(home.client.getAccessToken({ accountId }))).accessToken, first.accessToken, "which is kept");
  }],

  ["refreshing the tokens", async (scene) => {
    const { client } = scene.home;
    const { accountId } = scene;
    const before = await must(client.getAccessToken({ accountId }));
    const first = await must(client.refreshToken({ accountId }));
    assert.notEqual(first.accessToken, before.accessToken);
    assert.ok(await opens(scene, first.accessToken));
    assert.deepEqual([first.providerId, first.accountId, first.scope], [provider, accountId, "openid,profile,email"]);
    assert.ok(near(first.accessTokenExpiresAt, 3600));
    const second = await must(client.refreshToken({ accountId }));
    assert.notEqual(second.refreshToken, first.refreshToken, "each refresh token is good once");
    assert.equal((await must(client.getAccessToken({ accountId }))).accessToken, second.accessToken);
  }],

  ["tokens of somebody else", async (scene) => {
    const stranger = device(scene);
    await newUser(stranger);
    const { accountId } = scene;
    const refusal = [400, "ACCOUNT_NOT_FOUND", "Account not found"];
    await mustFail(stranger.client.getAccessToken({ accountId }), ...refusal);
    await mustFail(stranger.client.refreshToken({ accountId }), ...refusal);
    await mustFail(stranger.client.accountInfo({ query: { accountId } }), ...refusal);
    await mustFail(device(scene).client.refreshToken({ accountId }), 401, undefined, undefined);
  }],

  ["an address that is taken", async (scene) => {
    const home = device(scene);
    const { email } = await newUser(home);
    const stranger = device(scene);
    assert.equal(await enter(stranger, email), "/oops?a=b&error=account_not_linked#c");
    assert.equal(await isSignedIn(stranger), false);
    await must(home.client.sendVerificationEmail({ email }));
    const { token } = await scene.mail("verification", email);
    await must(home.client.verifyEmail({ query: { token } }));
    assert.equal(await enter(stranger, email), "/in", "whose owner has proved it");
    assert.deepEqual((await must(stranger.client.listAccounts())).map(({ providerId }) => providerId), ["credential", provider]);
  }],

  ["linking an account", async (scene) => {
    stay(scene);
    const home = scene.linked = device(scene);
    const { email, user } = scene.linkedUser = await newUser(home);
    const { url, redirect, ...rest } = await must(home.client.linkSocial({ provider, loginHint: email, callbackURL: "/accounts" }));
    assert.deepEqual([redirect, rest], [true, {}]);
    assert.equal(page.location.href, url);
    assert.equal(await through(home, url), "/accounts");
    const found = await account(home);
    assert.equal(found.userId, user.id);
    assert.equal(await link(home, email, { scopes: ["calendar"] }), "/in", "for more scopes");
    const { id, scopes } = await account(home);
    assert.equal(id, found.id, "it is the same account");
    assert.deepEqual(scopes.sort(), ["calendar", "email", "openid", "profile"]);
    assert.equal(await enter(device(scene), email), "/in");
  }],

  ["accounts that are not linked", async (scene) => {
    const home = device(scene);
    const { email } = await newUser(home);
    assert.equal(await link(home, someAddress()), "/oops?a=b&error=email_does_not_match#c");
    assert.equal(await link(home, refuser), "/oops?a=b&error=access_denied&error_description=The+user+said+no#c");
    const doubtful = device(scene);
    const { email: unverified } = await newUser(doubtful, { email: someAddress("unverified.example") });
    assert.equal(await link(doubtful, unverified), "/oops?a=b&error=unable_to_link_account#c");
    const { url } = await must(home.client.linkSocial({ provider, loginHint: email, ...targets, disableRedirect: true }));
    await must(home.client.signOut());
    assert.equal(await through(home, url), "/oops?a=b&error=unable_to_link_account#c", "who asked for it is gone");
    await mustFail(doubtful.client.linkSocial({ provider: "nobody" }), 404, "PROVIDER_NOT_FOUND", "Provider not found");
    assert.equal(await account(doubtful), undefined);
  }],

  ["unlinking an account", async (scene) => {
    const { client } = scene.linked;
    const { id: accountId } = await account(scene.linked);
    await mustFail(client.unlinkAccount({ accountId: "nobody's" }), 400, "ACCOUNT_NOT_FOUND", "Account not found");
    assert.deepEqual(await must(client.unlinkAccount({ accountId })), { status: true });
    assert.equal(await account(scene.linked), undefined);
    assert.ok(await isSignedIn(scene.linked));
    const [{ id: last }] = await must(client.listAccounts());
    await mustFail(client.unlinkAccount({ accountId: last }), 400, "FAILED_TO_UNLINK_LAST_ACCOUNT", "You can't unlink your last account");
    await mustFail(client.getAccessToken({ accountId }), 400, "ACCOUNT_NOT_FOUND", "Account not found");
    assert.equal(await enter(device(scene), scene.linkedUser.email), "/in", "an earlier sign-in there has proved the address");
    assert.notEqual((await account(scene.linked)).id, accountId, "it is another row");
  }],

  ["an id_token signs in", async (scene) => {
    stay(scene);
    const home = scene.native = device(scene);
    const email = scene.nativeEmail = someAddress();
    const token = await idToken(scene, email, { nonce: "n-1" });
    const data = await must(home.client.signIn.social({ provider, idToken: { token, nonce: "n-1", accessToken: "of the app" }, callbackURL: "/in" }));
    assert.equal(data.redirect, false);
    assert.equal(data.user.email, email);
    assert.ok(isDate(data.user.createdAt));
    assert.ok(!("url" in data));
    assert.equal(page.location.href, `${scene.origin}/`);
    const { session, user } = await must(home.client.getSession());
    assert.equal(session.token, data.token);
    assert.deepEqual(user, data.user);
    const again = await must(device(scene).client.signIn.social({ provider, idToken: { token } }));
    assert.equal(again.user.id, user.id);
  }],

  ["tokens of an account that an id_token made", async (scene) => {
    const { client } = scene.native;
    const { id: accountId, scopes } = await account(scene.native);
    assert.deepEqual(scopes, []);
    const tokens = await must(client.getAccessToken({ accountId }));
    assert.equal(tokens.accessToken, "of the app");
    await mustFail(client.refreshToken({ accountId }), 400, "REFRESH_TOKEN_NOT_FOUND", "Refresh token not found");
  }],

  ["id_tokens that sign nobody in", async (scene) => {
    const { client } = device(scene);
    const email = someAddress();
    const good = await idToken(scene, email, { nonce: "n-1" });
    const [header, , signature] = good.split(".");
    const invalid = [401, "INVALID_TOKEN", "Invalid token"];
    for (const idTokens of [
      { token: good, nonce: "n-2" },
      { token: await idToken(scene, email, { aud: "another app" }) },
      { token: await idToken(scene, email, { iss: "https://evil.example" }) },
      { token: `${header}.${Buffer.from(JSON.stringify({ sub: "x", email })).toString("base64url")}.${signature}` },
      { token: "no token" },
    ]) {
      await mustFail(client.signIn.social({ provider, idToken: idTokens }), ...invalid);
      await mustFail(scene.native.client.linkSocial({ provider, idToken: idTokens }), ...invalid);
    }
    const { email: taken } = await newUser(device(scene));
    await mustFail(client.signIn.social({ provider, idToken: { token: await idToken(scene, taken) } }),
      401, "OAUTH_LINK_ERROR", "account not linked");
    await mustFail(client.signIn.social({ provider, idToken: {} }), 400, "VALIDATION_ERROR",
      "[body.idToken.token] Invalid input: expected string, received undefined");
  }],

  ["an id_token links an account", async (scene) => {
    const home = device(scene);
    const { email } = await newUser(home);
    const other = await idToken(scene, someAddress());
    await mustFail(home.client.linkSocial({ provider, idToken: { token: other } }),
      401, "LINKING_DIFFERENT_EMAILS_NOT_ALLOWED", "Account not linked - different emails not allowed");
    const taken = await idToken(scene, scene.email);
    await mustFail(home.client.linkSocial({ provider, idToken: { token: taken } }),
      409, "SOCIAL_ACCOUNT_ALREADY_LINKED", "Social account already linked");
    const token = await idToken(scene, email);
    assert.deepEqual(await must(home.client.linkSocial({ provider, idToken: { token } })), { url: "", status: true, redirect: false });
    assert.ok(await account(home));
  }],

  ["signing out here and at the provider", async (scene) => {
    stay(scene);
    const { client, browser } = scene.phone;
    const { url, ...rest } = await must(client.signOut({ callbackURL: "/goodbye", state: "s" }));
    assert.deepEqual(rest, { success: true, redirect: true });
    assert.equal(page.location.href, url);
    const end = new URL(url);
    assert.equal(end.origin + end.pathname, `${scene.provider}/end`);
    const { id_token_hint: hint, ...query } = Object.fromEntries(end.searchParams);
    assert.deepEqual(query, { post_logout_redirect_uri: `${scene.origin}/goodbye`, client_id: "app", state: "s" });
    assert.equal(hint.split(".").length, 3);
    assert.equal(browser.cookie("session_token"), undefined);
    assert.equal(await isSignedIn(scene.phone), false);
  }],

  ["signing out without leaving", async (scene) => {
    stay(scene);
    const data = await must(scene.home.client.signOut({ disableRedirect: true }));
    assert.equal(data.redirect, false);
    assert.deepEqual([...new URL(data.url).searchParams.keys()], ["id_token_hint"]);
    assert.equal(page.location.href, `${scene.origin}/`);
    assert.equal(await isSignedIn(scene.home), false);
    await mustFail(scene.home.client.signOut({ callbackURL: "https://evil.example/" }), 403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
  }],

  ["strict: nobody becomes a user without asking for it", async (scene) => {
    const home = scene.home = openStrict(scene);
    const email = scene.email = someAddress();
    assert.equal(await enter(home, email), "/oops?a=b&error=signup_disabled#c");
    await mustFail(home.client.signIn.social({ provider, idToken: { token: await idToken(scene, email) } }),
      401, "OAUTH_LINK_ERROR", "signup disabled");
    assert.equal(await enter(home, email, { requestSignUp: true }), "/welcome");
    assert.equal(await enter(home, email), "/in");
    assert.equal((await must(home.client.getSession())).user.email, email);
  }],

  ["strict: the account in the cookie", async (scene) => {
    const { client, browser } = scene.home;
    assert.ok(browser.cookie("account_data") ?? browser.cookie("account_data.0"));
    const { accessToken } = await must(client.getAccessToken({ useAccountCookie: true }));
    assert.ok(await opens(scene, accessToken));
    const fresh = await must(client.refreshToken({ useAccountCookie: true }));
    assert.notEqual(fresh.accessToken, accessToken);
    assert.equal((await must(client.getAccessToken({ useAccountCookie: true }))).accessToken, fresh.accessToken);
    assert.equal((await account(scene.home)).id, fresh.accountId);
  }],

  ["strict: a provider that does not vouch for the address", async (scene) => {
    const home = openStrict(scene);
    const email = someAddress("unverified.example");
    assert.equal(await enter(home, email, { requestSignUp: true }), "/oops?a=b&error=email_not_verified#c");
    assert.equal(await isSignedIn(home), false);
    await mustFail(home.client.signIn.social({ provider, idToken: { token: await idToken(scene, email) } }),
      403, "EMAIL_NOT_VERIFIED", "Email not verified");
    const { token } = await scene.mail("verification", email, scene.strict);
    await must(home.client.verifyEmail({ query: { token } }));
    const elsewhere = openStrict(scene);
    assert.equal(await enter(elsewhere, email), "/in");
    assert.ok(await isSignedIn(elsewhere));
  }],

  ["strict: a flow belongs to the browser that keeps it", async (scene) => {
    const home = openStrict(scene);
    const { url } = await must(home.client.signIn.social({ provider, loginHint: scene.email, ...targets }));
    const callback = (await home.browser.fetch(url)).headers.get("location");
    const lost = `${scene.strict}/auth/error?error=state_mismatch`;
    const end = async ({ browser }) => (await browser.fetch(callback)).headers.get("location");
    assert.equal(await end(openStrict(scene)), lost);
    assert.equal(await end(home), "/in");
    assert.equal(await end(home), lost, "the cookie is gone");
  }],
];
