package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// A Hook runs around endpoints, over HTTP and in direct calls alike. Before an
// endpoint it sees the Exchange's Input, which is not validated yet, and may change
// it; after the endpoint it sees Output, Failure and what an earlier hook has
// Answered. It may add headers and cookies, give the response by Answer, or return
// an error, which becomes the outcome.
//
// An error before the endpoint ends the run, without the headers that were added. An
// error after it replaces the outcome, but not the status of an endpoint that has
// failed, and the hooks that follow run. None runs after an internal error.
type Hook func(x *Exchange) error

// pipeline is what operations run in: the checks, hooks and services that the
// floors above install. It is the same for all operations of an Auth.
type pipeline struct {
	logger    *slog.Logger
	bodyLimit int64
	address   func(remoteAddr string, h http.Header) string
	locate    func(x *Exchange) error                                                // before everything else; may be nil
	admit     func(ctx context.Context, r *http.Request, address, path string) error // HTTP only, before anything is read
	intercept []func(r *http.Request, op Operation) error                            // HTTP only, after admit; op is nil for an unknown path
	guard     func(x *Exchange) error                                                // HTTP only, when the body was read
	before    []Hook
	carry     func(x *Exchange) // after the hooks: gives the endpoint the headers that it sees; may be nil
	after     []Hook
	onError   func(ctx context.Context, err error) // HTTP only; may be nil
	remote    *remote                              // where the functions of the endpoints run; nil: here
}

const defaultBodyLimit = 1 << 20

// standalone is the pipeline of endpoints that belong to no Auth.
var standalone = &pipeline{bodyLimit: defaultBodyLimit}

func (p *pipeline) log() *slog.Logger {
	if p.logger == nil {
		return slog.Default()
	}
	return p.logger
}

