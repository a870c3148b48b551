import { useCallback, useEffect, useState } from "react";
import { client, type SessionData } from "./client";
import { describe, Field, Form, Problem, useAction } from "./form";

export function Account({ user, session }: SessionData) {
  return (
    <>
      <h1>Hello, {user.name}</h1>
      <dl>
        <dt>E-mail address</dt>
        <dd>{user.email}</dd>
        <dt>Signed in since</dt>
        <dd>{session.createdAt.toLocaleString()}</dd>
        <dt>Signed in until</dt>
        <dd>{session.expiresAt.toLocaleString()}</dd>
      </dl>
    </>
  );
}

/** Asks for a new password and signs out all other devices. */
export function Password({ refetch }: { refetch: () => void }) {
  const [changed, setChanged] = useState(false);
  return (
    <>
      <h1>Password</h1>
      {changed && <p role="status">Your password is changed. Other devices are signed out.</p>}
      <Form
        submit="Change password"
        action={(value) => {
          setChanged(false);
          return client.changePassword({
            currentPassword: value("current-password"),
            newPassword: value("new-password"),
            revokeOtherSessions: true,
          });
        }}
        done={() => {
          setChanged(true);
          refetch(); // this device has a new session too
        }}
      >
        <Field label="Current password" name="current-password" type="password" autoComplete="current-password" />
        <Field label="New password" name="new-password" type="password" autoComplete="new-password" minLength={8} />
      </Form>
    </>
  );
}

type Listed = SessionData["session"];

/** Lists where the user is signed in. */
export function Sessions({ session: current }: SessionData) {
  const [sessions, setSessions] = useState<Listed[]>();
  const { run, error, busy } = useAction();
  const load = useCallback(async () => {
    await run(async () => {
      const { data, error } = await client.listSessions();
      if (data) setSessions(data);
      return { error };
    });
  }, []);
  useEffect(() => void load(), [load]);

  async function revoke(action: () => ReturnType<typeof client.revokeOtherSessions>) {
    if (await run(action)) await load();
  }
  return (
    <>
      <h1>Sessions</h1>
      <Problem text={error} />
      <ul>
        {sessions?.map((session) => (
          <li key={session.id}>
            <span>
              {session.userAgent || "Unknown device"}, since {new Date(session.createdAt).toLocaleString()}
            </span>
            {session.id === current.id ? (
              <strong>This device</strong>
            ) : (
              <button disabled={busy} onClick={() => revoke(() => client.revokeSession({ token: session.token }))}>
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      {sessions && sessions.length > 1 && (
        <button disabled={busy} onClick={() => revoke(() => client.revokeOtherSessions())}>
          Sign out all others
        </button>
      )}
    </>
  );
}

export function SignOut() {
  const [problem, setProblem] = useState("");
  async function signOut() {
    try {
      const { error } = await client.signOut();
      setProblem(error ? describe(error) : "");
    } catch {
      setProblem("The server does not answer. You are still signed in.");
    }
  }
  return (
    <>
      <button onClick={signOut}>Sign out</button>
      <Problem text={problem} />
    </>
  );
}
