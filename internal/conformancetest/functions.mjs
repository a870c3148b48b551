// The functions that the options of variants name, with what a case sees of them:
// functions_test.go has the same ones for this library.

import { APIError, createAuthMiddleware } from "better-auth/api";

// ends are how callbacks come to an end.
const ends = {
  told: () => {},
  refused: () => {
    throw new APIError("FORBIDDEN", { message: "No", code: "REFUSED" });
  },
  failed: () => {
    throw new Error("it failed");
  },
};

export function functions(site) {
  const tell = (what, data = {}) => site.events.push({ what, ...data });
  const mail = (kind) => async ({ user, newEmail, url, token }) => tell(`mail ${kind}`, { to: user.email, newEmail, url, token });
  // ending records the user that a callback gets, by itself or as a member.
  const ending = (what, end) => async (data) => {
    const { email, emailVerified } = data.user ?? data;
    tell(what, { email, emailVerified });
    ends[end]();
  };
  const endings = {};
  for (const end in ends) {
    for (const name of ["onPasswordReset", "beforeEmailVerification", "afterEmailVerification", "beforeDelete", "afterDelete"]) {
      endings[`$${end} ${name}`] = ending(name, end);
    }
    for (const kind of ["reset", "verification", "confirmation", "deletion"]) {
      endings[`$${end} ${kind}`] = ending(`sends ${kind}`, end);
    }
  }
  return {
    ...endings,

    "$mail reset": mail("reset"),
    "$mail verification": mail("verification"),
    "$mail confirmation": mail("confirmation"),
    "$mail deletion": mail("deletion"),

    // Hashing is not what most cases are about.
    "$hash": async (password) => `plain:${password}`,
    "$verify": async ({ hash, password }) => hash === `plain:${password}`,

    "$storage": storage(site.storage),

    "$validate": async ({ user, source }) => {
      tell("validate", { name: user.name, email: user.email, method: source.method, action: source.action, ...(source.oauth && { provider: source.oauth.providerId, subject: source.oauth.profile?.sub }) });
      if (user.name === "Mallory") return { error: "not_invited", errorDescription: "Only with an invitation" };
      if (user.name === "Trudy") return { error: "not_invited" };
      if (user.name === "Oscar") throw new Error("the list is gone");
    },

    // Of providers.
    "$map": ({ mapped }) => mapped ?? {},
    "$verifyIdToken": async (token, nonce) => token === `good ${nonce ?? ""}`,
    "$assertion": async () => "an assertion",
    "$trusted": async (request) => ["github", request?.headers.get("x-trust")],
    "$subject": ({ profile }) => profile.username ?? "",
    "$token": async ({ code }) => ({ accessToken: `own-${code}`, scopes: ["own"] }),
    "$info": async ({ accessToken }) => ({ id: "own", email: "Own@Example.com", emailVerified: true, name: accessToken }),

    "$synthetic": ({ coreFields, additionalFields, id }) => ({ ...coreFields, ...additionalFields, plan: "made up", unknown: 1, id }),

    "$ids": ids(),

    "$rule": async (request, rule) => {
      const partner = request.headers.get("x-partner");
      if (partner === "free") return false;
      return partner === "more" ? { window: rule.window, max: rule.max + 1 } : rule;
    },

    "$error": async (error) => tell("error", { status: error.statusCode ?? 500, message: error.statusCode ? error.message : "" }),

    "$refuse": createAuthMiddleware(async ({ headers }) => {
      const hook = headers?.get("x-hook");
      if (hook === "refuse") throw new APIError("CONFLICT", { message: "Not now", code: "NOT_NOW" });
      if (hook === "fail") throw new Error("a hook failed");
    }),

    "$order before": createAuthMiddleware(async ({ path }) => void tell("before the endpoint", { path })),
    "$order after": createAuthMiddleware(async ({ path }) => void tell("after the endpoint", { path })),
    "$order rows": {
      user: recording(tell, "user", ({ email }) => email),
      session: recording(tell, "session", ({ token }) => token),
      account: recording(tell, "account", ({ providerId }) => providerId),
      verification: recording(tell, "verification", ({ identifier }) => identifier),
    },
    ...Object.fromEntries(
      ["existing", "reset"].map((name) => [`$callback ${name}`, async ({ user }) => tell(`callback ${name}`, { email: user.email })]),
    ),
    ...Object.fromEntries(
      ["verify", "verified", "delete", "deleted"].map((name) => [`$callback ${name}`, async (user) => tell(`callback ${name}`, { email: user.email })]),
    ),

    "$before": createAuthMiddleware(async (ctx) => {
      switch (ctx.headers?.get("x-before")) {
        case "answer":
          return { answered: true };
        case "header":
          ctx.setHeader("x-hook", "before");
          ctx.setCookie("before", "1", { path: "/" });
          return;
        case "alter":
          if (ctx.path === "/sign-up/email") return { context: { body: { name: "Altered", email: "altered@example.com" } } };
          if (ctx.path === "/sign-in/email") return { context: { body: { password: "correct horse" } } };
          return;
        case "spoil":
          return { context: { body: { email: "spoilt" } } };
        case "refuse":
          ctx.setHeader("x-hook", "before");
          throw new APIError("FORBIDDEN", { message: "Refused", code: "REFUSED" }, { "x-refused": "yes" });
        case "redirect":
          throw ctx.redirect("/elsewhere?a=b");
        case "fail":
          throw new Error("a hook failed");
      }
    }),

    "$after": createAuthMiddleware(async (ctx) => {
      const { returned } = ctx.context;
      tell("after", { path: ctx.path, failed: returned?.statusCode ?? 0 });
      switch (ctx.headers?.get("x-after")) {
        case "answer":
          return { answered: true };
        case "null":
          return null;
        case "header":
          ctx.setHeader("x-hook", "after");
          ctx.setCookie("after", "1", { path: "/" });
          return;
        case "refuse":
          throw new APIError("FORBIDDEN", { message: "Refused", code: "REFUSED" }, { "x-refused": "yes" });
        case "redirect":
          throw ctx.redirect("/elsewhere?a=b");
        case "fail":
          throw new Error("a hook failed");
      }
    }),

    "$existing": async ({ user }) => {
      tell("existing", { email: user.email });
      if (user.name === "Oscar") throw new Error("the mail server is down");
    },

    ...databaseHooks(tell),

    // Those of additional fields.
    "$made": () => "made",
    "$now": () => new Date(),
    "$updated": () => "updated",
    "$stirred": () => "stirred",
    "$polite": (value) => (typeof value === "string" ? `dear ${value}` : value),
    "$upper": (value) => (typeof value === "string" ? value.toUpperCase() : value),
    "$lower": validator((value) => (typeof value === "string" && value.toLowerCase() === value ? { value } : { issues: [{ message: "small letters only" }] })),

    // A tenant is trusted in requests to it.
    "$origins": async (request) => {
      const tenant = request?.headers.get("x-tenant");
      return tenant ? [`https://${tenant}.tenants.test`] : [];
    },
  };
}

