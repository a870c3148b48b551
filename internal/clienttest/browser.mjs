// A Browser is the part of a web browser that the client needs: a fetch that
// keeps cookies for one origin, sends them back and names the page's origin.

export class Browser {
  #origin;
  #cookies = new Map();

  constructor(origin) {
    this.#origin = origin;
  }

  // fetch is what the client gets as customFetchImpl. Redirects are not
  // followed: a step looks at where they lead.
  fetch = async (url, options = {}) => {
    const headers = new Headers(options.headers);
    headers.set("origin", this.#origin);
    headers.set("user-agent", "clienttest");
    if (this.#cookies.size > 0) headers.set("cookie", this.#cookieHeader());
    const response = await fetch(url, { redirect: "manual", ...options, headers });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  };

  // cookie returns what the browser keeps under a name that ends in suffix:
  // prefixes depend on the server's configuration.
  cookie(suffix) {
    for (const [name, cookie] of this.#cookies) if (name.endsWith(suffix)) return cookie;
    return undefined;
  }

  #cookieHeader() {
    return [...this.#cookies].map(([name, cookie]) => `${name}=${cookie.value}`).join("; ");
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(";");
    const [name, value] = cut(pair, "=");
    const cookie = { value };
    for (const attribute of attributes) {
      const [key, text] = cut(attribute.trim(), "=");
      cookie[key.toLowerCase()] = text;
    }
    if (cookie["max-age"] !== undefined && Number(cookie["max-age"]) <= 0) this.#cookies.delete(name);
    else this.#cookies.set(name, cookie);
  }
}

function cut(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
