import { magicLinkClient, multiSessionClient, twoFactorClient, usernameClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";

// Whoever serves the pages may name another origin; without one, it is theirs.
const server = document.querySelector<HTMLMetaElement>("meta[name=auth-server]")?.content;

export const authClient = createAuthClient({
  baseURL: server || undefined,
  plugins: [usernameClient(), twoFactorClient(), magicLinkClient(), multiSessionClient()],
});
