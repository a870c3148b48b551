// A Browser is the part of a web browser that the client needs: a fetch that
// keeps cookies as RFC 6265 says, sends them back and names the page's origin.
// The tabs of one browser share it.

import { CookieJar } from "tough-cookie";

export class Browser {
  #origin;
  #jar = new CookieJar();

  // What was fetched, such as "GET /api/auth/get-session", oldest first.
  requests = [];

  constructor(origin) {
    this.#origin = origin;
  }

  // fetch is what the client gets as customFetchImpl. Redirects are not
  // followed: a step looks at where they lead.
  fetch = async (url, options = {}) => {
    this.requests.push(`${options.method ?? "GET"} ${new URL(url).pathname}`);
    const headers = new Headers(options.headers);
    headers.set("origin", this.#origin);
    headers.set("user-agent", "clienttest");
    const credentials = options.credentials !== "omit";
    const cookie = credentials ? await this.#jar.getCookieString(String(url)) : "";
    if (cookie) headers.set("cookie", cookie);
    const response = await fetch(url, { redirect: "manual", ...options, headers });
    for (const line of credentials ? response.headers.getSetCookie() : []) await this.#jar.setCookie(line, String(url));
    return response;
  };

  // cookie returns what the browser keeps under a name that ends in suffix:
  // prefixes depend on the server's configuration.
  cookie(suffix) {
    return this.#jar.getCookiesSync(this.#origin).find(({ key }) => key.endsWith(suffix));
  }

  // count returns how often a path was fetched with a method.
  count(request) {
    return this.requests.filter((r) => r === request).length;
  }
}
