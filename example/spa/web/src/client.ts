import { createAuthClient } from "better-auth/react";

// The endpoints are at /api/auth of the origin that the page is from.
export const client = createAuthClient();

// What useSession returns when somebody is signed in.
export type SessionData = typeof client.$Infer.Session;
