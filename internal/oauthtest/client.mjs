// Runs the official client in the place of a browser: it keeps cookies and sends the
// origin of the page.

import { createAuthClient } from "better-auth/client";
import { answer } from "./commands.mjs";

const people = new Map();

// newPerson is a client with cookies of its own, for a server at origin that
// believes to be at baseURL.
function newPerson({ origin, baseURL }) {
  const cookies = new Map();
  const customFetchImpl = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    headers.set("origin", baseURL);
    headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(origin + url.pathname + url.search, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  return { cookies, client: createAuthClient({ baseURL, fetchOptions: { customFetchImpl } }) };
}

answer({
  // call calls a method of the client, named by its path, and returns {data, error}.
  async call({ person, method, argument, ...where }) {
    if (!people.has(person)) people.set(person, newPerson(where));
    const run = method.split(".").reduce((object, name) => object[name], people.get(person).client);
    const { data, error } = await run(argument);
    return { data, error };
  },

  // Cookies go to the browser that goes to a provider, and come back from it.
  cookies: ({ person }) => ({ cookies: Object.fromEntries(people.get(person).cookies) }),
  adopt({ person, cookies }) {
    const own = people.get(person).cookies;
    own.clear();
    for (const [name, value] of Object.entries(cookies)) own.set(name, value);
  },
});
