// Serves the original: one instance a case and variant, each on a port and a
// database of its own.

import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { symmetricDecodeJWT, symmetricEncodeJWT } from "better-auth/crypto";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import * as plugins from "better-auth/plugins";
import Database from "better-sqlite3";
import { answer } from "./commands.mjs";
import { functions } from "./functions.mjs";
import { functions as sessionsFunctions } from "./plugin_sessions.mjs";
import { functions as identityFunctions } from "./plugin_identity.mjs";
import { functions as emailOtpFunctions } from "./plugin_email_otp.mjs";
import { functions as twoFactorFunctions } from "./plugin_two_factor.mjs";
import { functions as jwtFunctions } from "./plugin_jwt.mjs";
import { functions as probeFunctions } from "./plugin_probe.mjs";

const families = [functions, sessionsFunctions, identityFunctions, emailOtpFunctions, twoFactorFunctions, jwtFunctions, probeFunctions];

// complete puts functions where the options of a variant have a name for one.
function complete(options, database, site) {
  const named = Object.assign({}, ...families.map((functions) => functions(site)));
  const replace = (value) => {
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value === "string" && value.startsWith("$")) {
      if (!(value in named)) throw new Error(`no function is called ${value}`);
      return named[value];
    }
    if (typeof value === "string" && site.provider) return value.replaceAll("http://provider.test", site.provider);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replace(member)]));
  };
  const { genericOAuth: providers = {}, plugins: wanted = [], ...replaced } = replace(options);
  const added = wanted.map(([maker, own]) => (typeof maker === "function" ? maker : plugins[maker])(own));
  const generic = Object.entries(providers).map(([providerId, config]) => ({ providerId, ...config }));
  if (generic.length > 0) added.push(plugins.genericOAuth({ config: generic }));
  return {
    ...replaced,
    ...(added.length > 0 && { plugins: added }),
    ...(database && { database }),
    telemetry: { enabled: false },
    advanced: { ...replaced.advanced, backgroundTasks: { handler: (task) => site.tasks.push(task) } },
  };
}

const sites = new Map();

// A site collects what its instance does beside answering.
const newSite = () => ({ events: [], tasks: [], storage: new Map() });

// plain turns what a direct call gave into JSON.
const plain = (value) => (value === undefined ? null : value);

const list = (headers) => [...(headers ?? new Headers()).entries()];

// outcome is what a direct call came to.
function outcome(error) {
  if (error?.name !== "APIError") return { failure: `${error}` };
  return { thrown: { status: error.statusCode, body: error.body ?? null, headers: list(new Headers(error.headers)) } };
}

const shift = (payload, seconds) => {
  payload.updatedAt -= seconds * 1000;
  return payload;
};

// aged makes a copy of a session as it would have been some time ago.
const aged = {
  async compact(value, secret, seconds) {
    const { session, expiresAt } = JSON.parse(Buffer.from(value, "base64url"));
    const signed = { ...shift(session, seconds), expiresAt: expiresAt - seconds * 1000 };
    const signature = createHmac("sha256", secret).update(JSON.stringify(signed)).digest("base64url");
    return Buffer.from(JSON.stringify({ session, expiresAt: signed.expiresAt, signature })).toString("base64url");
  },

  async jwt(value, secret, seconds) {
    const [header, body] = value.split(".");
    const payload = shift(JSON.parse(Buffer.from(body, "base64url")), seconds);
    payload.iat -= seconds;
    payload.exp -= seconds;
    const text = `${header}.${Buffer.from(JSON.stringify(payload)).toString("base64url")}`;
    return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
  },

  async jwe(value, secret, seconds) {
    const { iat, exp, jti, ...payload } = await symmetricDecodeJWT(value, secret, "better-auth-session");
    return symmetricEncodeJWT(shift(payload, seconds), secret, "better-auth-session", exp - iat - seconds);
  },
};

answer({
  // prepare makes the tables.
  async prepare({ path, options }) {
    const database = new Database(path);
    const { runMigrations } = await getMigrations(complete(options, database, newSite()));
    await runMigrations();
    database.close();
  },

  async serve({ name, path, options, provider }) {
    const site = { ...newSite(), provider };
    site.database = path && new Database(path);
    site.auth = betterAuth(complete(options, site.database, site));
    site.server = createServer(toNodeHandler(site.auth));
    await new Promise((ready) => site.server.listen(0, "127.0.0.1", ready));
    sites.set(name, site);
    return { origin: `http://127.0.0.1:${site.server.address().port}` };
  },

  async stop({ name }) {
    const site = sites.get(name);
    sites.delete(name);
    site.server.closeAllConnections();
    await new Promise((done) => site.server.close(done));
    site.database?.close();
  },

  // settle waits for tasks in the background and returns what has happened since
  // the last time.
  async settle({ name }) {
    const site = sites.get(name);
    await new Promise((done) => setImmediate(done));
    while (site.tasks.length > 0) await Promise.allSettled(site.tasks.splice(0));
    const storage = [...site.storage].map(([key, { value, ttl }]) => ({ key, value, ttl }));
    return { events: site.events.splice(0), storage };
  },

  async call({ name, endpoint, input }) {
    const { auth } = sites.get(name);
    if (input.headers) input.headers = new Headers(input.headers);
    try {
      const value = await auth.api[endpoint](input);
      if (value instanceof Response) {
        return { response: { status: value.status, headers: list(value.headers), body: await value.text() } };
      }
      if (!input.returnHeaders && !input.returnStatus) return { value: plain(value) };
      const { response, headers, status } = value;
      return { value: plain(response), ...(headers && { headers: list(headers) }), ...(input.returnStatus && { status: status ?? null }) };
    } catch (error) {
      return outcome(error);
    }
  },

  // open reads what is encrypted in a cookie: a copy of a session, or an account.
  async open({ value, secret, salt }) {
    return { payload: await symmetricDecodeJWT(value, secret, salt) };
  },

  async age({ strategy, value, secret, seconds }) {
    return { value: await aged[strategy](value, secret, seconds) };
  },
});