// ServeHTTP serves the endpoint wherever it is mounted, with the protection
// that it has below the base path of its Auth.
func (op *operation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !op.answers(r.Method) {
		w.Header()["Allow"] = op.Methods()
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if op.pipeline.admits(w, r, op) {
		op.serve(w, r, nil)
	}
}

// admits asks whether the client may call the endpoint now, nil for an unknown path,
// and answers the request if it may not.
func (p *pipeline) admits(w http.ResponseWriter, r *http.Request, op *operation) (ok bool) {
	if p.admit == nil && len(p.intercept) == 0 {
		return true
	}
	defer func() {
		if v := recover(); v != nil {
			p.log().ErrorContext(r.Context(), "panic before an endpoint", "panic", v, "stack", string(debug.Stack()))
			w.WriteHeader(http.StatusInternalServerError)
		}
	}()
	if err := p.admission(r, op); err != nil {
		p.writeError(w, r, clientCode(err))
		return false
	}
	return true
}

// admission is the turn of the rate limiter and then of the interceptors.
func (p *pipeline) admission(r *http.Request, op *operation) error {
	if p.admit != nil {
		if err := p.admit(r.Context(), r, p.address(r.RemoteAddr, r.Header), op.limitedAs()); err != nil {
			return err
		}
	}
	var target Operation
	if op != nil {
		target = op
	}
	for _, intercept := range p.intercept {
		if err := intercept(r, target); err != nil {
			return err
		}
	}
	return nil
}

// limitedAs is the path that the rate limiter counts: that of the endpoint, not
// what the client wrote. Requests that reach none share one count, so that
// nobody can crowd out the others' counts by inventing paths.
func (op *operation) limitedAs() string {
	if op == nil {
		return "unknown path"
	}
	return op.path
}

// serve answers a request that was routed here and admitted.
func (op *operation) serve(w http.ResponseWriter, r *http.Request, params []param) {
	if op.pipeline.remote != nil {
		op.serveRemotely(w, r, params)
		return
	}
	x := op.frame()
	x.Context, x.op = r.Context(), op
	x.request, x.headers, x.sent = r, r.Header, &sent{params: params}
	op.attend(w, x)
	if op.pipeline.onError != nil {
		x.report()
	}
	x.write(w)
}

func (op *operation) attend(w http.ResponseWriter, x *Exchange) {
	defer x.recover()
	if x.err = op.receive(w, x); x.err != nil {
		x.refused = true
		return
	}
	op.run(x, func() []issue { return op.binding.bind(x, op.bodyOptional) })
}

// report tells the application of an outcome that is no answer of the endpoint
// (contract section 2.3).
func (x *Exchange) report() {
	defer func() {
		if v := recover(); v != nil {
			x.op.pipeline.log().ErrorContext(x, "panic in OnError", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	api := apiError(x.err)
	if x.err != nil && (api == nil || x.refused && api.Status >= http.StatusBadRequest) {
		x.op.pipeline.onError(x, x.err)
	}
}

// receive reads the body and asks the guard, before anything is decoded.
func (op *operation) receive(w http.ResponseWriter, x *Exchange) error {
	if op.pipeline.locate != nil {
		if err := op.pipeline.locate(x); err != nil {
			return err
		}
	}
	if !op.ignoreBody && x.request.Method != http.MethodGet && x.request.Method != http.MethodHead {
		if err := x.sent.readBody(x.request, w, op.pipeline.bodyLimit, op.form); err != nil {
			return err
		}
	}
	if op.pipeline.guard != nil {
		return op.pipeline.guard(x)
	}
	return nil
}

// run is the common part of all doors: hooks before, validation, checks, the
// function, hooks after. Its outcome is in x.
func (op *operation) run(x *Exchange, decode func() []issue) {
	defer x.recover()
	var issues []issue
	if decode != nil {
		issues = decode()
	}
	if x.err = x.runHooks(op.pipeline.before, op.routeBefore, op.before); x.err != nil {
		x.header, x.refused = nil, true // of a refusing hook only the error's own headers survive
		return
	}
	if x.answered {
		return
	}
	if op.pipeline.carry != nil {
		op.pipeline.carry(x)
	}
	if x.err = op.perform(x, issues); x.err != nil {
		x.err = clientCode(x.err)
	}
	if x.err != nil && apiError(x.err) == nil {
		return // hooks see what clients see
	}
	if len(op.pipeline.after)+len(op.routeAfter)+len(op.after) > 0 {
		defer x.keepReceived(x.standing())
		x.runAfter(op.pipeline.after, op.routeAfter, op.after)
	}
}

func (op *operation) perform(x *Exchange, issues []issue) error {
	if op.pipeline.remote != nil {
		return op.performRemotely(x, issues)
	}
	if err := op.binding.review(x.input, issues); err != nil {
		return err
	}
	for _, check := range op.use {
		if err := check.run(x); err != nil {
			return err
		}
	}
	if op.noStore {
		forbidStoring(x.Header())
	}
	return op.fn(x)
}

// forbidStoring keeps a response out of caches.
func forbidStoring(h http.Header) {
	h["Cache-Control"], h["Pragma"] = []string{"no-store"}, []string{"no-cache"}
}

// runHooks runs the hooks before an endpoint until one answers or refuses.
func (x *Exchange) runHooks(lists ...[]Hook) error {
	for _, hooks := range lists {
		for _, hook := range hooks {
			if err := hook(x); err != nil {
				x.answered = false
				return clientCode(err)
			}
			if x.answered {
				return nil
			}
		}
	}
	return nil
}

// runAfter runs all hooks after an endpoint, but none after an internal error. An
// error of a hook replaces the outcome; when the endpoint itself had failed its
// status stays.
func (x *Exchange) runAfter(lists ...[]Hook) {
	failed, replaced := x.err, false
	for _, hooks := range lists {
		for _, hook := range hooks {
			x.mergeHeaders()
			err := hook(x)
			if err == nil {
				continue
			}
			x.replace(clientCode(err))
			if replaced = true; apiError(x.err) == nil {
				return
			}
		}
	}
	if x.mergeHeaders(); replaced {
		x.err = keepStatus(x.err, failed)
		x.merged = apiError(x.err)
	}
}

// mergeHeaders gives the response the headers of an error, so that hooks after it
// can change them and add others.
func (x *Exchange) mergeHeaders() {
	if api := apiError(x.err); api != nil && api != x.merged {
		addHeaders(x.Header(), api.Header)
		x.merged = api
	}
}

// replace puts an error in place of the outcome. A redirect does not happen then.
func (x *Exchange) replace(err error) {
	if api := apiError(x.err); api != nil && api.Status == http.StatusFound {
		x.Header().Del("Location")
	}
	x.err, x.answer, x.answered = err, nil, false
	x.clearOutput()
}

func keepStatus(err, failed error) error {
	now, first := apiError(err), apiError(failed)
	if now == nil || first == nil || first.Status < http.StatusBadRequest {
		return err
	}
	kept := *now
	kept.Status = first.Status
	return &kept
}

// clientCode gives a bare Code the form that clients receive.
func clientCode(err error) error {
	if code, ok := err.(Code); ok {
		return code.With(http.StatusBadRequest)
	}
	return err
}

// recover turns a panic of hook or function into an internal error.
func (x *Exchange) recover() {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler && !x.direct {
			panic(v)
		}
		x.err = panicError{x.op.label(), v}
		x.clearOutput()
		x.op.pipeline.log().ErrorContext(x, "panic in endpoint", "endpoint", x.op.label(), "panic", v, "stack", string(debug.Stack()))
	}
}

// panicError is the outcome of a run that panicked. It was logged where it
// happened.
type panicError struct {
	label string
	value any
}

func (e panicError) Error() string { return fmt.Sprintf("auth: panic in %s: %v", e.label, e.value) }

// label names an operation for the log.
func (op *operation) label() string {
	if op.name != "" {
		return op.name
	}
	return op.methods[0] + " " + op.path
}

// apiError returns err as what a client may see, nil if it may see nothing.
func apiError(err error) *APIError {
	api, _ := errors.AsType[*APIError](err)
	return api
}

// logInternal records what the client is not told.
func (p *pipeline) logInternal(ctx context.Context, label string, err error) {
	if _, logged := err.(panicError); logged {
		return
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		p.log().DebugContext(ctx, "request canceled", "endpoint", label)
		return
	}
	p.log().ErrorContext(ctx, "internal error", "endpoint", label, "error", err)
}
