// Runs OpenID providers that ask nobody anything: login_hint says who signs in,
// and "deny" that they refuse. Users that nobody described have an address of
// their own.

import Provider from "oidc-provider";
import { answer } from "./commands.mjs";
import { keyFor, newPairs } from "./keys.mjs";
import { listen } from "./listen.mjs";

const scopes = "openid email profile offline_access";
const claims = { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "picture", "given_name", "family_name", "preferred_username", "locale", "updated_at"] };

const described = (id) => ({ email: `${id}@example.com`, email_verified: true, name: `User ${id}` });

const pairs = newPairs(); // of all providers of the process

function clients({ redirectURIs, postLogoutRedirectURIs, algorithm }) {
  const client = (client_id, token_endpoint_auth_method) => ({
    client_id,
    token_endpoint_auth_method,
    ...(token_endpoint_auth_method === "none" ? {} : { client_secret: `${client_id}-secret` }),
    redirect_uris: redirectURIs,
    post_logout_redirect_uris: postLogoutRedirectURIs,
    grant_types: ["authorization_code", "refresh_token"],
    id_token_signed_response_alg: algorithm,
  });
  return [client("app", "client_secret_post"), client("app-basic", "client_secret_basic"), client("app-public", "none")];
}

function configuration(users, { algorithm, emailInIDToken, accessTokenSeconds, idTokenSeconds }) {
  return {
    features: { devInteractions: { enabled: false } },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ ...(users.get(id) ?? described(id)), sub: id }) }),
    loadExistingGrant: (ctx) => grant(ctx.oidc),
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    pkce: { required: () => false },
    claims,
    conformIdTokenClaims: !emailInIDToken,
    enabledJWA: { idTokenSigningAlgValues: [algorithm] },
    jwks: { keys: [keyFor(algorithm, `${algorithm}-key`, pairs(algorithm)).privateJwk] },
    cookies: { keys: ["a key for the cookies of a provider"] },
    ttl: { AccessToken: accessTokenSeconds, IdToken: idTokenSeconds, AuthorizationCode: 60, Grant: 86400, Interaction: 600, RefreshToken: 86400, Session: 86400 },
    renderError: (ctx, out) => (ctx.body = out),
  };
}

// grant allows whatever is asked, so that nobody has to consent.
async function grant({ provider, client, session }) {
  const given = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  given.addOIDCScope(scopes);
  given.addOIDCClaims(Object.values(claims).flat());
  await given.save();
  return given;
}

async function interact(provider, request, response) {
  const { prompt, params } = await provider.interactionDetails(request, response);
  const finish = (result, merge) => provider.interactionFinished(request, response, result, { mergeWithLastSubmission: merge });
  if (params.login_hint === "deny") return finish({ error: "access_denied", error_description: "The user said no" }, false);
  if (prompt.name === "consent") return finish({ consent: {} }, true);
  return finish({ login: { accountId: params.login_hint || "alice", remember: false } }, false);
}

// handler also shows the page on which a user confirms the end of their session.
function handler(provider) {
  const handle = provider.callback();
  return (request, response) => {
    if (!request.url.startsWith("/interaction/")) return handle(request, response);
    interact(provider, request, response).catch((error) => response.writeHead(400).end(`${error}`));
  };
}

const running = new Map();

async function register({ provider, options }) {
  for (const client of clients(options)) await provider.Client.adapter.upsert(client.client_id, client);
}

answer({
  async start(options) {
    const users = new Map();
    let provider;
    const site = await listen((issuer) => {
      provider = new Provider(issuer, configuration(users, options));
      provider.on("server_error", (ctx, error) => console.error(error));
      return handler(provider);
    });
    running.set(site.issuer, { ...site, users, provider, options });
    await register(running.get(site.issuer));
    return { issuer: site.issuer };
  },

  // redirects replaces where clients may be sent.
  async redirects({ issuer, redirectURIs }) {
    const site = running.get(issuer);
    site.options.redirectURIs = redirectURIs;
    await register(site);
  },

  user: ({ issuer, user, claims }) => void running.get(issuer).users.set(user, claims),

  requests: ({ issuer }) => ({ requests: running.get(issuer).log }),

  async stop({ issuer }) {
    await running.get(issuer).close();
    running.delete(issuer);
  },
});
