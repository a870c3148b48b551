// Steps that need nothing but a server with e-mail and password. Each path is
// called at most three times, which the default rate limit allows.

import assert from "node:assert/strict";
import { device, eventually, isDate, isSignedIn, must, mustFail, near, signIn } from "./scene.mjs";

const day = 24 * 60 * 60;

export const steps = [
  ["nobody is signed in", async (scene) => {
    scene.home = device(scene);
    assert.equal(await must(scene.home.client.getSession()), null);
  }],

  ["sign up", async (scene) => {
    scene.home.client.useSession.subscribe((state) => { scene.atom = state; });
    const data = await must(scene.home.client.signUp.email({
      name: "Ada Lovelace", email: scene.email.toUpperCase(), password: scene.password,
    }));
    assert.equal(data.user.email, scene.email, "addresses are stored in lower case");
    assert.equal(data.user.name, "Ada Lovelace");
    assert.equal(data.user.emailVerified, false);
    assert.ok(isDate(data.user.createdAt), "dates arrive as Date");
    assert.equal(typeof data.token, "string");
    scene.token = data.token;
  }],

  ["the session atom follows the sign-up", async (scene) => {
    await eventually("the atom's session", () => scene.atom.data?.user.email === scene.email);
    assert.equal(scene.atom.isPending, false);
    assert.equal(scene.atom.error, null);
  }],

  ["read the session", async (scene) => {
    const { session, user } = await must(scene.home.client.getSession());
    assert.equal(user.email, scene.email);
    assert.equal(session.token, scene.token);
    assert.equal(session.userId, user.id);
    assert.equal(session.userAgent, "clienttest");
    assert.ok(near(session.expiresAt, 7 * day), `expires ${session.expiresAt}`);
    assert.ok(near(session.createdAt, 0), `created ${session.createdAt}`);
  }],

  ["a wrong password", async (scene) => {
    const { client } = device(scene);
    const seen = [];
    const options = {
      onError: ({ error, response }) => seen.push(["error", error.code, response.status]),
      onSuccess: () => seen.push(["success"]),
    };
    await mustFail(
      client.signIn.email({ email: scene.email, password: "wrong horse battery" }, options),
      401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password",
    );
    assert.deepEqual(seen, [["error", "INVALID_EMAIL_OR_PASSWORD", 401]]);
  }],

  ["sign in on a second device", async (scene) => {
    scene.phone = device(scene);
    const seen = [];
    const { data, error } = await scene.phone.client.signIn.email(
      { email: scene.email, password: scene.password },
      { onSuccess: ({ data, response }) => seen.push([data.user.email, response.status]), onError: () => seen.push("error") },
    );
    assert.equal(error, null);
    assert.equal(data.redirect, false);
    assert.deepEqual(seen, [[scene.email, 200]]);
    assert.ok(await isSignedIn(scene.phone));
  }],

  ["list the sessions", async (scene) => {
    const sessions = await must(scene.home.client.listSessions());
    assert.equal(sessions.length, 2);
    assert.ok(sessions.some((s) => s.token === scene.token));
    for (const s of sessions) {
      for (const column of ["createdAt", "updatedAt", "expiresAt"]) assert.ok(isDate(s[column]), `${column} is a Date`);
    }
  }],

  ["revoke the session of the second device", async (scene) => {
    const sessions = await must(scene.home.client.listSessions());
    const other = sessions.find((s) => s.token !== scene.token);
    assert.deepEqual(await must(scene.home.client.revokeSession({ token: other.token })), { status: true });
    assert.equal(await isSignedIn(scene.phone), false);
    assert.ok(await isSignedIn(scene.home));
  }],

  ["change the password", async (scene) => {
    const { client } = scene.home;
    const next = "staple horse battery";
    await mustFail(
      client.changePassword({ currentPassword: "wrong horse battery", newPassword: next }),
      400, "INVALID_PASSWORD", "Invalid password",
    );
    const data = await must(client.changePassword({ currentPassword: scene.password, newPassword: next }));
    assert.equal(data.user.email, scene.email);
    assert.equal(data.token, null, "no session was revoked, so there is no new one");
    scene.password = next;
  }],

  ["sign out", async (scene) => {
    assert.deepEqual(await must(scene.home.client.signOut()), { success: true });
    assert.equal(scene.home.browser.cookie("session_token"), undefined);
    await eventually("the atom's end of the session", () => scene.atom.data === null && !scene.atom.isRefetching);
    assert.equal(await isSignedIn(scene.home), false);
  }],

  ["sign in with the new password", async (scene) => {
    const data = await signIn(scene, scene.home);
    await eventually("the atom's new session", () => scene.atom.data?.session.token === data.token);
  }],
];
