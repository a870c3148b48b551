// The session atom of the vanilla client in a page: what moves it, and that it
// asks the server no oftener than it has to.

import { become, otherTabWrote, page } from "./dom.mjs";
import assert from "node:assert/strict";
import { eventually, must, mustFail, newUser, open, openStrict, signIn, watch } from "./scene.mjs";

const channel = "better-auth.message";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export const steps = [
  ["the first states", async (scene) => {
    scene.home = open(scene);
    const seen = scene.seen = watch(scene.home);
    const { data, error, isPending, isRefetching, refetch } = seen.states[0];
    assert.deepEqual([data, error, isPending, isRefetching], [null, null, true, false]);
    assert.equal(typeof refetch, "function");
    assert.equal(seen.reads, 0, "nothing is asked before the page has run");
    const settled = await seen.settled(0);
    assert.deepEqual([settled.data, settled.error, settled.isPending], [null, null, false]);
    assert.ok(seen.states.some((s) => s.isPending && s.isRefetching));
    assert.equal(seen.reads, 1);
  }],

  ["signing up moves it", async (scene) => {
    const before = scene.seen.reads;
    const { email, password, user } = await newUser(scene.home);
    Object.assign(scene, { email, password });
    const { data } = await scene.seen.settled(before);
    assert.equal(data.user.id, user.id);
    assert.ok(data.session.expiresAt instanceof Date);
  }],

  ...[
    ["updating the user", (client) => client.updateUser({ name: "Amazing Grace" }), ({ user }) => user.name === "Amazing Grace"],
    ["updating the session", (client) => client.updateSession({ place: "Oslo" }), ({ session }) => session.place === "Oslo"],
    ["changing the password", (client, { password }) => client.changePassword({
      currentPassword: password, newPassword: password, revokeOtherSessions: true,
    }), (now, before) => now.session.token !== before.session.token],
    ["revoking other sessions", (client) => client.revokeOtherSessions()],
    ["revoking a session", (client) => client.revokeSession({ token: "none" })],
    ["changing the address", (client) => client.changeEmail({ newEmail: "elsewhere@example.com" })],
  ].map(([what, act, holds = () => true]) => [`${what} moves it`, async (scene) => {
    const before = scene.seen.reads;
    const { data: old } = scene.seen.now;
    await must(act(scene.home.client, scene));
    const { data } = await scene.seen.settled(before);
    assert.ok(holds(data, old), JSON.stringify(data));
  }]),

  ["verifying the address moves it", async (scene) => {
    const { client } = scene.home;
    await must(client.sendVerificationEmail({ email: scene.email }));
    const { token } = await scene.mail("verification", scene.email);
    const before = scene.seen.reads;
    await must(client.verifyEmail({ query: { token } }));
    assert.equal((await scene.seen.settled(before)).data.user.emailVerified, true);
  }],

  ["reading, failing and disableSignal do not", async (scene) => {
    const { client } = scene.home;
    await pause(50); // what came before has its own 10 ms
    const before = scene.seen.reads;
    await must(client.listSessions());
    await must(client.listAccounts());
    await client.changePassword({ currentPassword: "wrong password", newPassword: "long enough" });
    await must(client.updateUser({ name: "Grace Hopper" }, { disableSignal: true }));
    await pause(50);
    assert.equal(scene.seen.reads, before);
  }],

  ["refetch", async (scene) => {
    const before = scene.seen.reads;
    await scene.seen.now.refetch({ query: { disableCookieCache: true } });
    assert.equal(scene.seen.reads, before + 1);
    assert.equal(scene.seen.now.data.user.name, "Grace Hopper");
  }],

  ["$store", async (scene) => {
    const { client } = scene.home;
    assert.equal(client.$store.atoms.session.get(), scene.seen.now);
    let signals = 0;
    client.$store.listen("$sessionSignal", () => { signals++; });
    const [heard, before] = [signals, scene.seen.reads];
    client.$store.notify("$sessionSignal");
    assert.equal(signals, heard + 1);
    await scene.seen.settled(before);
  }],

  ["the focus of the window", async (scene) => {
    const before = scene.seen.reads;
    become("visible");
    await scene.seen.settled(before);
    become("visible");
    await pause(50);
    assert.equal(scene.seen.reads, before + 1, "not twice within five seconds");
    const calm = open(scene, { browser: scene.home.browser, sessionOptions: { refetchOnWindowFocus: false } });
    const other = watch(calm);
    await eventually("its first read", () => other.now.data !== null);
    const reads = other.reads;
    become("visible");
    await pause(50);
    assert.equal(other.reads, reads);
    other.stop();
  }],

  ["an interval, and a network that is away", async (scene) => {
    const busy = open(scene, { sessionOptions: { refetchInterval: 0.05, refetchOnWindowFocus: false } });
    const seen = watch(busy);
    await seen.settled(0);
    await pause(200);
    assert.equal(seen.reads, 1, "nobody is signed in, so there is nothing to look after");
    await signIn(scene, busy);
    await eventually("the session", () => seen.now.data !== null);
    const before = seen.reads;
    await eventually("three rounds", () => seen.reads >= before + 3);
    become("offline");
    await pause(50);
    const away = seen.reads;
    await pause(200);
    assert.equal(seen.reads, away);
    become("online");
    await eventually("the next round", () => seen.reads > away);
    seen.stop();
  }],

  ["other tabs are told", async (scene) => {
    const tab = open(scene, { browser: scene.home.browser });
    const message = () => JSON.parse(page.localStorage.getItem(channel));
    await must(tab.client.updateUser({ name: "From another tab" }));
    page.localStorage.removeItem(channel);
    await must(scene.home.client.updateUser({ name: "From this tab" }));
    assert.deepEqual([message().event, message().data], ["session", { trigger: "updateUser" }]);
  }],

  ["and listen", async (scene) => {
    const tab = open(scene, { browser: scene.home.browser });
    await must(tab.client.updateUser({ name: "From another tab" }, { disableSignal: true }));
    await pause(50);
    const before = scene.seen.reads;
    otherTabWrote("something else", "{}");
    await pause(50);
    assert.equal(scene.seen.reads, before);
    otherTabWrote(channel, JSON.stringify({ event: "session", data: { trigger: "updateUser" } }));
    assert.equal((await scene.seen.settled(before)).data.user.name, "From another tab");
  }],

  ["a server that fails", async (scene) => {
    const flaky = open(scene, { browser: scene.home.browser });
    let broken = false;
    const tab = open(scene, { fetchOptions: {
      customFetchImpl: (url, options) => flaky.browser.fetch(broken ? `${scene.origin}/api/auth/no-such-path` : url, options),
    } });
    const seen = watch(tab);
    await eventually("the session", () => seen.now.data !== null);
    broken = true;
    await seen.now.refetch();
    assert.equal(seen.now.error.status, 404);
    assert.ok(seen.now.data, "who was signed in is not forgotten");
    broken = false;
    await seen.now.refetch();
    assert.equal(seen.now.error, null);
    seen.stop();
  }],

  ["a session that the page was rendered with", async (scene) => {
    const rendered = await must(scene.home.client.getSession());
    const tab = open(scene, { browser: scene.home.browser });
    tab.client.hydrateSession(rendered);
    const seen = watch(tab);
    assert.equal(seen.states[0].data.user.email, scene.email);
    assert.equal(seen.states[0].isPending, false);
    seen.stop();
  }],

  ["a callback URL of a sign-in is followed", async (scene) => {
    const tab = open(scene);
    await signIn(scene, tab, { callbackURL: "/welcome" });
    assert.equal(page.location.href, `${scene.origin}/welcome`);
    await mustFail(tab.client.signIn.email({ email: scene.email, password: scene.password, callbackURL: "javascript:alert(1)" }),
      403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
    assert.equal(page.location.href, `${scene.origin}/welcome`);
    const stay = open(scene, { disableDefaultFetchPlugins: true });
    await signIn(scene, stay, { callbackURL: "/elsewhere" });
    assert.equal(page.location.href, `${scene.origin}/welcome`);
  }],

  ["signing out moves it and tells other tabs", async (scene) => {
    page.localStorage.removeItem(channel);
    const before = scene.seen.reads;
    await must(scene.home.client.signOut());
    assert.deepEqual(JSON.parse(page.localStorage.getItem(channel)).data, { trigger: "signout" });
    assert.equal((await scene.seen.settled(before)).data, null);
  }],

  ["signing in moves it", async (scene) => {
    const before = scene.seen.reads;
    const { token } = await signIn(scene, scene.home);
    assert.equal((await scene.seen.settled(before)).data.session.token, token);
  }],

  ["revoking all sessions moves it", async (scene) => {
    const before = scene.seen.reads;
    await must(scene.home.client.revokeSessions());
    assert.equal((await scene.seen.settled(before)).data, null);
    await signIn(scene, scene.home);
    await eventually("the session", () => scene.seen.now.data !== null);
  }],

  ["deleting the user moves it", async (scene) => {
    const before = scene.seen.reads;
    await must(scene.home.client.deleteUser({ password: scene.password }));
    assert.equal((await scene.seen.settled(before)).data, null);
  }],

  ["nobody listens any longer", async (scene) => {
    scene.seen.stop();
    await pause(1100); // the atom waits for a second before it goes to sleep
    const before = scene.seen.reads;
    become("visible");
    otherTabWrote(channel, JSON.stringify({ event: "session", data: { trigger: "signout" } }));
    await pause(50);
    assert.equal(scene.seen.reads, before);
  }],

  ["strict: the atom prolongs the session itself", async (scene) => {
    const home = openStrict(scene);
    const { email } = await newUser(home);
    const { token } = await scene.mail("verification", email, scene.strict);
    await must(home.client.verifyEmail({ query: { token } }));
    const states = [];
    home.client.useSession.subscribe((state) => states.push(state));
    await eventually("the session", () => states.at(-1).data !== null);
    assert.equal(states.at(-1).data.user.email, email);
    assert.ok(home.browser.count("POST /auth/get-session") >= 1);
  }],
];
