// The plugin one-time-token: a session that is carried to another browser.

import assert from "node:assert/strict";
import { oneTimeTokenClient } from "better-auth/client/plugins";
import { isDate, isSignedIn, must, mustFail, newUser, openPlugins } from "./scene.mjs";

const device = (scene) => openPlugins(scene, [oneTimeTokenClient()]);
const invalid = [400, undefined, "Invalid token"];

export const steps = [
  ["one-time token: carried over", async (scene) => {
    const [home, phone] = [device(scene), device(scene)];
    const { user, token: session } = await newUser(home);
    const { token, ...rest } = await must(home.client.oneTimeToken.generate());
    assert.deepEqual(rest, {});
    assert.match(token, /^[\w-]{32}$/);
    const data = await must(phone.client.oneTimeToken.verify({ token }));
    assert.deepEqual([data.user, data.session.token], [user, session]);
    assert.ok(isDate(data.session.expiresAt));
    assert.deepEqual((await must(phone.client.getSession())).session, data.session);
    await mustFail(device(scene).client.oneTimeToken.verify({ token }), ...invalid);
    assert.ok(await isSignedIn(home));
  }],

  ["one-time token: tokens that are none", async (scene) => {
    const phone = device(scene);
    await mustFail(phone.client.oneTimeToken.verify({ token: "none" }), ...invalid);
    await mustFail(phone.client.oneTimeToken.verify({ token: 1 }), 400, "VALIDATION_ERROR",
      "[body.token] Invalid input: expected string, received number");
    await mustFail(phone.client.oneTimeToken.generate(), 401, "UNAUTHORIZED", "Unauthorized");
    assert.equal(await isSignedIn(phone), false);
  }],

  ["one-time token: of a session that is over", async (scene) => {
    const [home, phone] = [device(scene), device(scene)];
    await newUser(home);
    const { token } = await must(home.client.oneTimeToken.generate());
    await must(home.client.signOut());
    await mustFail(phone.client.oneTimeToken.verify({ token }), 400, undefined, "Session not found");
    assert.equal(await isSignedIn(phone), false);
  }],
];
