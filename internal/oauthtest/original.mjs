// Serves the original with its generic-oauth plugin.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { toNodeHandler } from "better-auth/node";
import { genericOAuth } from "better-auth/plugins";
import Database from "better-sqlite3";
import { answer } from "./commands.mjs";

// Hashing takes more time than everything else together.
const password = {
  hash: async (password) => `plain:${password}`,
  verify: async ({ hash, password }) => hash === `plain:${password}`,
};

const servers = new Map();

answer({
  async serve({ path, providers, options }) {
    const database = path ? new Database(path) : undefined;
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
    database?.close();
  },
});
