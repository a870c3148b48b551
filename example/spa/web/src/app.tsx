import { type ReactNode, useEffect } from "react";
import { client } from "./client";
import { Problem } from "./form";
import { Account, Password, Sessions, SignOut } from "./member";
import { go, Link, usePath } from "./router";
import { SignIn, SignUp } from "./visitor";

export function App() {
  const { data, isPending, error, refetch } = client.useSession();
  const path = usePath();
  const atTheDoor = path === "/sign-in" || path === "/sign-up";
  useEffect(() => {
    if (data && atTheDoor) go("/");
  }, [data, atTheDoor]);

  if (isPending || (data && atTheDoor)) return <main aria-busy="true" />;
  // A server that fails has not said that nobody is signed in.
  if (error && !data)
    return (
      <main>
        <h1>Please wait</h1>
        <Problem text="The server does not answer." />
        <button onClick={() => refetch()}>Try again</button>
      </main>
    );
  if (!data) return <main>{path === "/sign-up" ? <SignUp /> : <SignIn />}</main>;
  const pages: Record<string, ReactNode> = {
    "/": <Account {...data} />,
    "/password": <Password refetch={refetch} />,
    "/sessions": <Sessions {...data} />,
  };
  return (
    <>
      <nav>
        <Link to="/">Account</Link>
        <Link to="/password">Password</Link>
        <Link to="/sessions">Sessions</Link>
        <SignOut />
      </nav>
      <main>{pages[path] ?? <h1>There is no such page</h1>}</main>
    </>
  );
}