// recording are hooks that tell what happens to the rows of a table.
const recording = (tell, table, name) => {
  const on = (when) => async (row) => void tell(`${when} of ${table}`, { row: name(row) });
  return {
    create: { before: on("before creation"), after: on("after creation") },
    update: {
      before: async ({ updatedAt, ...changes }) => {
        const names = Object.keys(changes).filter((name) => changes[name] !== undefined);
        tell(`before update of ${table}`, { changes: names.sort() });
      },
      after: on("after update"),
    },
    delete: { before: on("before deletion"), after: on("after deletion") },
  };
};

// databaseHooks do what the end of a text of the row says.
function databaseHooks(tell) {
  const hooks = {};
  for (const column of ["user.name", "session.userAgent", "account.password", "account.accessToken", "verification.value"]) {
    const key = column.split(".")[1];
    for (const operation of ["create", "update", "delete"]) {
      hooks[`$before ${operation} ${column}`] = async (data) => {
        const text = data[key] ?? "";
        tell(`before ${operation} ${column}`, { text });
        if (text.endsWith("Abort")) return false;
        if (text.endsWith("Refuse")) throw new APIError("FORBIDDEN", { message: "Refused", code: "REFUSED" });
        if (text.endsWith("Conflict")) throw new APIError("CONFLICT", { message: "Conflicting", code: "CONFLICTING" });
        if (text.endsWith("Fail")) throw new Error("a hook failed");
        if (text.endsWith("Change")) return { data: { [key]: `${text}d` } };
      };
      hooks[`$after ${operation} ${column}`] = async (data) => tell(`after ${operation} ${column}`, { text: data?.[key] ?? "" });
    }
  }
  return hooks;
}

// ids counts the rows of each table.
function ids() {
  const last = {};
  return ({ model }) => `${model}-${(last[model] = (last[model] ?? 0) + 1)}`;
}

// validator is one of Standard Schema.
const validator = (validate) => ({ "~standard": { version: 1, vendor: "conformance", validate } });

// storage is a secondary storage in memory.
const storage = (entries) => ({
  get: async (key) => entries.get(key)?.value ?? null,
  set: async (key, value, ttl) => void entries.set(key, { value, ttl: ttl ?? 0 }),
  delete: async (key) => void entries.delete(key),
  getAndDelete: async (key) => {
    const value = entries.get(key)?.value ?? null;
    entries.delete(key);
    return value;
  },
  increment: async (key, ttl) => {
    const { value, ttl: first } = entries.get(key) ?? { value: "0", ttl };
    entries.set(key, { value: String(Number(value) + 1), ttl: first });
    return Number(value) + 1;
  },
});
