// The providers of the npm package, without a server: flow runs one from the
// authorization URL to the refresh against canned answers, verify lets one judge an
// id_token.

import { supportsIdTokenSignIn, verifyProviderIdToken } from "@better-auth/core/oauth2";
import { socialProviders } from "better-auth/social-providers";
import { genericOAuth, gumroad, hubspot, patreon, yandex } from "better-auth/plugins/generic-oauth";
import { answer } from "./commands.mjs";

const helpers = { gumroad, hubspot, patreon, yandex };
const silent = { error() {}, warn() {}, info() {}, debug() {}, success() {} };

async function open(id, options) {
  if (!helpers[id]) return socialProviders[id](options);
  const plugin = genericOAuth({ config: [helpers[id](options)] });
  const { context } = await plugin.init({ socialProviders: [], logger: silent });
  return context.socialProviders[0];
}

let requests = [];
let replies = [];

// The first reply whose URL the request's begins with is its answer. The client
// that the package uses escapes more of a path than it has to.
globalThis.fetch = async (input, options = {}) => {
  const url = String(input);
  const headers = Object.fromEntries(new Headers(options.headers));
  requests.push({ method: options.method ?? "GET", url, headers, body: options.body ? String(options.body) : "" });
  // No provider takes the token that the package sends when it has none.
  const tokenless = /undefined|null/.test(headers.authorization ?? "");
  const reply = tokenless ? { status: 401, type: "text/plain", body: "" } : replies.find((r) => url.replace("%40", "@").replace("%24", "$").startsWith(r.url)) ?? { status: 404, type: "text/plain", body: "" };
  const response = new Response(reply.body, { status: reply.status, headers: reply.type ? { "content-type": reply.type } : {} });
  if (!reply.type) response.headers.delete("content-type");
  return response;
};

function taken() {
  const these = requests;
  requests = [];
  return these;
}

// attempt returns {value} or {thrown}, with the requests that were made.
async function attempt(f) {
  const out = {};
  try {
    out.value = (await f()) ?? null;
  } catch (error) {
    out.thrown = String(error?.message ?? JSON.stringify(error));
  }
  out.requests = taken();
  return out;
}

async function flow({ provider: name, options, request, code, deviceId, user, replies: canned }) {
  replies = canned;
  taken();
  const provider = await open(name, options);
  const out = { url: await attempt(async () => String(await provider.createAuthorizationURL(request))) };
  const { codeVerifier, redirectURI } = request;
  out.exchange = await attempt(() => provider.validateAuthorizationCode({ code, codeVerifier, deviceId, redirectURI }));
  const tokens = out.exchange.value;
  if (!tokens) return out;
  out.profile = await attempt(() => provider.getUserInfo({ ...tokens, user }));
  const info = out.profile.value;
  if (info?.user) out.subject = await attempt(async () => subjectOf(await provider.accountSubject({ tokens, profile: info.data })));
  if (tokens.refreshToken && provider.refreshAccessToken) {
    out.refresh = await attempt(() => provider.refreshAccessToken(tokens.refreshToken, {}));
  }
  return out;
}

// subjectOf is the rule of the original's callback, and what kind of value it had.
function subjectOf(subject) {
  const id = String(subject);
  const valid = !(typeof subject === "number" && !Number.isFinite(subject)) && id.trim() !== "" && id !== "undefined" && id !== "null";
  return { id, kind: typeof subject, valid };
}

async function verify({ provider: name, options, token, nonce, replies: canned }) {
  replies = canned;
  taken();
  const provider = await open(name, options);
  if (!supportsIdTokenSignIn(provider)) return { supported: false };
  return { supported: true, accepted: await verifyProviderIdToken(provider, token, nonce), requests: taken() };
}

answer({ flow, verify });
