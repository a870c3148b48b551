// The functions that the options of plugins name, with what a case sees of them:
// variants_plugin_identity_test.go has the same ones for this library.

import { APIError } from "better-auth/api";

export function functions(site) {
  const tell = (what, data = {}) => site.events.push({ what, ...data });

  // magicMail records a link. An address may be one whose mail fails.
  const magicMail = async ({ email, url, token, metadata }) => {
    tell("mail magic link", { to: email, url, token, metadata: metadata ?? null });
    if (email.startsWith("failing")) throw new Error("the mail server is down");
    if (email.startsWith("refused")) throw new APIError("FORBIDDEN", { message: "No mails for you", code: "NO_MAILS" });
  };

  return {
    "$magic mail": magicMail,
    "$magic token": async (email) => `token-of-${email}`,
    "$magic hash": async (token) => `kept-${[...token].reverse().join("")}`,

    // A username is letters of any alphabet with dashes in between, a display name
    // has no number.
    "$username valid": async (name) => /^[\p{L}-]+$/u.test(name),
    "$username dashes": (name) => name.toLowerCase().replaceAll("_", "-"),
    "$username lower only": (name) => name === name.toLowerCase(),
    "$display valid": async (name) => !/[0-9]/.test(name),
    "$display tidy": (name) => name.trim().replaceAll("0", "o"),
  };
}
