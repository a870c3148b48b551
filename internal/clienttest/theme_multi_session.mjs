// The plugin multi-session: several people in one browser.

import assert from "node:assert/strict";
import { multiSessionClient } from "better-auth/client/plugins";
import { isSignedIn, must, mustFail, newUser, openPlugins, watched } from "./scene.mjs";

const device = (scene) => openPlugins(scene, [multiSessionClient()]);
const invalidToken = [401, "INVALID_SESSION_TOKEN", "Invalid session token"];

const list = ({ client }) => client.multiSession.listDeviceSessions();

// people returns who is in a browser, and who is active.
async function people(device) {
  const all = (await must(list(device))).map(({ user }) => user.email);
  const active = await must(device.client.getSession());
  return [all.sort(), active?.user.email];
}

export const steps = [
  ["multi-session: nobody", async (scene) => {
    const home = scene.home = device(scene);
    assert.deepEqual(await must(list(home)), []);
    await mustFail(home.client.multiSession.setActive({ sessionToken: "none" }), ...invalidToken);
    await mustFail(home.client.multiSession.revoke({ sessionToken: "none" }), 401, "UNAUTHORIZED", "Unauthorized");
    await mustFail(home.client.multiSession.setActive({}), 404, undefined, undefined);
  }],

  ["multi-session: two people", async (scene) => {
    scene.ann = await newUser(scene.home);
    scene.bob = await newUser(scene.home);
    assert.deepEqual(await people(scene.home), [[scene.ann.email, scene.bob.email].sort(), scene.bob.email]);
    const found = (await must(list(scene.home))).find(({ user }) => user.id === scene.ann.user.id);
    assert.deepEqual([found.user, found.session.token], [scene.ann.user, scene.ann.token]);
  }],

  // In a tab of its own: an atom that reads a session which is just being replaced
  // may lose the browser the new one.
  ["multi-session: the other one moves the atom", async (scene) => {
    const tab = openPlugins(scene, [multiSessionClient()], { browser: scene.home.browser });
    const seen = await watched(tab);
    const before = seen.reads;
    const data = await must(tab.client.multiSession.setActive({ sessionToken: scene.ann.token }));
    assert.deepEqual([data.user, data.session.token], [scene.ann.user, scene.ann.token]);
    assert.equal((await seen.settled(before)).data.user.id, scene.ann.user.id);
    seen.stop();
  }],

  ["multi-session: who is somewhere else", async (scene) => {
    const phone = device(scene);
    const cat = await newUser(phone);
    const { multiSession } = scene.home.client;
    await mustFail(multiSession.setActive({ sessionToken: cat.token }), ...invalidToken);
    await mustFail(multiSession.revoke({ sessionToken: cat.token }), ...invalidToken);
    assert.ok(await isSignedIn(phone));
    await mustFail(phone.client.multiSession.setActive({ sessionToken: scene.ann.token }), ...invalidToken);
  }],

  ["multi-session: the same person again", async (scene) => {
    const { home, ann } = scene;
    const { token } = await must(home.client.signIn.email(ann));
    assert.notEqual(token, ann.token);
    assert.deepEqual(await people(home), [[ann.email, scene.bob.email].sort(), ann.email]);
    await mustFail(home.client.multiSession.setActive({ sessionToken: ann.token }), ...invalidToken);
    assert.equal((await must(home.client.listSessions())).length, 1, "the older session is over");
    ann.token = token;
  }],

  ["multi-session: revoking one that is not active", async (scene) => {
    const { home, ann, bob } = scene;
    assert.deepEqual(await must(home.client.multiSession.revoke({ sessionToken: bob.token })), { status: true });
    assert.deepEqual(await people(home), [[ann.email], ann.email]);
    await mustFail(home.client.multiSession.setActive({ sessionToken: bob.token }), ...invalidToken);
  }],

  ["multi-session: revoking the active one", async (scene) => {
    const { home, ann, bob } = scene;
    bob.token = (await must(home.client.signIn.email(bob))).token;
    await must(home.client.multiSession.revoke({ sessionToken: bob.token }));
    assert.deepEqual(await people(home), [[ann.email], ann.email], "the other one takes over");
    await must(home.client.multiSession.revoke({ sessionToken: ann.token }));
    assert.deepEqual(await people(home), [[], undefined]);
    assert.equal(home.browser.cookie("session_token"), undefined);
  }],

  ["multi-session: a session that is over", async (scene) => {
    const { ann, bob } = scene;
    const [home, phone] = [device(scene), device(scene)];
    const { token } = await must(home.client.signIn.email(ann));
    await must(home.client.signIn.email(bob));
    await must(phone.client.signIn.email(ann));
    await must(phone.client.revokeSessions());
    await mustFail(home.client.multiSession.setActive({ sessionToken: token }), ...invalidToken);
    assert.deepEqual(await people(home), [[bob.email], bob.email]);
  }],

  ["multi-session: only so many", async (scene) => {
    const home = device(scene);
    const crowd = [];
    for (let i = 0; i < 4; i++) crowd.push(await newUser(home));
    const [all, active] = await people(home);
    assert.equal(active, crowd[3].email);
    assert.deepEqual(all, crowd.slice(0, 3).map(({ email }) => email).sort());
  }],

  ["multi-session: signing out", async (scene) => {
    const home = device(scene);
    const [ann, bob] = [await newUser(home), await newUser(home)];
    const kept = device(scene);
    await must(kept.client.signIn.email(ann));
    await must(home.client.signOut());
    assert.deepEqual(await people(home), [[], undefined], "signs out everybody");
    for (const { token } of [ann, bob]) await mustFail(home.client.multiSession.setActive({ sessionToken: token }), ...invalidToken);
    assert.equal((await must(kept.client.listSessions())).length, 1, "here, and nowhere else");
  }],
];
