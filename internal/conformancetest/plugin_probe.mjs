// A plugin that uses everything that plugins can do, for questions about the mechanism:
// variants_plugin_probe_test.go has the same one for this library.

import { APIError, createAuthEndpoint, createAuthMiddleware, freshSessionMiddleware, sensitiveSessionMiddleware, sessionMiddleware } from "better-auth/api";
import * as z from "zod";

export function functions(site) {
  const tell = (what, data = {}) => site.events.push({ what, ...data });
  return {
    "$probe": (options) => probe(tell, options),
    "$witness": ({ id }) => ({ id, hooks: { before: [around(tell, id, "before", () => true)], after: [around(tell, id, "after", () => true)] } }),
    "$probe rows": rows(tell, "application"),
    "$application before": around(tell, "application", "before").handler,
    "$application after": around(tell, "application", "after").handler,
  };
}

// probe has endpoints, hooks, columns, a table, rules and defaults.
function probe(tell, { id = "probe", defaults = {} } = {}) {
  return {
    id,
    init: () => ({ options: { ...defaults, databaseHooks: rows(tell, id), trustedOrigins: ["https://probe.test"] } }),
    endpoints: endpoints(),
    hooks: {
      before: [
        around(tell, id, "before", () => true),
        { matcher: ({ path }) => path === "/probe/item/:item", handler: createAuthMiddleware(async ({ path }) => void tell(`${id} template`, { path })) },
        { matcher: ({ path }) => path === "/probe/item/7", handler: createAuthMiddleware(async () => void tell(`${id} concrete`)) },
      ],
      after: [around(tell, id, "after", () => true)],
    },
    schema: {
      user: {
        fields: {
          nickname: { type: "string", required: false },
          rank: { type: "number", required: false, input: false, defaultValue: 1 },
          note: { type: "string", required: false, returned: false },
          badge: { type: "string", required: false, input: false },
          shout: { type: "string", required: false, unique: true, transform: { input: (value) => (typeof value === "string" ? value.toUpperCase() : value) } },
        },
      },
      session: { fields: { device: { type: "string", required: false }, trust: { type: "number", required: false, input: false, defaultValue: 3 } } },
      probeItem: { fields: { text: { type: "string", required: true }, userId: { type: "string", required: true, references: { model: "user", field: "id", onDelete: "cascade" }, index: true } } },
    },
    rateLimit: [
      { pathMatcher: (path) => path === "/probe/echo", window: 60, max: 2 },
      { pathMatcher: (path) => path === "/probe/plain", window: 60, max: 1 },
      { pathMatcher: (path) => path.startsWith("/sign-in/"), window: 60, max: 4 },
    ],
    onRequest: async (request) => {
      if (request.headers.get("x-stop") === "yes") return { response: Response.json({ message: "Stopped", code: "STOPPED" }, { status: 418, headers: { "x-stopped": "yes" } }) };
    },
  };
}

const body = z.object({ text: z.string(), times: z.number().optional() });

