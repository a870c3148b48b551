// What the client's fetch offers beside the body: callbacks, headers, retries,
// queries, errors that are thrown, and credentials.

import assert from "node:assert/strict";
import { device, isSignedIn, must, newUser, open, signIn } from "./scene.mjs";

const wrong = "wrong password";

export const steps = [
  ["every callback, in its order", async (scene) => {
    const seen = [];
    const note = (name) => (context) => void seen.push([name, context.response?.status]);
    const callbacks = (who) => Object.fromEntries(
      ["onRequest", "onResponse", "onSuccess", "onError"].map((name) => [name, note(`${who} ${name}`)]),
    );
    const home = scene.home = device(scene, callbacks("client"));
    const user = await newUser(home);
    Object.assign(scene, { email: user.email, password: user.password, user: user.user });
    assert.deepEqual(seen, [["client onRequest", undefined], ["client onResponse", 200], ["client onSuccess", 200]]);
    seen.length = 0;
    await home.client.signIn.email({ email: scene.email, password: wrong }, callbacks("call"));
    assert.deepEqual(seen, [
      ["call onRequest", undefined], ["client onRequest", undefined],
      ["call onResponse", 401], ["client onResponse", 401],
      ["call onError", 401], ["client onError", 401],
    ]);
    seen.length = 0;
    await must(home.client.signIn.email({ email: scene.email, password: scene.password, fetchOptions: callbacks("call") }));
    assert.deepEqual(seen.map(([name]) => name), [
      "call onRequest", "client onRequest", "call onResponse", "client onResponse", "call onSuccess", "client onSuccess",
    ]);
  }],

  ["what callbacks are told", async (scene) => {
    const { client } = scene.home;
    let request, success, failure;
    await client.getSession({ fetchOptions: {
      onRequest: (context) => { request = context; },
      onSuccess: (context) => { success = context; },
    } });
    assert.equal(String(request.url), `${scene.origin}/api/auth/get-session`);
    assert.equal(request.method, "GET");
    assert.equal(success.data.user.email, scene.email);
    assert.ok(success.data.user.createdAt instanceof Date);
    assert.equal(success.response.headers.get("cache-control"), "no-store");
    assert.match(success.response.headers.get("content-type"), /^application\/json/);
    await client.signIn.email({ email: scene.email, password: wrong }, { onError: (context) => { failure = context; } });
    assert.deepEqual(failure.error, {
      message: "Invalid email or password", code: "INVALID_EMAIL_OR_PASSWORD", status: 401, statusText: "Unauthorized",
    });
    assert.deepEqual(JSON.parse(failure.responseText), { message: "Invalid email or password", code: "INVALID_EMAIL_OR_PASSWORD" });
  }],

  ["the whole error object", async (scene) => {
    const failures = [
      [scene.home.client.signUp.email({ name: "Ada", email: scene.email, password: scene.password }),
        422, "Unprocessable Entity", "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "User already exists. Use another email."],
      [scene.home.client.signUp.email({ name: "Ada", email: "no address", password: scene.password }),
        400, "Bad Request", "VALIDATION_ERROR", "[body.email] Invalid email address"],
      [scene.home.client.signUp.email({}), 404, "Not Found"], // without a body it is a GET
      [scene.home.client.signUp.email({ name: 1 }),
        400, "Bad Request", "VALIDATION_ERROR",
        "[body.name] Invalid input: expected string, received number; [body.email] Invalid input: expected string, received undefined; [body.password] Invalid input: expected string, received undefined"],
      [device(scene).client.changePassword({ currentPassword: "a", newPassword: "b" }),
        401, "Unauthorized", "UNAUTHORIZED", "Unauthorized"],
      [scene.home.client.resetPassword({ newPassword: "long enough", token: "none" }),
        400, "Bad Request", "INVALID_TOKEN", "Invalid token"],
      [scene.home.client.signIn.email({ email: scene.email, password: scene.password, callbackURL: "//evil.example" }),
        403, "Forbidden", "INVALID_CALLBACK_URL", "Invalid callbackURL"],
    ];
    for (const [response, status, statusText, code, message] of failures) {
      const { data, error } = await response;
      assert.equal(data, null);
      assert.deepEqual(error, { status, statusText, ...(code && { code, message }) });
    }
  }],

  ["errors that are thrown", async (scene) => {
    const attempt = { email: scene.email, password: wrong };
    const thrown = { status: 401, statusText: "Unauthorized", message: "Unauthorized",
      error: { code: "INVALID_EMAIL_OR_PASSWORD", message: "Invalid email or password" } };
    await assert.rejects(scene.home.client.signIn.email(attempt, { throw: true }), thrown);
    const throwing = device(scene, { throw: true });
    await assert.rejects(throwing.client.signIn.email(attempt), thrown);
    const data = await throwing.client.signIn.email({ ...attempt, password: scene.password });
    assert.equal(data.user.email, scene.email, "a success is the data itself");
    assert.equal((await throwing.client.getSession()).user.email, scene.email);
  }],

  ["headers of a call and of the client", async (scene) => {
    const { client, browser } = scene.home;
    const sent = [];
    const spy = (url, options) => {
      sent.push([options.headers.get("x-client"), options.headers.get("x-call"), options.headers.get("content-type")]);
      return browser.fetch(url, options);
    };
    const noting = open(scene, { browser, fetchOptions: { customFetchImpl: spy, headers: { "x-client": "1" } } });
    await must(noting.client.updateUser({ name: "Rear Admiral" }, { headers: { "x-call": "2" } }));
    await must(client.getSession({ fetchOptions: { customFetchImpl: spy, headers: { "x-call": "3" } } }));
    assert.deepEqual(sent, [["1", "2", "application/json"], [null, "3", null]]);
  }],

  ["a session of headers alone", async (scene) => {
    // What a page that is rendered on a server does: it passes the visitor's cookie on.
    const { key, value } = scene.home.browser.cookie("session_token");
    const { client } = open(scene, { fetchOptions: { customFetchImpl: fetch } });
    const session = await must(client.getSession({ fetchOptions: { headers: { cookie: `${key}=${value}` } } }));
    assert.equal(session.user.email, scene.email);
    assert.equal(await must(client.getSession()), null);
  }],

  ["retries", async (scene) => {
    const { client, browser } = scene.home;
    const count = () => browser.count("POST /api/auth/sign-in/email");
    const before = count();
    let retries = 0;
    const retry = { type: "linear", attempts: 2, delay: 1 };
    const { error } = await client.signIn.email({ email: scene.email, password: wrong }, { retry, onRetry: () => { retries++; } });
    assert.equal(error.code, "INVALID_EMAIL_OR_PASSWORD");
    assert.equal(count() - before, 3);
    assert.equal(retries, 2);
    let password = wrong;
    const data = await must(client.signIn.email({ email: scene.email, password }, {
      retry,
      onRequest: (context) => ({ ...context, body: JSON.stringify({ email: scene.email, password }) }),
      onRetry: () => { password = scene.password; },
    }));
    assert.equal(data.user.email, scene.email, "the second attempt counts");
  }],

  ["a query beside a body", async (scene) => {
    const { client } = scene.home;
    const urls = [];
    const onRequest = ({ url }) => void urls.push(url.search);
    await must(client.getSession({ query: { disableRefresh: true }, fetchOptions: { onRequest } }));
    await must(client.updateUser({ name: "Grace", query: { utm: "a b&c" } }, { onRequest }));
    await must(client.listSessions({ fetchOptions: { onRequest, query: { any: ["1", "2"] } } }));
    assert.deepEqual(urls, ["?disableRefresh=true", "?utm=a%20b%26c", "?any=1&any=2"]);
  }],

  ["credentials", async (scene) => {
    const { client, browser } = scene.home;
    assert.equal(await must(client.getSession({ fetchOptions: { credentials: "omit" } })), null);
    assert.ok(await must(client.getSession()), "the cookie is still there");
    const cookie = browser.cookie("session_token");
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, "lax");
    assert.equal(cookie.path, "/");
    assert.equal(cookie.secure, false, "the site has no https");
    assert.equal(cookie.maxAge, 7 * 24 * 60 * 60);
  }],

  ["a request that is given up", async (scene) => {
    const gone = new AbortController();
    gone.abort();
    await assert.rejects(scene.home.client.getSession({ fetchOptions: { signal: gone.signal } }), { name: "AbortError" });
  }],

  ["a base URL with the path in it", async (scene) => {
    for (const baseURL of [`${scene.origin}/api/auth`, `${scene.origin}/api/auth/`, `${scene.origin}/`]) {
      const at = open(scene, { baseURL, browser: scene.home.browser });
      assert.ok(await isSignedIn(at), baseURL);
    }
  }],

  ["dates, and what looks like one", async (scene) => {
    const { client } = scene.home;
    await must(client.updateUser({ name: "2031-02-03" }));
    assert.equal((await must(client.getSession())).user.name, "2031-02-03");
    await must(client.updateUser({ name: "2031-02-03T04:05:06.789Z" }));
    const { user, session } = await must(client.getSession());
    assert.ok(user.name instanceof Date, "the client knows no types");
    for (const date of [user.createdAt, user.updatedAt, session.createdAt, session.updatedAt, session.expiresAt]) {
      assert.ok(date instanceof Date);
    }
    const signedIn = await signIn(scene, scene.home);
    assert.ok(signedIn.user.createdAt instanceof Date);
    assert.equal(signedIn.user.createdAt.getTime(), user.createdAt.getTime());
  }],
];
