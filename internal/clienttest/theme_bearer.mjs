// The plugin bearer: a client without cookies, as an application on a phone is.

import assert from "node:assert/strict";
import { isSignedIn, must, mustFail, newUser, openPlugins } from "./scene.mjs";

// app is a client that keeps its token by itself.
function app(scene, token) {
  const kept = { token };
  const { client } = openPlugins(scene, [], { fetchOptions: {
    credentials: "omit",
    auth: { type: "Bearer", token: () => kept.token },
    onSuccess: ({ response }) => { kept.token = response.headers.get("set-auth-token") ?? kept.token; },
  } });
  return { client, kept };
}

export const steps = [
  ["bearer: signing up and in", async (scene) => {
    const home = scene.app = app(scene);
    const user = scene.user = await newUser(home);
    assert.match(home.kept.token, /^[0-9A-Za-z]{32}\.[A-Za-z0-9+/]{43}=$/);
    assert.ok(home.kept.token.startsWith(`${user.token}.`));
    assert.deepEqual((await must(home.client.getSession())).user, user.user);
    const phone = app(scene);
    const { token } = await must(phone.client.signIn.email(user));
    assert.ok(phone.kept.token.startsWith(`${token}.`));
    assert.equal((await must(phone.client.listSessions())).length, 2);
  }],

  ["bearer: browsers may read the header", async (scene) => {
    let exposed;
    await must(openPlugins(scene, []).client.signIn.email({ ...scene.user, fetchOptions: {
      onSuccess: ({ response }) => { exposed = response.headers.get("access-control-expose-headers"); },
    } }));
    assert.match(exposed, /\bset-auth-token\b/);
  }],

  ["bearer: the forms of a token", async (scene) => {
    const { kept: { token } } = scene.app;
    for (const form of [token, encodeURIComponent(token), token.split(".")[0]]) {
      assert.ok(await isSignedIn(app(scene, form)), form);
    }
    for (const form of ["", "none", `${token.split(".")[0]}.${"A".repeat(43)}=`, `${token}x`.replace(/^./, "_")]) {
      const stranger = app(scene, form);
      assert.equal(await isSignedIn(stranger), false, form);
      await mustFail(stranger.client.listSessions(), 401, "UNAUTHORIZED", "Unauthorized");
    }
  }],

  ["bearer: changing things", async (scene) => {
    const { client, kept } = scene.app;
    await must(client.updateUser({ name: "Katherine Johnson" }));
    assert.equal((await must(client.getSession())).user.name, "Katherine Johnson");
    const before = kept.token;
    await must(client.changePassword({ currentPassword: scene.user.password, newPassword: "orbital mechanics", revokeOtherSessions: true }));
    assert.notEqual(kept.token, before, "the new session's token has come");
    assert.ok(await isSignedIn(scene.app));
    assert.equal(await isSignedIn(app(scene, before)), false);
  }],

  ["bearer: it is who the token says, not the cookie", async (scene) => {
    const { browser, client } = openPlugins(scene, []);
    await newUser({ client });
    const { user } = await must(client.getSession({ fetchOptions: { auth: { type: "Bearer", token: scene.app.kept.token } } }));
    assert.equal(user.id, scene.user.user.id);
    assert.ok(browser.cookie("session_token"));
  }],

  ["bearer: signing out", async (scene) => {
    const { client, kept } = scene.app;
    const { token } = kept;
    await must(client.signOut());
    assert.equal(kept.token, token, "no token comes with it");
    assert.equal(await isSignedIn(scene.app), false);
  }],
];