const endpoints = () => ({
  probeEcho: createAuthEndpoint("/probe/echo", { method: "POST", body }, async (ctx) => ctx.json({ text: ctx.body.text, times: ctx.body.times ?? 1 })),
  probePlain: createAuthEndpoint("/probe/plain", { method: "GET", query: z.object({ q: z.string().optional() }).optional() }, async (ctx) => {
    ctx.setHeader("x-plain", "endpoint");
    ctx.setHeader("access-control-expose-headers", "x-plain");
    ctx.setCookie("plain", "1", { path: "/" });
    return ctx.json({ q: ctx.query?.q ?? null });
  }),
  probeItem: createAuthEndpoint("/probe/item/:item", { method: "GET" }, async (ctx) => ctx.json({ item: ctx.params.item })),
  probeFail: createAuthEndpoint("/probe/fail", { method: "POST", body: z.object({ how: z.string() }) }, async (ctx) => {
    ctx.setHeader("x-queued", "yes");
    ctx.setCookie("failed", "1", { path: "/" });
    switch (ctx.body.how) {
      case "refuse":
        throw new APIError("CONFLICT", { message: "Not like that", code: "PROBE_CONFLICT" }, { "x-probe": "failed", "access-control-expose-headers": "x-probe" });
      case "redirect":
        throw ctx.redirect("/elsewhere");
      case "break":
        throw new Error("it broke");
    }
    return ctx.json({ how: ctx.body.how });
  }),
  probeWho: createAuthEndpoint("/probe/who", { method: "GET", use: [sessionMiddleware] }, async (ctx) => ctx.json({ name: ctx.context.session.user.name, nickname: ctx.context.session.user.nickname ?? null, device: ctx.context.session.session.device ?? null })),
  probeStored: createAuthEndpoint("/probe/stored", { method: "POST", use: [sensitiveSessionMiddleware], body: z.object({}).optional() }, async (ctx) => ctx.json({ name: ctx.context.session.user.name })),
  probeFresh: createAuthEndpoint("/probe/fresh", { method: "POST", use: [freshSessionMiddleware], body: z.object({}).optional() }, async (ctx) => ctx.json({ name: ctx.context.session.user.name })),
  probeKeep: createAuthEndpoint("/probe/keep", { method: "POST", use: [sessionMiddleware], body: z.object({ text: z.string() }) }, async (ctx) => {
    const item = await ctx.context.adapter.create({ model: "probeItem", data: { text: ctx.body.text, userId: ctx.context.session.user.id } });
    return ctx.json({ id: item.id });
  }),
  probeForm: createAuthEndpoint("/probe/form", { method: "POST", body, metadata: { allowedMediaTypes: ["application/x-www-form-urlencoded", "application/json"] } }, async (ctx) => ctx.json({ text: ctx.body.text })),
  probeSecret: createAuthEndpoint("/probe/secret", { method: "POST", metadata: { noStore: true } }, async (ctx) => ctx.json({ secret: "s" })),
  probeInside: createAuthEndpoint({ method: "POST", body }, async (ctx) => ctx.json({ text: ctx.body.text, inside: true })),
});

// around is a hook that says what it sees and does what a header of the request says,
// one thing after the other.
const around = (tell, id, when, matcher) => ({
  matcher,
  handler: createAuthMiddleware(async (ctx) => {
    const { returned } = ctx.context;
    const seen = when === "before" ? { text: typeof ctx.body?.text === "string" ? ctx.body.text : "" } : { failed: returned?.statusCode ?? 0, result: returned?.text ?? returned?.by ?? "", session: Boolean(ctx.context.newSession) };
    tell(`${id} ${when}`, { path: ctx.path === "/" ? "" : ctx.path, ...seen });
    for (const act of (ctx.headers?.get(`x-${id}-${when}`) ?? "").split(" ")) {
      if (act === "answer") return { by: id };
      if (act === "null") return null;
      if (act === "header") ctx.setHeader("x-hook", `${id} ${when}`);
      if (act === "cookie") ctx.setCookie(`${id}-${when}`, "1", { path: "/" });
      if (act === "expose") {
        ctx.setHeader(`x-${id}`, when);
        ctx.setHeader("access-control-expose-headers", `x-${id}`);
      }
      if (act === "edit" && typeof ctx.body?.text === "string") ctx.body.text += ` ${id}`;
      if (act === "refuse") throw new APIError("FORBIDDEN", { message: `Refused by ${id}`, code: "REFUSED" }, { [`x-refused-${id}`]: when, "access-control-expose-headers": `x-refused-${id}` });
      if (act === "redirect") throw ctx.redirect(`/from-${id}`);
      if (act === "fail") throw new Error("a hook failed");
    }
  }),
});

// rows are hooks around users and sessions that add a letter to a text.
const rows = (tell, id) => ({
  user: {
    create: {
      before: async (user) => {
        tell(`${id} before creation of user`, { nickname: user.nickname ?? "" });
        if (user.name === `Refused by ${id}`) throw new APIError("FORBIDDEN", { message: "No", code: "REFUSED" });
        if (user.name === `Aborted by ${id}`) return false;
        if (user.nickname) return { data: { nickname: `${user.nickname} ${id}` } };
      },
      after: async (user) => tell(`${id} after creation of user`, { nickname: user.nickname ?? "" }),
    },
    update: {
      before: async (changes) => {
        tell(`${id} before update of user`, { nickname: changes.nickname ?? "" });
        if (changes.nickname?.startsWith("Chain")) return { data: { nickname: `${changes.nickname} ${id}` } };
      },
      after: async (user) => tell(`${id} after update of user`, { nickname: user.nickname ?? "" }),
    },
  },
  session: {
    create: { before: async (session) => void tell(`${id} before creation of session`), after: async () => tell(`${id} after creation of session`) },
    delete: { before: async () => void tell(`${id} before deletion of session`), after: async () => tell(`${id} after deletion of session`) },
  },
});
