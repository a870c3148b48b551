// Runs providers that accept everything and lie as they are told.

import { OAuth2Issuer, OAuth2Service } from "oauth2-mock-server";
import { answer } from "./commands.mjs";
import { algorithms, keyFor, makeToken, merge, newPairs } from "./keys.mjs";
import { listen } from "./listen.mjs";

const running = new Map();

const byPath = { "/authorize": "authorize", "/token": "token", "/userinfo": "userinfo", "/jwks": "jwks", "/.well-known/openid-configuration": "discovery" };

// A generation is the pairs of all providers until they rotate.
const generations = [];

function keyOf(site, alg) {
  generations[site.generation] ??= newPairs();
  return keyFor(alg, `${alg}-${site.generation}`, generations[site.generation](alg));
}

const keysOf = (site) => algorithms.map((alg) => keyOf(site, alg));

// idToken signs what the provider says of the user, but for the changes.
function idToken(site, about, { claims, alg = "RS256", header, forgery } = {}) {
  return makeToken(merge({ ...about, ...site.user }, claims), keyOf(site, alg), { header, forgery });
}

// usual changes the answers of oauth2-mock-server to those of a provider that has
// one user and many keys.
const usual = {
  token: (site, body, rule) => (body.id_token ? { ...body, id_token: idToken(site, payload(body.id_token), rule.idToken) } : body),
  userinfo: (site) => site.user,
  jwks: (site) => ({ keys: keysOf(site).map((key) => key.jwk) }),
  discovery: (site, body) => ({ ...body, id_token_signing_alg_values_supported: algorithms }),
};

const payload = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

// tamper sees an answer before it is sent.
function tamper(site, endpoint, response) {
  const end = response.end.bind(response);
  response.end = (chunk, ...rest) => {
    if (response.statusCode !== 200) return end(chunk, ...rest);
    const rule = site.rules[endpoint] ?? {};
    const text = JSON.stringify(merge(usual[endpoint](site, JSON.parse(chunk), rule), rule.set));
    response.setHeader("Content-Length", Buffer.byteLength(text));
    response.removeHeader("ETag");
    return end(text);
  };
}

async function serve(site, inner, request, response) {
  const endpoint = byPath[new URL(request.url, "http://provider").pathname];
  const { delay, drop, status, headers, body } = site.rules[endpoint] ?? {};
  if (delay) await new Promise((later) => setTimeout(later, delay));
  if (drop) return request.socket.destroy();
  if (status || body != null) return response.writeHead(status || 200, { "Content-Type": "application/json", ...headers }).end(body ?? "{}");
  if (usual[endpoint]) tamper(site, endpoint, response);
  inner(request, response);
}

answer({
  async start() {
    const site = { user: {}, rules: {}, generation: 1 };
    Object.assign(site, await listen(async (url) => {
      const issuer = new OAuth2Issuer();
      issuer.url = url;
      await issuer.keys.generate("ES256");
      const inner = new OAuth2Service(issuer).requestHandler;
      return (request, response) => serve(site, inner, request, response);
    }));
    running.set(site.issuer, site);
    return { issuer: site.issuer };
  },

  user: ({ issuer, user, claims }) => void (running.get(issuer).user = { ...claims, sub: user }),

  rule: ({ issuer, endpoint, rule }) => void (running.get(issuer).rules[endpoint] = rule),

  rotate: ({ issuer }) => void running.get(issuer).generation++,

  token({ issuer, audience, token }) {
    const now = Math.floor(Date.now() / 1000);
    return { token: idToken(running.get(issuer), { iss: issuer, aud: audience, iat: now, exp: now + 3600 }, token) };
  },

  requests: ({ issuer }) => ({ requests: running.get(issuer).log }),

  async stop({ issuer }) {
    await running.get(issuer).close();
    running.delete(issuer);
  },
});
