import { AccountView, AuthUIProvider, AuthView, SignedIn, SignedOut, UserButton } from "@daveyplate/better-auth-ui";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Toaster } from "sonner";
import { authClient } from "./auth-client";
import { Hooks } from "./hooks";
import { Link, navigate, replace, useHref } from "./location";
import "./main.css";

// serversWords takes away the words that the components have for errors, so that
// they show those of the server.
const serversWords = {
  INVALID_EMAIL_OR_PASSWORD: "",
  INVALID_USERNAME_OR_PASSWORD: "",
  INVALID_PASSWORD: "",
  INVALID_CODE: "",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "",
};

function Page() {
  const [path] = useHref().split("?");
  const [, section, view] = path.split("/");
  if (section === "auth") return <AuthView key={view} path={view} />;
  if (section === "account") return <AccountView path={view} />;
  return (
    <>
      <SignedIn>You are signed in.</SignedIn>
      <SignedOut>You are signed out.</SignedOut>
    </>
  );
}

const Components = () => (
  <AuthUIProvider
    authClient={authClient}
    navigate={navigate}
    replace={replace}
    Link={Link}
    baseURL={location.origin}
    localization={serversWords}
    redirectTo="/account/settings"
    avatar
    credentials={{ username: true }}
    emailVerification
    magicLink
    multiSession
    twoFactor={["totp", "otp"]}
    deleteUser
  >
    <header className="flex justify-end border-b p-4">
      <UserButton size="sm" />
    </header>
    <main className="mx-auto flex max-w-4xl flex-col items-center p-8">
      <Page />
    </main>
    <Toaster position="bottom-right" />
  </AuthUIProvider>
);

createRoot(document.getElementById("root")!).render(
  <StrictMode>{location.pathname.startsWith("/hooks") ? <Hooks /> : <Components />}</StrictMode>,
);
