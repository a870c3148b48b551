// One plain form for each hook of @better-auth-ui/react, which has no components of
// its own.

import {
  AuthProvider,
  useChangePassword,
  useListSessions,
  useRequestPasswordReset,
  useResetPassword,
  useRevokeOtherSessions,
  useRevokeSession,
  useSession,
  useSignInEmail,
  useSignOut,
  useSignUpEmail,
  useUpdateUser,
} from "@better-auth-ui/react";
import { QueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { authClient } from "./auth-client";
import { navigate, replace } from "./location";

type Mutation = { mutate: (values: any) => void; error: { message: string; error?: { message?: string } } | null; isSuccess: boolean };

// Action is a form that hands the values of its fields, and what else there is, to a
// mutation.
function Action({ name, fields = [], mutation, also }: { name: string; fields?: string[]; mutation: Mutation; also?: object }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    mutation.mutate({ ...also, ...Object.fromEntries(new FormData(event.currentTarget)) });
  };
  return (
    <form onSubmit={submit} className="flex gap-2 p-2">
      {fields.map((field) => (
        <input key={field} name={field} placeholder={field} className="border px-2" />
      ))}
      <button className="border px-2">{name}</button>
      <output>{mutation.error ? (mutation.error.error?.message ?? mutation.error.message) : mutation.isSuccess && `${name}: done`}</output>
    </form>
  );
}

function Visitor() {
  const token = new URLSearchParams(location.search).get("token");
  const reset = useResetPassword(authClient);
  const signUp = useSignUpEmail(authClient);
  const signIn = useSignInEmail(authClient);
  const forget = useRequestPasswordReset(authClient);
  if (token) return <Action name="Reset" fields={["newPassword"]} mutation={reset} also={{ token }} />;
  const forms: Record<string, React.ReactNode> = {
    "/hooks/sign-up": <Action name="Join" fields={["name", "email", "password"]} mutation={signUp} />,
    "/hooks/forgot": <Action name="Forget" fields={["email"]} mutation={forget} also={{ redirectTo: `${location.origin}/hooks/reset` }} />,
  };
  return forms[location.pathname] ?? <Action name="Enter" fields={["email", "password"]} mutation={signIn} />;
}

function Member({ user, current }: { user: { name: string }; current: string }) {
  const sessions = useListSessions(authClient);
  const revoke = useRevokeSession(authClient);
  const revokeOthers = useRevokeOtherSessions(authClient);
  const update = useUpdateUser(authClient);
  const change = useChangePassword(authClient);
  const signOut = useSignOut(authClient);
  return (
    <>
      <h1>Hello, {user.name}</h1>
      <p>{sessions.data?.length} sessions</p>
      {sessions.data
        ?.filter(({ token }) => token !== current)
        .map(({ token }) => <Action key={token} name="End it" mutation={revoke} also={{ token }} />)}
      <Action name="End others" mutation={revokeOthers} />
      <Action name="Rename" fields={["name"]} mutation={update} />
      <Action name="Change" fields={["currentPassword", "newPassword"]} mutation={change} />
      <Action name="Leave" mutation={signOut} />
    </>
  );
}

function Page() {
  const { data, isPending } = useSession(authClient);
  if (isPending) return <p>…</p>;
  return data ? <Member user={data.user} current={data.session.token} /> : <Visitor />;
}

const queryClient = new QueryClient();

export const Hooks = () => (
  <AuthProvider authClient={authClient} queryClient={queryClient} navigate={({ to, replace: instead }) => (instead ? replace : navigate)(to)}>
    <Page />
  </AuthProvider>
);
