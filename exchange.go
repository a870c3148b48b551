package auth

import (
	"context"
	"net/http"
	"reflect"
)

// An Exchange is one run of an endpoint: the request that caused it, if there
// is one, and what goes back beside the value. It is the context.Context that
// the endpoint's function and all hooks receive; ExchangeFrom gets it back from
// there or from any context derived from it.
//
// An Exchange belongs to one run and must not be kept or used from other
// goroutines after the run ended.
type Exchange struct {
	context.Context

	op       *operation
	direct   bool // a Call, not ServeHTTP
	limited  bool // a Call that counts for the rate limit
	behalf   bool // a Call that passes headers: what somebody else has sent
	answered bool
	refused  bool // before the endpoint and its checks
	request  *http.Request
	headers  http.Header // of the request; nil when a Call passed none
	sent     *sent       // what the client sent; nil in a Call with a value

	input, output any // *Req and *Res of the endpoint
	answer        any // replaces the output when answered is set
	err           error
	merged        *APIError // the err whose headers are among those of the response

	relayed  *relayed  // the client's request that is handed on, nil in a Call
	received *received // what a server elsewhere has answered, while it is the outcome

	status  int
	header  http.Header // of the response; made on first use
	deliver *delivery   // where options want the response; nil without them
	address string
	state   any         // of the floors above: who is signed in, what was queued
	site    any         // of the floors above: where the client reached the server
	flow    any         // of the floors above: the sign-in at a provider that ends here
	started any         // of the floors above: the session that was sent to the browser
	values  map[any]any // of SetValue; nil until it is called
}

type exchangeKey struct{}

// ExchangeFrom returns the run of an endpoint that ctx belongs to, nil outside
// of one.
func ExchangeFrom(ctx context.Context) *Exchange {
	if x, ok := ctx.(*Exchange); ok {
		return x
	}
	x, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return x
}

// Value makes the exchange known to contexts derived from it.
func (x *Exchange) Value(key any) any {
	if _, ok := key.(exchangeKey); ok {
		return x
	}
	if value, ok := x.values[key]; ok {
		return value
	}
	return x.Context.Value(key)
}

// SetValue keeps a value for the rest of the run: ctx.Value(key) returns it to the
// hooks and functions that follow. As with context.WithValue, keys are of a type
// that no other package has.
func (x *Exchange) SetValue(key, value any) {
	if x.values == nil {
		x.values = make(map[any]any)
	}
	x.values[key] = value
}

// Operation returns the endpoint that runs.
func (x *Exchange) Operation() Operation { return x.op }

// Direct reports whether Go code runs the endpoint, by Call or CallJSON, and not a
// client over HTTP.
func (x *Exchange) Direct() bool { return x.direct }

// Request returns the HTTP request behind the run: the one being served, or the
// one that WithRequest gave to a Call. It is nil otherwise.
func (x *Exchange) Request() *http.Request { return x.request }

// RequestHeader returns the first value of a request header, empty if it was
// not sent. In a Call it reads what WithHeaders or WithRequest gave.
func (x *Exchange) RequestHeader(key string) string { return x.headers.Get(key) }

// ClientAddress returns the address of the client in its normal form: IPv4 in
// dots, IPv6 as eight full groups masked to its subnet. It is empty when
// unknown, as in a Call without request. Config.ClientAddress says which
// forwarding headers are believed.
func (x *Exchange) ClientAddress() string {
	if x.address == "" && x.op.pipeline.address != nil && (x.request != nil || x.headers != nil) {
		remote := ""
		if x.request != nil {
			remote = x.request.RemoteAddr
		}
		x.address = x.op.pipeline.address(remote, x.headers)
	}
	return x.address
}

// Header returns the headers of the response, to be added to.
func (x *Exchange) Header() http.Header {
	if x.header == nil {
		x.header = make(http.Header, 4)
	}
	return x.header
}

// SetExposed sets a header of the response that scripts of other origins may read:
// it adds the name to Access-Control-Expose-Headers.
func (x *Exchange) SetExposed(key, value string) {
	x.Header().Set(key, value)
	expose(x.Header(), key)
}

// RequestHeaders returns the headers of the request as the endpoint sees them: with
// a session's cookie for a session token that came otherwise. They are not to be
// changed.
func (x *Exchange) RequestHeaders() http.Header { return x.headers }

// SetStatus sets the HTTP status of a successful response, 200 if it is never
// called. Failures carry their own.
func (x *Exchange) SetStatus(status int) { x.status = status }

// SetLocation adds the URL that a client may go to after a response that is no
// redirect.
func (x *Exchange) SetLocation(url string) { x.Header().Set("Location", percentEncode(url, " ")) }

// Redirect returns the error that ends an endpoint with a redirect (302 Found)
// to the given URL: return auth.ExchangeFrom(ctx).Redirect("/").
func (x *Exchange) Redirect(url string) error { return redirectTo(url) }

func redirectTo(url string) *APIError {
	return &APIError{Status: http.StatusFound, Header: http.Header{"Location": {percentEncode(url, " ")}}}
}

// Input returns the pointer to the endpoint's request value, *Req. A hook that
// runs before the endpoint may change what it points to.
func (x *Exchange) Input() any { return x.input }

// Output returns the pointer to the endpoint's result, *Res, for hooks that run
// after it. It points to the zero value while Failure is not nil.
func (x *Exchange) Output() any { return x.output }

// clearOutput keeps a result from reaching anybody beside an error.
func (x *Exchange) clearOutput() { reflect.ValueOf(x.output).Elem().SetZero() }

// Failure returns how the endpoint failed, for hooks that run after it. (Err is
// that of the context.)
func (x *Exchange) Failure() error { return x.err }

// Answer makes v the value of the response. A hook that calls it before the
// endpoint keeps the endpoint and the hooks after it from running; a hook that
// calls it after the endpoint replaces the result, or the body of a failure,
// whose status stays. A direct Call fails if the value is no Res: with v itself if
// that is an error.
func (x *Exchange) Answer(v any) { x.answer, x.answered = v, true }

// Answered returns what a hook before this one, or a Challenge, has given as the
// value of the response; ok is false while it is the Output.
func (x *Exchange) Answered() (v any, ok bool) { return x.answer, x.answered }

// queryValue returns the first value of a query parameter as sent.
func (x *Exchange) queryValue(name string) string {
	if values := x.queryValues(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// queryValues returns all values of a query parameter as sent. A direct call
// has no query.
func (x *Exchange) queryValues(name string) []string {
	if x.direct || x.request == nil || x.request.URL.RawQuery == "" {
		return nil
	}
	return x.query()[name]
}

// queryNames returns the names of the query parameters, in their order.
func (x *Exchange) queryNames() (names []string) {
	for _, param := range decodeForm(x.request.URL.RawQuery) {
		names = append(names, param.name)
	}
	return names
}

func (x *Exchange) query() map[string][]string {
	if x.sent.query == nil {
		x.sent.query = make(map[string][]string)
		for _, param := range decodeForm(x.request.URL.RawQuery) {
			x.sent.query[param.name] = append(x.sent.query[param.name], param.value)
		}
	}
	return x.sent.query
}

// pathValue returns a path parameter found by our router, or by the
// http.ServeMux that an endpoint was mounted on by itself.
func (x *Exchange) pathValue(name string) string {
	for _, p := range x.sent.params {
		if p.name == name {
			return p.value
		}
	}
	return x.request.PathValue(name)
}
