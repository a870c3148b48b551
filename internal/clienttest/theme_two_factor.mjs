// The plugin two-factor: a code beside the password.

import { page } from "./dom.mjs";
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { twoFactorClient, usernameClient } from "better-auth/client/plugins";
import { isSignedIn, must, mustFail, newUser, openPlugins, watched } from "./scene.mjs";

const device = (scene, options) => openPlugins(scene, [twoFactorClient(options), usernameClient()]);

const challenge = (...twoFactorMethods) => ({ twoFactorRedirect: true, twoFactorMethods });
const invalidCode = [401, "INVALID_CODE", "Invalid code"];
const invalidBackupCode = [401, "INVALID_BACKUP_CODE", "Invalid backup code"];
const invalidCookie = [401, "INVALID_TWO_FACTOR_COOKIE", "Invalid two factor cookie"];
const invalidPassword = [400, "INVALID_PASSWORD", "Invalid password"];
const unauthorized = [401, "UNAUTHORIZED", "Unauthorized"];
const tooMany = [400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", "Too many attempts. Please request a new code."];
const locked = [429, "ACCOUNT_TEMPORARILY_LOCKED",
  "Too many failed verification attempts. Your account is temporarily locked. Please try again later."];

// totp is the code of RFC 6238 for a secret in base32, some steps from now.
function totp(secret, steps = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = mac.at(-1) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// wrong is a code that is none of those that are good about now.
function wrong(secret) {
  const good = [-2, -1, 0, 1, 2].map((steps) => totp(secret, steps));
  return ["000000", "000001", "000002", "000003", "000004", "000005"].find((code) => !good.includes(code));
}

const secretOf = (totpURI) => new URL(totpURI).searchParams.get("secret");

// enabled is a new user who has an authenticator, and its secret.
async function enabled(scene, more = {}) {
  const home = device(scene);
  const user = await newUser(home, more);
  const { totpURI, backupCodes } = await must(home.client.twoFactor.enable({ password: user.password }));
  const secret = secretOf(totpURI);
  await must(home.client.twoFactor.verifyTotp({ code: totp(secret) }));
  return { ...user, home, secret, backupCodes };
}

// challenged is a device on which somebody has given the password.
async function challenged(scene, { email, password }, more = {}) {
  const phone = device(scene);
  const data = await must(phone.client.signIn.email({ email, password, ...more }));
  assert.equal(data.twoFactorRedirect, true);
  assert.equal(await isSignedIn(phone), false);
  return phone;
}

async function sentCode(scene, { email }) {
  return (await scene.mail("second factor", email, scene.plugins)).token;
}

export const steps = [
  ["two-factor: enabling", async (scene) => {
    const home = scene.home = device(scene);
    const user = scene.user = await newUser(home);
    assert.equal(user.user.twoFactorEnabled, false);
    const { client } = home;
    await mustFail(client.twoFactor.enable({ password: "wrong password" }), ...invalidPassword);
    await mustFail(client.twoFactor.enable({}), 400, "VALIDATION_ERROR", "[body.password] Invalid input: expected string, received undefined");
    await mustFail(device(scene).client.twoFactor.enable({ password: user.password }), ...unauthorized);
    const { method, totpURI, backupCodes } = await must(client.twoFactor.enable({ password: user.password, issuer: "The Navy" }));
    assert.equal(method, "totp");
    assert.match(totpURI, /^otpauth:\/\/totp\/The%20Navy:grace\..*%40example\.com\?secret=[A-Z2-7]+&issuer=The\+Navy&digits=6&period=30$/);
    assert.equal(new Set(backupCodes).size, 10);
    for (const code of backupCodes) assert.match(code, /^[0-9A-Za-z]{5}-[0-9A-Za-z]{5}$/);
    Object.assign(scene.user, { secret: secretOf(totpURI), backupCodes });
    assert.equal((await must(client.getSession())).user.twoFactorEnabled, false, "before a code has been shown");
    await must(device(scene).client.signIn.email(user));
  }],

  ["two-factor: the first code moves the atom", async (scene) => {
    const { home, user } = scene;
    const tab = openPlugins(scene, [twoFactorClient()], { browser: home.browser });
    const seen = await watched(tab);
    await mustFail(tab.client.twoFactor.verifyTotp({ code: wrong(user.secret) }), ...invalidCode);
    const before = seen.reads;
    await must(tab.client.twoFactor.verifyTotp({ code: totp(user.secret) }));
    const { data } = await seen.settled(before);
    assert.equal(data.user.twoFactorEnabled, true);
    assert.notEqual(data.session.token, user.token, "the session is another one");
    seen.stop();
    await mustFail(home.client.twoFactor.enable({ password: user.password }), 400, "TOTP_ALREADY_ENABLED", "TOTP is already enabled");
    const { totpURI } = await must(home.client.twoFactor.getTotpUri({ password: user.password }));
    assert.equal(secretOf(totpURI), user.secret);
    assert.equal(new URL(totpURI).searchParams.get("issuer"), "Analytical Engines");
    await mustFail(home.client.twoFactor.getTotpUri({ password: "wrong password" }), ...invalidPassword);
  }],

  ["two-factor: a password is not enough", async (scene) => {
    const phone = scene.phone = device(scene);
    const { data, error } = await phone.client.signIn.email({ ...scene.user, callbackURL: "/in" });
    assert.deepEqual([data, error], [challenge("totp", "otp"), null]);
    assert.equal(await isSignedIn(phone), false);
    assert.equal(phone.browser.cookie("session_token"), undefined);
    assert.equal(phone.browser.cookie("two_factor").httpOnly, true);
  }],

  ["two-factor: the page hears of it", async (scene) => {
    page.location.href = `${scene.origin}/`;
    const heard = [];
    const phone = device(scene, { onTwoFactorRedirect: (context) => void heard.push(context) });
    await must(phone.client.signIn.email(scene.user));
    assert.deepEqual(heard, [{ twoFactorMethods: ["totp", "otp"] }]);
    assert.equal(page.location.href, `${scene.origin}/`);
    await must(device(scene, { twoFactorPage: "/second-factor" }).client.signIn.email(scene.user));
    assert.equal(page.location.href, `${scene.origin}/second-factor`);
    page.location.href = `${scene.origin}/`;
    await must(scene.home.client.getSession());
    assert.equal(page.location.href, `${scene.origin}/`, "only of a challenge");
  }],

  ["two-factor: a code of the authenticator moves the atom", async (scene) => {
    const { phone, user } = scene;
    const seen = await watched(phone);
    await mustFail(phone.client.twoFactor.verifyTotp({ code: wrong(user.secret) }), ...invalidCode);
    await mustFail(device(scene).client.twoFactor.verifyTotp({ code: totp(user.secret) }), ...invalidCookie);
    const before = seen.reads;
    const data = await must(phone.client.twoFactor.verifyTotp({ code: totp(user.secret) }));
    assert.deepEqual([data.user.id, data.user.twoFactorEnabled], [user.user.id, true]);
    assert.equal((await seen.settled(before)).data.session.token, data.token);
    seen.stop();
    assert.equal(phone.browser.cookie("two_factor"), undefined);
    assert.equal(phone.browser.cookie("trust_device"), undefined);
  }],

  ["two-factor: a device that is trusted", async (scene) => {
    const { user } = scene;
    const phone = scene.trusted = await challenged(scene, user);
    await must(phone.client.twoFactor.verifyTotp({ code: totp(user.secret), trustDevice: true }));
    const mark = phone.browser.cookie("trust_device");
    assert.ok(mark.httpOnly);
    await must(phone.client.signOut());
    const data = await must(phone.client.signIn.email(user));
    assert.equal(data.user.id, user.user.id);
    assert.ok(await isSignedIn(phone));
    assert.notEqual(phone.browser.cookie("trust_device").value, mark.value, "each sign-in makes another mark");
    const other = await enabled(scene);
    await must(phone.client.signOut());
    assert.deepEqual(await must(phone.client.signIn.email(other)), challenge("totp", "otp"), "one user's trust is not another's");
  }],

  ["two-factor: a code by mail", async (scene) => {
    const { user } = scene;
    const phone = await challenged(scene, user);
    const { twoFactor } = phone.client;
    await mustFail(twoFactor.verifyOtp({ code: "000000" }), 400, "OTP_HAS_EXPIRED", "OTP has expired");
    await mustFail(device(scene).client.twoFactor.sendOtp(), ...invalidCookie);
    assert.deepEqual(await must(twoFactor.sendOtp()), { status: true });
    const code = await sentCode(scene, user);
    assert.match(code, /^[0-9]{6}$/);
    await mustFail(twoFactor.verifyOtp({ code: String((Number(code) + 1) % 1_000_000).padStart(6, "0") }), ...invalidCode);
    const data = await must(twoFactor.verifyOtp({ code }));
    assert.equal(data.user.id, user.user.id);
    assert.equal((await must(phone.client.getSession())).session.token, data.token);
    const late = await challenged(scene, user);
    await mustFail(late.client.twoFactor.verifyOtp({ code }), 400, "OTP_HAS_EXPIRED", "OTP has expired");
  }],

  ["two-factor: a backup code, once", async (scene) => {
    const { user } = scene;
    const [code] = user.backupCodes;
    const phone = await challenged(scene, user);
    await mustFail(phone.client.twoFactor.verifyBackupCode({ code: "no-backup" }), ...invalidBackupCode);
    const data = await must(phone.client.twoFactor.verifyBackupCode({ code }));
    assert.equal((await must(phone.client.getSession())).session.token, data.token);
    const again = await challenged(scene, user);
    await mustFail(again.client.twoFactor.verifyBackupCode({ code }), ...invalidBackupCode);
    await must(again.client.twoFactor.verifyBackupCode({ code: user.backupCodes[1], trustDevice: true }));
    assert.ok(again.browser.cookie("trust_device"));
  }],

  ["two-factor: a backup code without a session", async (scene) => {
    const { user } = scene;
    const phone = await challenged(scene, user);
    const data = await must(phone.client.twoFactor.verifyBackupCode({ code: user.backupCodes[2], disableSession: true }));
    assert.equal(data.user.id, user.user.id);
    assert.equal(data.token, undefined);
    assert.equal(await isSignedIn(phone), false);
    const { token } = await must(scene.home.client.twoFactor.verifyBackupCode({ code: user.backupCodes[3] }));
    assert.equal(token, (await must(scene.home.client.getSession())).session.token, "who is signed in stays so");
  }],

  ["two-factor: new backup codes", async (scene) => {
    const { home, user } = scene;
    await mustFail(home.client.twoFactor.generateBackupCodes({ password: "wrong password" }), ...invalidPassword);
    await mustFail(device(scene).client.twoFactor.generateBackupCodes({ password: user.password }), ...unauthorized);
    const { status, backupCodes } = await must(home.client.twoFactor.generateBackupCodes({ password: user.password }));
    assert.deepEqual([status, new Set(backupCodes).size], [true, 10]);
    const phone = await challenged(scene, user);
    await mustFail(phone.client.twoFactor.verifyBackupCode({ code: user.backupCodes[4] }), ...invalidBackupCode);
    await must(phone.client.twoFactor.verifyBackupCode({ code: backupCodes[0] }));
    user.backupCodes = backupCodes;
  }],

  ["two-factor: five guesses end a challenge, ten lock the account", async (scene) => {
    const user = await enabled(scene);
    const code = wrong(user.secret);
    for (let round = 0; round < 2; round++) {
      const phone = await challenged(scene, user);
      const { twoFactor } = phone.client;
      for (let i = 0; i < 3; i++) await mustFail(twoFactor.verifyTotp({ code }), ...invalidCode);
      for (let i = 0; i < 2; i++) await mustFail(twoFactor.verifyBackupCode({ code }), ...invalidBackupCode);
      if (round === 0) {
        await mustFail(twoFactor.verifyTotp({ code: totp(user.secret) }), ...tooMany);
        await mustFail(twoFactor.verifyTotp({ code: totp(user.secret) }), ...invalidCookie);
      }
    }
    const phone = await challenged(scene, user);
    await mustFail(phone.client.twoFactor.verifyTotp({ code: totp(user.secret) }), ...locked);
    await mustFail(phone.client.twoFactor.verifyBackupCode({ code: user.backupCodes[0] }), ...locked);
    await must(phone.client.twoFactor.sendOtp());
    await mustFail(phone.client.twoFactor.verifyOtp({ code: await sentCode(scene, user) }), ...locked);
    assert.equal(await isSignedIn(phone), false);
  }],

  ["two-factor: a name and a password are not enough either", async (scene) => {
    const username = `grace_${crypto.randomUUID().slice(0, 8)}`;
    const user = await enabled(scene, { username });
    const phone = device(scene);
    assert.deepEqual(await must(phone.client.signIn.username({ username, password: user.password })), challenge("totp", "otp"));
    await must(phone.client.twoFactor.verifyTotp({ code: totp(user.secret) }));
    assert.equal((await must(phone.client.getSession())).user.id, user.user.id);
  }],

  ["two-factor: a session that ends with the browser", async (scene) => {
    const phone = await challenged(scene, scene.user, { rememberMe: false });
    await must(phone.client.twoFactor.verifyTotp({ code: totp(scene.user.secret) }));
    assert.equal(phone.browser.cookie("session_token").maxAge, null);
    assert.ok(phone.browser.cookie("dont_remember"));
    const trusted = await challenged(scene, scene.user, { rememberMe: false });
    await must(trusted.client.twoFactor.verifyTotp({ code: totp(scene.user.secret), trustDevice: true }));
    assert.equal(trusted.browser.cookie("dont_remember"), undefined, "a trusted device is remembered");
  }],

  ["two-factor: codes by mail only", async (scene) => {
    const home = device(scene);
    const user = await newUser(home);
    await mustFail(home.client.twoFactor.generateBackupCodes({ password: user.password }), 400, "TWO_FACTOR_NOT_ENABLED", "Two factor isn't enabled");
    await mustFail(home.client.twoFactor.getTotpUri({ password: user.password }), 400, "TOTP_NOT_ENABLED", "TOTP not enabled");
    assert.deepEqual(await must(home.client.twoFactor.enable({ password: user.password, method: "otp" })), { method: "otp" });
    assert.equal((await must(home.client.getSession())).user.twoFactorEnabled, true);
    const phone = device(scene);
    assert.deepEqual(await must(phone.client.signIn.email(user)), challenge("otp"));
    await mustFail(phone.client.twoFactor.verifyTotp({ code: "000000" }), 400, "TOTP_NOT_ENABLED", "TOTP not enabled");
    await mustFail(phone.client.twoFactor.verifyBackupCode({ code: "000000" }), 400, "BACKUP_CODES_NOT_ENABLED", "Backup codes aren't enabled");
    await must(phone.client.twoFactor.sendOtp());
    await must(phone.client.twoFactor.verifyOtp({ code: await sentCode(scene, user) }));
    assert.ok(await isSignedIn(phone));
  }],

  ["two-factor: enabling by a code that was mailed", async (scene) => {
    const home = device(scene);
    const user = await newUser(home);
    await must(home.client.twoFactor.sendOtp());
    const data = await must(home.client.twoFactor.verifyOtp({ code: await sentCode(scene, user) }));
    assert.equal(data.user.twoFactorEnabled, true);
    assert.equal((await must(home.client.getSession())).session.token, data.token);
    assert.notEqual(data.token, user.token);
  }],

  ["two-factor: disabling moves the atom", async (scene) => {
    const { trusted, user } = scene;
    await must(trusted.client.signOut());
    const phone = await challenged(scene, user);
    await must(phone.client.twoFactor.verifyTotp({ code: totp(user.secret), trustDevice: true }));
    const seen = await watched(phone);
    const old = seen.now.data.session;
    await mustFail(phone.client.twoFactor.disable({ password: "wrong password" }), ...invalidPassword);
    await mustFail(device(scene).client.twoFactor.disable({ password: user.password }), ...unauthorized);
    const before = seen.reads;
    assert.deepEqual(await must(phone.client.twoFactor.disable({ password: user.password })), { status: true });
    const { data: now } = await seen.settled(before);
    assert.equal(now.user.twoFactorEnabled, false);
    assert.notEqual(now.session.token, old.token);
    seen.stop();
    assert.equal(phone.browser.cookie("trust_device"), undefined);
    const tab = device(scene);
    assert.equal((await must(tab.client.signIn.email(user))).user.id, user.user.id);
    await mustFail(tab.client.twoFactor.verifyBackupCode({ code: user.backupCodes[1] }), 400, "BACKUP_CODES_NOT_ENABLED", "Backup codes aren't enabled");
  }],
];
