// What steps have in common.

import assert from "node:assert/strict";
import { createAuthClient } from "better-auth/client";

// device returns a browser and the client that runs in it.
export function device(scene, fetchOptions = {}) {
  return open(scene, { fetchOptions });
}

// open is device with all of the client's options, and with another browser or
// another kind of client.
export function open(scene, { create = createAuthClient, browser = scene.newBrowser(), fetchOptions, ...options } = {}) {
  const client = create({
    baseURL: scene.origin,
    fetchOptions: { customFetchImpl: browser.fetch, ...fetchOptions },
    ...options,
  });
  return { browser, client };
}

// openStrict is open at the strict server.
export function openStrict(scene, options = {}) {
  return open(scene, { baseURL: scene.strict, basePath: "/auth", browser: scene.newBrowser(scene.strict), ...options });
}

// openPlugins is open at the server with all plugins, with some of the plugins of
// the client.
export function openPlugins(scene, plugins, options = {}) {
  return open(scene, { baseURL: scene.plugins, browser: scene.newBrowser(scene.plugins), plugins, ...options });
}

// newUser signs up somebody that no other step knows.
export async function newUser(device, more = {}) {
  const user = { name: "Grace Hopper", email: `grace.${crypto.randomUUID()}@example.com`, password: "nanoseconds of wire", ...more };
  const data = await must(device.client.signUp.email(user));
  return { ...user, ...data };
}

// must returns the data of a response that has to be a success.
export async function must(response) {
  const { data, error } = await response;
  assert.equal(error, null, `unexpected error ${JSON.stringify(error)}`);
  return data;
}

// mustFail checks the error object that an application sees.
export async function mustFail(response, status, code, message) {
  const { data, error } = await response;
  assert.equal(data, null, `unexpected success ${JSON.stringify(data)}`);
  assert.deepEqual(
    { status: error.status, code: error.code, message: error.message },
    { status, code, message },
  );
}

export async function signIn(scene, device, options = {}) {
  return must(device.client.signIn.email({ email: scene.email, password: scene.password, ...options }));
}

// isSignedIn asks the server, not the atom.
export async function isSignedIn({ client }) {
  return (await must(client.getSession())) !== null;
}

// eventually waits for what the client does on its own, such as refetching the
// session some milliseconds after a sign-in.
export async function eventually(what, condition) {
  for (let i = 0; i < 500; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`${what} did not happen within 5 seconds`);
}

const reading = "GET /api/auth/get-session";

// watch subscribes to the session's atom and keeps every state.
export function watch({ client, browser }) {
  const states = [];
  const stop = client.useSession.subscribe((state) => states.push(state));
  return {
    states,
    stop,
    get now() { return states.at(-1); },
    get reads() { return browser.count(reading); },
    // settled waits until the atom has asked once more than before and rests.
    async settled(before, what = "a read of the session") {
      await eventually(what, () => browser.count(reading) > before && !states.at(-1).isRefetching);
      return states.at(-1);
    },
  };
}

// watched is watch when the atom has read the session for the first time.
export async function watched(device) {
  const before = device.browser.count(reading);
  const seen = watch(device);
  await seen.settled(before);
  return seen;
}

export function isDate(value) {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

// near reports whether a date is some seconds from now, give or take a minute.
export function near(date, seconds) {
  return Math.abs(date.getTime() - Date.now() - seconds * 1000) < 60_000;
}
