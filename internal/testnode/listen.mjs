// Serves a provider on a port of its own and keeps a log of what it was asked.

import { createServer } from "node:http";

// listen returns {issuer, log, close}. create gets the issuer and returns the
// handler of a request.
export async function listen(create) {
  const log = [];
  let handle;
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url, "http://provider");
    const entry = { method: request.method, path: pathname, query: search.slice(1), authorization: request.headers.authorization ?? "", body: "", status: 0 };
    log.push(entry);
    copyBody(request, (text) => (entry.body += text));
    response.on("finish", () => (entry.status = response.statusCode));
    handle(request, response);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  handle = await create(issuer);
  const close = () => {
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    return closed;
  };
  return { issuer, log, close };
}

// copyBody watches what the parser pushes, because whoever listens to the stream
// takes the body away from the handler.
function copyBody(request, add) {
  const push = request.push;
  request.push = (chunk, encoding) => {
    if (chunk !== null) add(chunk.toString());
    return push.call(request, chunk, encoding);
  };
}
