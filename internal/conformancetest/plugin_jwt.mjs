// The functions that the options of plugins name, with what a case sees of them:
// variants_plugin_jwt_test.go has the same ones for this library.

import { randomUUID } from "node:crypto";
import { APIError } from "better-auth/api";

export function functions(site) {
  const tell = (what, data = {}) => site.events.push({ what, ...data });
  return {
    "$jwt payload": ({ user, session }) => {
      tell("payload", { email: user.email, user: session.userId });
      return { email: user.email, role: "<admin> & co", own: session.userId === user.id, sub: "replaced" };
    },
    "$jwt claims": ({ user }) => ({
      iss: "https://issuer.test", aud: ["a", "b"], exp: "2h", nbf: new Date(946684800000), iat: 946684800, jti: "j1", sub: "x", name: user.name,
    }),
    "$jwt nothing": () => undefined,
    "$jwt odd": ({ user }) => ({ [user.name === "Me" ? "iss" : user.name.toLowerCase()]: 5 }),
    "$jwt failed": () => {
      throw new Error("it failed");
    },
    "$jwt refused": () => {
      throw new APIError("FORBIDDEN", { message: "No", code: "REFUSED" });
    },
    "$jwt subject": async ({ user }) => `subject of ${user.name}`,
    "$jwt sign": async (payload, header, config) => {
      tell("sign", { payload, header: header?.typ ?? "", algorithm: config?.signingAlgorithm ?? "", key: config?.signingKeyId ?? "" });
      return "signed elsewhere";
    },
    "$jwt find": async () => {
      tell("find");
      return site.keys ?? [];
    },
    "$jwt create": async (data) => {
      tell("create", { alg: data.alg, crv: data.crv ?? "", expires: !!data.expiresAt });
      const key = { ...data, id: randomUUID() };
      site.keys = [...(site.keys ?? []), key];
      return key;
    },
  };
}
