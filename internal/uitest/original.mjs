// Serves the original with the options of config_test.go, and tells of the mails it
// sends.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { magicLink, multiSession, twoFactor, username } from "better-auth/plugins";
import Database from "better-sqlite3";
import { answer, tell } from "./commands.mjs";

const mail = (kind) => async ({ user, newEmail, url }) => tell({ kind, to: newEmail ?? user.email, url });

answer({
  // serve answers for an origin whose server passes requests on to it.
  async serve({ origin, database }) {
    const options = {
      baseURL: origin,
      secret: "a secret for tests, 32 bytes long",
      database: new Database(database),
      telemetry: { enabled: false },
      rateLimit: { enabled: false },
      emailAndPassword: { enabled: true, sendResetPassword: mail("reset") },
      emailVerification: { sendVerificationEmail: mail("verification") },
      user: { changeEmail: { enabled: true }, deleteUser: { enabled: true } },
      plugins: [
        username(),
        magicLink({ sendMagicLink: async ({ email, url }) => tell({ kind: "magic link", to: email, url }) }),
        twoFactor({ otpOptions: { sendOTP: async ({ user, otp }) => tell({ kind: "code", to: user.email, code: otp }) } }),
        multiSession(),
      ],
    };
    await (await getMigrations(options)).runMigrations();
    const server = createServer(toNodeHandler(betterAuth(options)));
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    return { at: `http://127.0.0.1:${server.address().port}` };
  },
});
