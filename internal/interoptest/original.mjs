// Serves the original. Between its answers it tells of the mails that the
// instances send.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins/bearer";
import { emailOTP } from "better-auth/plugins/email-otp";
import { jwt } from "better-auth/plugins/jwt";
import { magicLink } from "better-auth/plugins/magic-link";
import { multiSession } from "better-auth/plugins/multi-session";
import { oneTimeToken } from "better-auth/plugins/one-time-token";
import { twoFactor } from "better-auth/plugins/two-factor";
import { username } from "better-auth/plugins/username";
import Database from "better-sqlite3";
import mysql from "mysql2/promise"; // the pool that the original's documentation names
import pg from "pg";
import { answer, tell } from "./commands.mjs";

// The driver returns a bigint as text, which the original passes on.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const open = {
  sqlite: (url) => new Database(url),
  // A connection that is cut while it idles is no reason to end.
  postgresql: (url) => new pg.Pool({ connectionString: url, max: 4 }).on("error", console.error),
  mysql: (url) => mysql.createPool({ uri: url, timezone: "Z", connectionLimit: 4 }),
};

const close = {
  sqlite: (database) => database.close(),
  postgresql: (database) => database.end(),
  mysql: (database) => database.end(),
};

const plugins = { bearer, emailOTP, jwt, magicLink, multiSession, oneTimeToken, twoFactor, username };

// complete puts functions where the options of a command have a name for one, and
// plugins where they have a name and its options.
function complete(options, database, send) {
  const mail = (kind) => async ({ user, newEmail, url, token }) => send({ kind, to: user.email, newEmail, url, token });
  const functions = {
    "$mail reset": mail("reset"),
    "$mail verification": mail("verification"),
    "$mail confirmation": mail("confirmation"),
    "$mail deletion": mail("deletion"),
    "$magic link": async ({ email, url, token }) => send({ kind: "magic link", to: email, url, token }),
    "$email OTP": async ({ email, otp, type }) => send({ kind: type, to: email, token: otp }),
    "$second factor": async ({ user, otp }) => send({ kind: "second factor", to: user.email, token: otp }),
    "$hash": async (password) => `of ${password}`,
    "$verify": async ({ hash, password }) => hash === `of ${password}`,
    "$now": () => new Date(),
  };
  const replace = (value) => {
    if (Array.isArray(value)) return value.map(replace);
    if (value === null || typeof value !== "object") return functions[value] ?? value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replace(member)]));
  };
  const complete = { ...replace(options), database, telemetry: { enabled: false } };
  complete.plugins = complete.plugins?.map(([name, options]) => plugins[name](options));
  return complete;
}

const servers = new Map();

answer({
  async serve({ site, dialect, url, options }) {
    const database = open[dialect](url);
    const auth = betterAuth(complete(options, database, (mail) => tell({ site, ...mail })));
    const server = createServer(toNodeHandler(auth));
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    servers.set(site, { auth, server, database, dialect });
    return { origin: `http://127.0.0.1:${server.address().port}` };
  },

  // call calls a function of the server's own.
  call: ({ site, name, body }) => servers.get(site).auth.api[name]({ body }),

  async stop({ site }) {
    const { server, database, dialect } = servers.get(site);
    servers.delete(site);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await close[dialect](database);
  },

  // migrate does what the original's own command does and returns the plan, what
  // it found to complain about included. It only looks if dry is set.
  async migrate({ dialect, url, options, dry }) {
    const database = open[dialect](url);
    try {
      const complaints = [];
      const logger = { level: "warn", log: (level, message) => complaints.push(message) };
      const plan = await getMigrations(
        { ...complete(options, database, () => undefined), logger },
        { throwOnUnsafe: !dry },
      );
      if (!dry) await plan.runMigrations();
      const names = (tables) => tables.flatMap(({ table, fields }) => Object.keys(fields).map((field) => `${table}.${field}`));
      return {
        created: names(plan.toBeCreated),
        added: names(plan.toBeAdded),
        indexes: plan.toBeAddedIndexes.map(({ name }) => name),
        problems: [...plan.unsafeChanges, ...plan.schemaProblems],
        complaints,
      };
    } finally {
      await close[dialect](database);
    }
  },
});
