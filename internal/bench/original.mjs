// Serves the original on a free port, prints it and ends with stdin. Arguments:
// base URL, secret and the path of a SQLite database; without one it uses memory.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import Database from "better-sqlite3";

const [baseURL, secret, path] = process.argv.slice(2);

const auth = betterAuth({
  baseURL,
  secret,
  database: path ? new Database(path) : memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error" },
});

const server = createServer(toNodeHandler(auth));
server.listen(0, "127.0.0.1", () => console.log(`${server.address().address}:${server.address().port}`));
process.stdin.on("end", () => process.exit(0)).resume();
