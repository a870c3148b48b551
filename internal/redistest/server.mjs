// A server of the npm package better-auth with its own Redis storage. It prints
// its origin and serves until its input ends.
//
//   AUTH_SECRET, AUTH_TEST_REDIS, REDIS_PREFIX   shared with the other server

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { toNodeHandler } from "better-auth/node";
import { redisStorage } from "@better-auth/redis-storage";
import { Redis } from "ioredis";

const [host, port] = process.env.AUTH_TEST_REDIS.split(":");
const client = new Redis({ host, port: Number(port) });
const server = createServer((request, response) => handler(request, response));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

// Without a database users live in memory; sessions are in Redis alone.
const auth = betterAuth({
  baseURL: origin,
  secret: process.env.AUTH_SECRET,
  secondaryStorage: redisStorage({ client, keyPrefix: process.env.REDIS_PREFIX }),
  emailAndPassword: { enabled: true, sendResetPassword: async () => {} },
  user: { additionalFields: { plan: { type: "string", required: false, input: true }, secretNote: { type: "string", required: false, returned: false, defaultValue: "hush" } } },
  rateLimit: { enabled: true, customRules: { "/ok": { window: 60, max: 5 } , "/**": false } },
  telemetry: { enabled: false },
  session: { cookieCache: { enabled: false } },
});
const handler = toNodeHandler(auth);

console.log(origin);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
