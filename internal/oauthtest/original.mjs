// Serves the original with its generic-oauth plugin.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { toNodeHandler } from "better-auth/node";
import { genericOAuth } from "better-auth/plugins";
import Database from "better-sqlite3";
import mysql from "mysql2/promise";
import pg from "pg";
import { answer } from "./commands.mjs";

// Hashing takes more time than everything else together.
const password = {
  hash: async (password) => `plain:${password}`,
  verify: async ({ hash, password }) => hash === `plain:${password}`,
};

const open = {
  sqlite: (url) => new Database(url),
  postgresql: (url) => new pg.Pool({ connectionString: url, max: 4 }),
  mysql: (url) => mysql.createPool({ uri: url, timezone: "Z", connectionLimit: 4 }),
  none: () => undefined,
};

const servers = new Map();

answer({
  async serve({ dialect, url, providers, options }) {
    const database = open[dialect](url);
    const auth = betterAuth({
      ...options,
      database,
      emailAndPassword: { enabled: true, password },
      plugins: [genericOAuth({ config: providers })],
      telemetry: { enabled: false },
    });
    const server = createServer(toNodeHandler(auth));
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    const origin = `http://127.0.0.1:${server.address().port}`;
    servers.set(origin, { server, database });
    return { origin };
  },

  async stop({ origin }) {
    const { server, database } = servers.get(origin);
    servers.delete(origin);
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
    await (database?.end ?? database?.close)?.call(database);
  },
});
