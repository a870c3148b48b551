// Serves the npm package with the same options as client_test.go serves the
// library, prints the origins as {"plain":…,"strict":…,"plugins":…} and ends when
// its input ends. PROVIDER_URL is the issuer of the OpenID provider of both.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins/bearer";
import { emailOTP } from "better-auth/plugins/email-otp";
import { genericOAuth } from "better-auth/plugins/generic-oauth";
import { jwt } from "better-auth/plugins/jwt";
import { magicLink } from "better-auth/plugins/magic-link";
import { multiSession } from "better-auth/plugins/multi-session";
import { oneTimeToken } from "better-auth/plugins/one-time-token";
import { twoFactor } from "better-auth/plugins/two-factor";
import { username } from "better-auth/plugins/username";

console.warn = console.error; // stdout is for the origins

// listen serves what options make of a site's origin and outbox.
async function listen(options) {
  const mails = [];
  const send = (kind, to, url, token) => void mails.push({ kind, to, url, token });
  const mail = (kind) => async ({ user, url, token }) => send(kind, user.email, url, token);
  let handle;
  const server = createServer((request, response) => {
    if (request.url === "/outbox") response.end(JSON.stringify(mails));
    else handle(request, response);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const origin = `http://127.0.0.1:${server.address().port}`;
  handle = toNodeHandler(betterAuth({
    baseURL: origin,
    secret: "a secret for tests, 32 bytes long",
    database: memoryAdapter({ // without one, cookies are all
      user: [], session: [], account: [], verification: [], twoFactor: [], jwks: [],
    }),
    telemetry: { enabled: false },
    ...options(mail, send),
  }));
  return origin;
}

// openID is the provider with more options.
const openID = (options = {}) => genericOAuth({
  config: [{
    providerId: "op",
    discoveryUrl: `${process.env.PROVIDER_URL}/.well-known/openid-configuration`,
    clientId: "app",
    clientSecret: "the app's secret",
    scopes: ["openid", "profile", "email"],
    ...options,
  }],
});

const plain = await listen((mail) => ({
  plugins: [openID()],
  emailAndPassword: { enabled: true, sendResetPassword: mail("reset") },
  emailVerification: { sendVerificationEmail: mail("verification") },
  user: {
    changeEmail: { enabled: true, sendChangeEmailConfirmation: mail("confirmation") },
    deleteUser: { enabled: true },
    additionalFields: {
      plan: { type: "string", required: false },
      score: { type: "number", required: false },
      trialEnds: { type: "date", required: false },
      role: { type: "string", required: false, input: false, defaultValue: "reader" },
      note: { type: "string", required: false, returned: false },
    },
  },
  session: { additionalFields: { place: { type: "string", required: false } } },
}));

const strict = await listen((mail) => ({
  basePath: "/auth",
  plugins: [openID({ requireEmailVerification: true, disableImplicitSignUp: true })],
  account: { storeAccountCookie: true, storeStateStrategy: "cookie" },
  emailAndPassword: {
    enabled: true,
    requireEmailVerification: true,
    sendResetPassword: mail("reset"),
    revokeSessionsOnPasswordReset: true,
  },
  emailVerification: { sendVerificationEmail: mail("verification"), sendOnSignIn: true, autoSignInAfterVerification: true },
  user: { deleteUser: { enabled: true, sendDeleteAccountVerification: mail("deletion") } },
  session: { deferSessionRefresh: true, updateAge: 0 },
}));

const plugins = await listen((mail, send) => ({
  appName: "Analytical Engines",
  plugins: [
    username(),
    magicLink({ sendMagicLink: async ({ email, url, token }) => send("magic link", email, url, token) }),
    emailOTP({
      sendVerificationOTP: async ({ email, otp, type }) => send(type, email, "", otp),
      changeEmail: { enabled: true, verifyCurrentEmail: true },
    }),
    twoFactor({ otpOptions: { sendOTP: async ({ user, otp }) => send("second factor", user.email, "", otp) } }),
    jwt(),
    multiSession({ maximumSessions: 3 }),
    oneTimeToken(),
    bearer(),
  ],
  emailAndPassword: {
    enabled: true,
    password: { // that cost nothing
      hash: async (password) => `of ${password}`,
      verify: async ({ hash, password }) => hash === `of ${password}`,
    },
  },
}));

console.log(JSON.stringify({ plain, strict, plugins }));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
