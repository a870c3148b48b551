// The plugin username: signing in by a name.

import { page } from "./dom.mjs";
import assert from "node:assert/strict";
import { usernameClient } from "better-auth/client/plugins";
import { isSignedIn, must, mustFail, newUser, openPlugins, watched } from "./scene.mjs";

const device = (scene) => openPlugins(scene, [usernameClient()]);
const someName = () => `Lady_${crypto.randomUUID().slice(0, 8)}`;

const tooShort = ["USERNAME_TOO_SHORT", "Username is too short"];
const tooLong = ["USERNAME_TOO_LONG", "Username is too long"];
const invalid = ["INVALID_USERNAME", "Username is invalid"];
const taken = [400, "USERNAME_IS_ALREADY_TAKEN", "Username is already taken. Please try another."];
const refused = [401, "INVALID_USERNAME_OR_PASSWORD", "Invalid username or password"];

export const steps = [
  ["username: signing up with one", async (scene) => {
    scene.home = device(scene);
    const username = someName();
    scene.lady = await newUser(scene.home, { username, displayUsername: "The Lady" });
    assert.equal(scene.lady.user.username, username.toLowerCase());
    assert.equal(scene.lady.user.displayUsername, "The Lady");
    assert.deepEqual((await must(scene.home.client.getSession())).user, scene.lady.user);
    Object.assign(scene.lady, { username });
  }],

  ["username: the name that is shown", async (scene) => {
    const username = someName();
    const { user } = await newUser(device(scene), { username });
    assert.deepEqual([user.username, user.displayUsername], [username.toLowerCase(), username], "is the one that was typed");
    const other = await newUser(device(scene), { displayUsername: someName() });
    assert.equal(other.user.username, other.displayUsername.toLowerCase(), "is one to sign in by if it can be");
    const { user: nameless } = await newUser(device(scene), { displayUsername: "No Name!" });
    assert.deepEqual([nameless.username ?? null, nameless.displayUsername], [null, "No Name!"]);
    const plain = await newUser(device(scene));
    assert.deepEqual([plain.user.username ?? null, plain.user.displayUsername ?? null], [null, null]);
  }],

  ["username: whether one is free", async (scene) => {
    const { client } = device(scene);
    const { username } = scene.lady;
    for (const name of [username, username.toUpperCase(), username.toLowerCase()]) {
      assert.deepEqual(await must(client.isUsernameAvailable({ username: name })), { available: false });
    }
    assert.deepEqual(await must(client.isUsernameAvailable({ username: someName() })), { available: true });
    await mustFail(client.isUsernameAvailable({ username: "" }), 422, ...invalid);
    await mustFail(client.isUsernameAvailable({ username: "ab" }), 422, ...tooShort);
    await mustFail(client.isUsernameAvailable({ username: "a".repeat(31) }), 422, ...tooLong);
    await mustFail(client.isUsernameAvailable({ username: "a b c" }), 422, ...invalid);
    await mustFail(client.isUsernameAvailable({ username: 5 }), 400, "VALIDATION_ERROR",
      "[body.username] Invalid input: expected string, received number");
  }],

  ["username: signing in", async (scene) => {
    const { username, password, user } = scene.lady;
    for (const name of [username, username.toUpperCase()]) {
      const phone = device(scene);
      const data = await must(phone.client.signIn.username({ username: name, password }));
      assert.deepEqual([data.redirect, data.user], [false, user]);
      assert.equal((await must(phone.client.getSession())).session.token, data.token);
    }
  }],

  ["username: a session that ends with the browser", async (scene) => {
    const { username, password } = scene.lady;
    const phone = device(scene);
    await must(phone.client.signIn.username({ username, password, rememberMe: false }));
    assert.ok(phone.browser.cookie("dont_remember"));
    assert.equal(phone.browser.cookie("session_token").maxAge, null);
  }],

  ["username: a callback URL is followed", async (scene) => {
    const { username, password } = scene.lady;
    page.location.href = `${scene.origin}/`;
    const data = await must(device(scene).client.signIn.username({ username, password, callbackURL: "/library" }));
    assert.deepEqual([data.redirect, data.url], [true, "/library"]);
    assert.equal(page.location.href, `${scene.origin}/library`);
    await mustFail(device(scene).client.signIn.username({ username, password, callbackURL: "https://evil.example/" }),
      403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
  }],

  ["username: those who may not sign in", async (scene) => {
    const { username, password } = scene.lady;
    const phone = device(scene);
    const { client } = phone;
    await mustFail(client.signIn.username({ username, password: "difference engine" }), ...refused);
    await mustFail(client.signIn.username({ username: someName(), password }), ...refused);
    await mustFail(client.signIn.username({ username: "", password }), ...refused);
    await mustFail(client.signIn.username({ username, password: "" }), ...refused);
    await mustFail(client.signIn.username({ username: "ab", password }), 422, ...tooShort);
    await mustFail(client.signIn.username({ username: "a".repeat(31), password }), 422, ...tooLong);
    await mustFail(client.signIn.username({ username: "a b c", password }), 422, ...invalid);
    await mustFail(client.signIn.username({ username, password: "x".repeat(129) }), 400, "PASSWORD_TOO_LONG", "Password too long");
    await mustFail(client.signIn.username({ username }), 400, "VALIDATION_ERROR",
      "[body.password] Invalid input: expected string, received undefined");
    assert.equal(await isSignedIn(phone), false);
  }],

  ["username: names that nobody can have", async (scene) => {
    const { username } = scene.lady;
    const phone = device(scene);
    const account = { name: "Eve", email: `eve.${crypto.randomUUID()}@example.com`, password: "nanoseconds of wire" };
    await mustFail(phone.client.signUp.email({ ...account, username: username.toUpperCase() }), ...taken);
    await mustFail(phone.client.signUp.email({ ...account, username: "ab" }), 400, ...tooShort);
    await mustFail(phone.client.signUp.email({ ...account, username: "a".repeat(31) }), 400, ...tooLong);
    await mustFail(phone.client.signUp.email({ ...account, username: "a-b-c" }), 400, ...invalid);
    assert.equal(await isSignedIn(phone), false);
    await must(phone.client.signUp.email(account));
    await mustFail(phone.client.updateUser({ username }), ...taken);
    await mustFail(phone.client.updateUser({ username: "a-b-c" }), 400, ...invalid);
    assert.equal((await must(phone.client.getSession())).user.username ?? null, null);
  }],

  ["username: another one", async (scene) => {
    const { username: old, password } = scene.lady;
    const username = someName();
    const { client } = scene.home;
    await must(client.updateUser({ username: old.toUpperCase() }));
    await must(client.updateUser({ username, displayUsername: "Countess" }));
    const { user } = await must(client.getSession());
    assert.deepEqual([user.username, user.displayUsername], [username.toLowerCase(), "Countess"]);
    await mustFail(client.signIn.username({ username: old, password }), ...refused);
    assert.deepEqual(await must(client.isUsernameAvailable({ username: old })), { available: true });
    await must(client.signIn.username({ username, password }));
    Object.assign(scene.lady, { username });
  }],

  ["username: signing in moves the atom", async (scene) => {
    const { username, password, user } = scene.lady;
    const phone = device(scene);
    const seen = await watched(phone);
    const before = seen.reads;
    await must(phone.client.signIn.username({ username, password }));
    assert.equal((await seen.settled(before)).data.user.id, user.id);
    seen.stop();
  }],
];
