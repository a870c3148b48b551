package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
)

// A CallOption changes how Call runs: what it passes to the endpoint, or what
// it returns beside the value. Options that return something do so on failure
// too, so that cookies set before an error are never lost.
type CallOption func(x *Exchange)

// delivery is where the options of a Call want the response to go.
type delivery struct {
	header   *http.Header
	status   *int
	response **http.Response
	writer   http.ResponseWriter
}

func (x *Exchange) delivery() *delivery {
	if x.deliver == nil {
		x.deliver = new(delivery)
	}
	return x.deliver
}

// WithHeaders passes request headers along: the cookies say who is signed in.
// The headers are those of a request that reached the caller, so the forwarding
// headers in them are believed.
func WithHeaders(h http.Header) CallOption {
	return func(x *Exchange) { x.headers, x.behalf = h, true }
}

// WithRequest passes a live request along: its headers, address, TLS state and
// host. It does not bring the checks that only ServeHTTP makes. A handler that
// calls an endpoint on behalf of a browser needs protection against cross-site
// requests (http.CrossOriginProtection) and WithRateLimit.
func WithRequest(r *http.Request) CallOption {
	return func(x *Exchange) { x.request, x.headers, x.behalf = r, r.Header, true }
}

// WithRateLimit counts the call as if its request (WithRequest, or WithHeaders
// with the headers of a trusted proxy) had reached the endpoint over HTTP, with which it shares the count. Without it, a page that
// signs visitors in lets them guess passwords at any speed. Errors: *APIError
// with status 429.
func WithRateLimit() CallOption {
	return func(x *Exchange) { x.limited = true }
}

// ReturnHeaders stores the headers of the response, Set-Cookie among them.
func ReturnHeaders(h *http.Header) CallOption {
	return func(x *Exchange) { x.delivery().header = h }
}

// ReturnStatus stores the HTTP status that the response would have.
func ReturnStatus(status *int) CallOption {
	return func(x *Exchange) { x.delivery().status = status }
}

// AsResponse stores the whole response as an HTTP client would receive it. The
// error of the Call is then nil whenever the response is one that a client
// should see (success, redirect, API error); it is the internal error
// otherwise, and the response is the 500.
func AsResponse(resp **http.Response) CallOption {
	return func(x *Exchange) { x.delivery().response = resp }
}

// ForwardHeaders adds the headers of the response to a live response, cookies
// first of all. Headers that it has already stay, and Content-Type and others
// that describe the body are left out. The caller writes status and body.
func ForwardHeaders(w http.ResponseWriter) CallOption {
	return func(x *Exchange) { x.delivery().writer = w }
}

// call is the in-process door: it enters where decoding has ended.
func (op *operation) call(ctx context.Context, x *Exchange, opts []CallOption) error {
	if op.enter(ctx, x, opts) {
		op.run(x, nil)
	}
	typed := x.takeAnswer()
	err := x.finish()
	if err == nil && !typed && (x.deliver == nil || x.deliver.response == nil) {
		if answer, ok := x.answer.(error); ok {
			return answer
		}
		return fmt.Errorf("auth: a hook answered %s with a %T, which a typed Call cannot return", op.label(), x.answer)
	}
	return err
}

// enter prepares a run and reports whether it may begin.
func (op *operation) enter(ctx context.Context, x *Exchange, opts []CallOption) bool {
	x.Context, x.op, x.direct = ctx, op, true
	for _, opt := range opts {
		opt(x)
	}
	if op.pipeline.locate != nil {
		x.err = op.pipeline.locate(x)
	}
	if x.err == nil && x.limited && x.headers != nil && op.pipeline.admit != nil {
		x.err = op.pipeline.admit(x, x.request, x.ClientAddress(), op.path)
	}
	return x.err == nil
}

// finish hands the outcome of a Call to its options and its caller.
func (x *Exchange) finish() error {
	x.completeRedirect()
	if x.deliver == nil {
		return x.err
	}
	x.deliverOutcome()
	if x.deliver.response != nil && apiError(x.err) != nil {
		return nil
	}
	return x.err
}

// completeRedirect gives the error of a redirect all headers of the response:
// whoever hands on its Location hands on the cookies too, as in the original.
func (x *Exchange) completeRedirect() {
	api := apiError(x.err)
	if api == nil || api.Status != http.StatusFound || len(x.header) == 0 {
		return
	}
	complete := *api
	complete.Header = make(http.Header)
	x.copyHeader(complete.Header)
	x.err, x.header = &complete, nil
}

// takeAnswer stores a hook's answer as the result and reports whether it has
// the type for that.
func (x *Exchange) takeAnswer() bool {
	if !x.answered || x.err != nil {
		return true
	}
	out, answer := reflect.ValueOf(x.output).Elem(), reflect.ValueOf(x.answer)
	switch {
	case !answer.IsValid():
		out.SetZero()
	case answer.Type().AssignableTo(out.Type()):
		out.Set(answer)
	default:
		return false
	}
	return true
}

func (x *Exchange) deliverOutcome() {
	d := x.deliver
	if d.response != nil {
		recorder := httptest.NewRecorder()
		x.write(recorder)
		*d.response = recorder.Result()
	}
	if d.status != nil {
		*d.status = x.outcome()
	}
	if d.header != nil {
		*d.header = make(http.Header)
		x.copyHeader(*d.header)
	}
	if d.writer != nil {
		x.forward(d.writer.Header())
	}
}

// forward adds the response's headers to those of another response.
func (x *Exchange) forward(to http.Header) {
	h := make(http.Header)
	x.copyHeader(h)
	for _, key := range []string{"Content-Type", "Content-Length", "Location"} {
		h.Del(key)
	}
	forwardHeaders(to, h)
}

// forwardHeaders adds all cookies, and the other headers that are not there yet.
func forwardHeaders(to, from http.Header) {
	for key, values := range from {
		if key == "Set-Cookie" {
			to[key] = append(to[key], values...)
		} else if _, set := to[key]; !set {
			to[key] = values
		}
	}
}

// CallJSON runs the endpoint with JSON in and out.
func (op *operation) CallJSON(ctx context.Context, input []byte, opts ...CallOption) ([]byte, error) {
	x := op.frame()
	if len(input) == 0 {
		input = []byte("{}")
	}
	x.sent = new(sent)
	if err := x.sent.parseJSON(input); err != nil {
		return nil, err
	}
	if op.enter(ctx, x, opts) {
		op.run(x, func() []issue { return op.binding.bindAll(x) })
	}
	if err := x.finish(); err != nil {
		return nil, err
	}
	return x.encode(nil)
}
