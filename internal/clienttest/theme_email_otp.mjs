// The plugin email-otp: codes in mails instead of links.

import assert from "node:assert/strict";
import { emailOTPClient } from "better-auth/client/plugins";
import { isSignedIn, must, mustFail, newUser, openPlugins, watched } from "./scene.mjs";

const device = (scene) => openPlugins(scene, [emailOTPClient()]);
const someAddress = () => `joan.${crypto.randomUUID()}@example.com`;
const success = { success: true };

const invalidOTP = [400, "INVALID_OTP", "Invalid OTP"];
const tooMany = [403, "TOO_MANY_ATTEMPTS", "Too many attempts"];
const invalidEmail = [400, "INVALID_EMAIL", "Invalid email"];
const unauthorized = [401, "UNAUTHORIZED", "Unauthorized"];

// otp has a code sent and returns it.
async function otp(scene, { client }, email, type) {
  assert.deepEqual(await must(client.emailOtp.sendVerificationOtp({ email, type })), success);
  return sent(scene, email, type);
}

async function sent(scene, email, type) {
  const { token } = await scene.mail(type, email, scene.plugins);
  assert.match(token, /^[0-9]{6}$/);
  return token;
}

// wrong is a code that is not the right one.
const wrong = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

export const steps = [
  ["email OTP: the first makes a user", async (scene) => {
    scene.home = device(scene);
    scene.email = someAddress();
    const code = await otp(scene, scene.home, scene.email, "sign-in");
    const data = await must(scene.home.client.signIn.emailOtp({ email: scene.email, otp: code, name: "Joan Clarke", image: "https://example.com/joan" }));
    const { name, email, emailVerified, image } = scene.user = data.user;
    assert.deepEqual({ name, email, emailVerified, image }, { name: "Joan Clarke", email: scene.email, emailVerified: true, image: "https://example.com/joan" });
    const now = await must(scene.home.client.getSession());
    assert.deepEqual([now.user, now.session.token], [data.user, data.token]);
    await mustFail(device(scene).client.signIn.emailOtp({ email: scene.email, otp: code }), ...invalidOTP);
  }],

  ["email OTP: signing in moves the atom", async (scene) => {
    const phone = device(scene);
    const seen = await watched(phone);
    const email = scene.email.toUpperCase();
    await must(phone.client.emailOtp.sendVerificationOtp({ email, type: "sign-in" }));
    const code = await sent(scene, scene.email, "sign-in");
    const before = seen.reads;
    await must(phone.client.signIn.emailOtp({ email, otp: code }));
    assert.equal((await seen.settled(before)).data.user.id, scene.user.id);
    seen.stop();
  }],

  ["email OTP: only the newest code is good", async (scene) => {
    const phone = device(scene);
    const old = await otp(scene, phone, scene.email, "sign-in");
    const newest = await otp(scene, phone, scene.email, "sign-in");
    if (old !== newest) await mustFail(phone.client.signIn.emailOtp({ email: scene.email, otp: old }), ...invalidOTP);
    await must(phone.client.signIn.emailOtp({ email: scene.email, otp: newest }));
  }],

  ["email OTP: three guesses", async (scene) => {
    const phone = device(scene);
    const code = await otp(scene, phone, scene.email, "sign-in");
    const guess = (otp) => phone.client.signIn.emailOtp({ email: scene.email, otp });
    for (let i = 0; i < 3; i++) await mustFail(guess(wrong(code)), ...invalidOTP);
    await mustFail(guess(code), ...tooMany);
    await mustFail(guess(code), ...invalidOTP);
    assert.equal(await isSignedIn(phone), false);
  }],

  ["email OTP: a code is for one purpose", async (scene) => {
    const phone = device(scene);
    const code = await otp(scene, phone, scene.email, "email-verification");
    await mustFail(phone.client.signIn.emailOtp({ email: scene.email, otp: code }), ...invalidOTP);
    await mustFail(phone.client.emailOtp.resetPassword({ email: scene.email, otp: code, password: "bombe at work" }), ...invalidOTP);
    assert.deepEqual(await must(phone.client.emailOtp.checkVerificationOtp({ email: scene.email, otp: code, type: "email-verification" })), success);
  }],

  ["email OTP: checking a code does not use it up", async (scene) => {
    const phone = device(scene);
    const code = await otp(scene, phone, scene.email, "sign-in");
    const check = (otp, email = scene.email) => phone.client.emailOtp.checkVerificationOtp({ email, otp, type: "sign-in" });
    assert.deepEqual(await must(check(code)), success);
    await mustFail(check(wrong(code)), ...invalidOTP);
    assert.deepEqual(await must(check(code)), success);
    await mustFail(check(code, "no address"), ...invalidEmail);
    await must(phone.client.signIn.emailOtp({ email: scene.email, otp: code }));
    const nobody = someAddress();
    const forNobody = await otp(scene, phone, nobody, "sign-in");
    await mustFail(check(forNobody, nobody), 400, "USER_NOT_FOUND", "User not found");
  }],

  ["email OTP: verifying an address moves the atom", async (scene) => {
    const phone = device(scene);
    const { email, user } = await newUser(phone);
    const seen = await watched(phone);
    const code = await otp(scene, phone, email, "email-verification");
    await mustFail(phone.client.emailOtp.verifyEmail({ email, otp: wrong(code) }), ...invalidOTP);
    const before = seen.reads;
    const data = await must(phone.client.emailOtp.verifyEmail({ email, otp: code }));
    assert.deepEqual([data.status, data.token, data.user.id, data.user.emailVerified], [true, null, user.id, true]);
    assert.equal((await seen.settled(before)).data.user.emailVerified, true);
    seen.stop();
  }],

  ["email OTP: requests that send nothing", async (scene) => {
    const { client } = device(scene);
    const before = (await scene.mails(scene.plugins)).length;
    const send = client.emailOtp.sendVerificationOtp;
    await mustFail(send({ email: "no address", type: "sign-in" }), ...invalidEmail);
    await mustFail(send({ email: scene.email, type: "change-email" }), 400, undefined, "Invalid OTP type");
    await mustFail(send({ email: scene.email, type: "other" }), 400, "VALIDATION_ERROR",
      '[body.type] Invalid option: expected one of "email-verification"|"sign-in"|"forget-password"|"change-email"');
    assert.deepEqual(await must(send({ email: someAddress(), type: "email-verification" })), success, "nobody is told who is known");
    assert.deepEqual(await must(send({ email: someAddress(), type: "forget-password" })), success);
    assert.deepEqual(await must(client.emailOtp.requestPasswordReset({ email: someAddress() })), success);
    assert.deepEqual(await must(client.forgetPassword.emailOtp({ email: someAddress() })), success);
    await mustFail(client.emailOtp.requestPasswordReset({ email: "no address" }), ...invalidEmail);
    await mustFail(client.forgetPassword.emailOtp({ email: "no address" }), ...invalidEmail);
    await mustFail(client.emailOtp.verifyEmail({ email: "no address", otp: "1" }), ...invalidEmail);
    await mustFail(client.emailOtp.resetPassword({ email: "no address", otp: "1", password: "bombe at work" }), ...invalidEmail);
    assert.equal((await scene.mails(scene.plugins)).length, before);
  }],

  ...[
    ["", (client, email) => client.emailOtp.requestPasswordReset({ email })],
    [" in the old way", (client, email) => client.forgetPassword.emailOtp({ email })],
  ].map(([how, request]) => [`email OTP: a new password${how}`, async (scene) => {
    const phone = device(scene);
    const { email, password: old } = await newUser(phone);
    const { client } = phone;
    assert.deepEqual(await must(request(client, email)), success);
    const code = await sent(scene, email, "forget-password");
    const password = "bombe at work";
    await mustFail(client.emailOtp.resetPassword({ email, otp: code, password: "short" }), 400, "PASSWORD_TOO_SHORT", "Password too short");
    await mustFail(client.emailOtp.resetPassword({ email, otp: wrong(code), password }), ...invalidOTP);
    assert.deepEqual(await must(client.emailOtp.resetPassword({ email, otp: code, password })), success);
    await mustFail(client.emailOtp.resetPassword({ email, otp: code, password }), ...invalidOTP);
    await mustFail(client.signIn.email({ email, password: old }), 401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
    assert.equal((await must(client.signIn.email({ email, password }))).user.emailVerified, true);
  }]),

  ["email OTP: another address", async (scene) => {
    const phone = device(scene);
    const { client } = phone;
    const { email, user } = await newUser(phone);
    const newEmail = someAddress();
    const seen = await watched(phone);
    const request = client.emailOtp.requestEmailChange;
    await mustFail(request({ newEmail }), 400, undefined, "OTP is required to verify current email");
    await mustFail(request({ newEmail: email, otp: "000000" }), 400, undefined, "Email is the same");
    await mustFail(request({ newEmail: "no address", otp: "000000" }), ...invalidEmail);
    const proof = await otp(scene, phone, email, "email-verification");
    await mustFail(request({ newEmail, otp: wrong(proof) }), ...invalidOTP);
    const before = seen.reads;
    assert.deepEqual(await must(request({ newEmail, otp: proof })), success);
    assert.equal((await seen.settled(before)).data.user.email, email, "nothing has changed yet");
    const code = await sent(scene, newEmail, "change-email");
    const change = client.emailOtp.changeEmail;
    await mustFail(change({ newEmail: someAddress(), otp: code }), ...invalidOTP);
    await mustFail(change({ newEmail: email, otp: code }), 400, undefined, "Email is the same");
    await mustFail(change({ newEmail: "no address", otp: code }), ...invalidEmail);
    assert.deepEqual(await must(change({ newEmail, otp: code })), success);
    const now = await must(client.getSession());
    assert.deepEqual([now.user.id, now.user.email, now.user.emailVerified], [user.id, newEmail, true]);
    seen.stop();
  }],

  ["email OTP: an address that is taken", async (scene) => {
    const phone = device(scene);
    const { email } = await newUser(phone);
    const proof = await otp(scene, phone, email, "email-verification");
    const before = (await scene.mails(scene.plugins)).length;
    assert.deepEqual(await must(phone.client.emailOtp.requestEmailChange({ newEmail: scene.email, otp: proof })), success, "which is nobody's business");
    assert.equal((await scene.mails(scene.plugins)).length, before);
  }],

  ["email OTP: a stranger's address", async (scene) => {
    const { client } = device(scene);
    await mustFail(client.emailOtp.requestEmailChange({ newEmail: someAddress(), otp: "000000" }), ...unauthorized);
    await mustFail(client.emailOtp.changeEmail({ newEmail: someAddress(), otp: "000000" }), ...unauthorized);
  }],

  ["email OTP: who has not proved an address loses it", async (scene) => {
    const squatter = device(scene);
    const { email, password, user } = await newUser(squatter);
    const owner = device(scene);
    const data = await must(owner.client.signIn.emailOtp({ email, otp: await otp(scene, owner, email, "sign-in") }));
    assert.deepEqual([data.user.id, data.user.emailVerified], [user.id, true]);
    assert.equal(await isSignedIn(squatter), false);
    await mustFail(squatter.client.signIn.email({ email, password }), 401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
  }],
];
