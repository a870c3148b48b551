// Serves the original on a free port, prints it and ends with stdin. The variable
// AUTH_BENCH_SERVE has its setting. Only what that needs is loaded, since memory is
// measured.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";

const { origin, secret, dialect, database, redis, prefix, cookieCache, plain } = JSON.parse(process.env.AUTH_BENCH_SERVE);
const connections = 8; // as the others

const open = {
  "": () => memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  async sqlite(url) {
    const { default: Database } = await import("better-sqlite3");
    return new Database(url);
  },
  async postgresql(url) {
    const { default: pg } = await import("pg");
    return new pg.Pool({ connectionString: url, max: connections });
  },
  async mysql(url) {
    const { default: mysql } = await import("mysql2/promise");
    return mysql.createPool({ uri: url, timezone: "Z", connectionLimit: connections });
  },
};

async function openRedis() {
  const { redisStorage } = await import("@better-auth/redis-storage");
  const { Redis } = await import("ioredis");
  const [host, port] = redis.split(":");
  return redisStorage({ client: new Redis({ host, port: Number(port) }), keyPrefix: prefix });
}

const plainPasswords = { hash: async (password) => password, verify: async ({ hash, password }) => hash === password };

const auth = betterAuth({
  baseURL: origin,
  secret,
  database: await open[dialect](database.URL),
  secondaryStorage: redis ? await openRedis() : undefined,
  session: { cookieCache: { enabled: cookieCache, maxAge: 60 * 60 } },
  emailAndPassword: { enabled: true, password: plain ? plainPasswords : undefined },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error" },
});

const server = createServer(toNodeHandler(auth));
server.listen(0, "127.0.0.1", () => console.log(`${server.address().address}:${server.address().port}`));
process.stdin.on("end", () => process.exit(0)).resume();
