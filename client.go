package auth

import (
	"context"
	"net/http"
)

// A Client has the endpoints of a server elsewhere, this package or the original, as
// an Auth has its own: the same functions, values and errors, over the network. It is
// safe for concurrent use; hooks are registered before the first request, and run here.
//
// A Call asks the server, which makes all checks. Its options do what they do in
// process:
//
//   - Without any, the call is the program's own. The Client keeps the cookies of the
//     answers and sends them, as a browser does: it is one user (see ClientBearer).
//   - With WithHeaders or WithRequest it is on behalf of whoever sent these headers. The
//     Client's own cookies are neither sent nor changed; ForwardHeaders hands on those
//     of the answer. The server sees an address in X-Forwarded-For and believes it
//     if this program is one of its ClientAddress.TrustedProxies.
//
// Every call has the server's own Origin, since no web page made it. A handler that
// calls on behalf of browsers needs protection against cross-site requests
// (http.CrossOriginProtection), as it does with an Auth.
//
// Errors: *APIError for what the server has answered, with its status, code and message.
// An internal error of the server is one with status 500 and neither. A server that
// cannot be reached, an answer that is none, and a deadline are other errors, which wrap
// their cause. Redirects are not followed: they are *APIErrors with their Location.
//
// A call is repeated, twice at most and with growing delays, if the server could not be
// reached, and for endpoints that only read also if the answer was lost or is a 502, 503
// or 504. What may have changed something is never asked twice.
type Client struct {
	// API has every endpoint. Those without a URL, such as SetPassword, fail.
	API API

	remote *remote
	bearer *bearerToken
	router router
}

// NewClient makes a Client of the server at a URL: scheme, host, port and base path, as
// this program reaches it; without a path that is "/api/auth". It connects to nothing.
// Errors: all mistakes in the URL and the options, joined.
func NewClient(url string, options ...ClientOption) (*Client, error) {
	config := clientConfig{url: url}
	for _, option := range options {
		option(&config)
	}
	return config.open()
}

// Bearer returns the token that calls carry now, empty if there is none: the one of
// ClientBearer, or the newest that the server has given in set-auth-token.
func (c *Client) Bearer() string {
	if c.bearer == nil {
		return ""
	}
	return c.bearer.get()
}

// ServeHTTP hands requests below the base path on to the server and its answers back: a
// reverse proxy that knows the endpoints. Mount it at the base path of the URL with a
// slash at the end, without http.StripPrefix. Unknown paths are answered with 404, a
// server that does not answer with 502, or 504 after the time limit.
//
// The server sees the client's headers, Origin among them, and judges them; it must
// trust this program to tell the address of clients (ClientAddress.TrustedProxies). The
// value of a request is looked at, and changed, only by hooks on its endpoint.
func (c *Client) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, params := c.router.find(r.Method, r.URL.EscapedPath())
	if op == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	op.serve(w, r, params)
}

// ClientEndpoint returns an endpoint of one's own as the client's server has it: its URL
// is the path of e at the origin of the Client's URL, with parameters filled in. The
// function of e and its hooks stay there. It panics if e belongs to an Auth or a Client.
func ClientEndpoint[Req, Res any](c *Client, e *Endpoint[Req, Res]) *Endpoint[Req, Res] {
	if e.operation.pipeline != standalone {
		panic("auth: ClientEndpoint: " + e.operation.label() + " belongs to an instance; a Client's API has it")
	}
	made := define(e.operation.spec, standalone, func(context.Context, Req) (out Res, err error) { return out, err })
	made.operation.description = e.operation.description
	made.operation.moveTo(&pipeline{bodyLimit: defaultBodyLimit, remote: c.remote.atOrigin()})
	return made
}
