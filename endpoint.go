package auth

import (
	"context"
	"net/http"
	"reflect"
	"slices"
)

// An Endpoint is one operation: a typed Go function that is also an
// http.Handler.
//
//   - Call runs it in this process, with a value and an error.
//   - ServeHTTP decodes Req from the HTTP request and writes Res as JSON.
//
// Both run the same hooks, validation, session checks and function. Checks
// that protect a browser's user (origin, redirect targets, rate limit) run only
// in ServeHTTP, and only for the endpoints of an Auth; one made by NewEndpoint
// has the limit of the body's size alone.
//
// Req is a struct whose tags say where its fields come from: json:"name" for a
// member of the JSON body, query:"name", path:"name" and header:"Name". A field
// is required unless its tag has omitempty or omitzero; wrong and missing
// fields are answered with 400 and the code VALIDATION_ERROR. The tag check:"email",
// check:"nonempty" or check:"oneof=a|b" asks more of a text, check:"nonnull" refuses
// null for a pointer, slice or map; in Res it tells documents that there is none. A
// method Validate() error on *Req is called too, its text goes to the client. Fields
// tagged json:"-" can be set by Go code alone.
//
// An Endpoint is made by NewEndpoint and safe for concurrent use once its hooks
// are registered.
type Endpoint[Req, Res any] struct{ door }

// A door leads to an operation. It has what all endpoints can do, whatever their
// types. Were the operation itself embedded, every one of its methods would have an
// entry in two tables of every Endpoint type, 1.8 KiB of each program for each endpoint.
type door struct{ operation *operation }

// ServeHTTP answers a request.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.operation.ServeHTTP(w, r) }

// Name returns the original's API name, such as "signInEmail", empty for an endpoint
// that NewEndpoint made and no plugin has named.
func (d *door) Name() string { return d.operation.Name() }

// Methods returns the HTTP methods that the endpoint answers.
func (d *door) Methods() []string { return d.operation.Methods() }

// Path returns the path below the base path, with parameters as ":name". It is empty
// for an endpoint that only Go code can call.
func (d *door) Path() string { return d.operation.Path() }

// CallJSON is Call with the request value and the result as JSON. Members of input are
// bound to the fields of the request by name, whatever part of an HTTP request they
// would come from. No input stands for an empty object.
func (d *door) CallJSON(ctx context.Context, input []byte, opts ...CallOption) ([]byte, error) {
	return d.operation.CallJSON(ctx, input, opts...)
}

func (d *door) untyped() *operation { return d.operation }

// NewEndpoint makes an endpoint from a function. The context that fn receives
// is the *Exchange of this run (see ExchangeFrom). An *APIError that fn returns
// is what the client sees; any other error becomes status 500 without a body
// and goes to the log, as does a panic.
//
// The path documents the endpoint and names its parameters (/items/:id); where
// it is served is up to the router it is mounted on.
func NewEndpoint[Req, Res any](method, path string, fn func(ctx context.Context, in Req) (Res, error)) *Endpoint[Req, Res] {
	return define(spec{methods: []string{method}, path: path}, standalone, fn)
}

// define is the thin typed shell: everything behind it is untyped.
func define[Req, Res any](s spec, p *pipeline, fn func(context.Context, Req) (Res, error)) *Endpoint[Req, Res] {
	return &Endpoint[Req, Res]{door{&operation{
		spec:     s,
		pipeline: p,
		binding:  newBinding(reflect.TypeFor[Req]()),
		in:       reflect.TypeFor[Req](),
		out:      reflect.TypeFor[Res](),
		frame:    func() *Exchange { return new(frame[Req, Res]).exchange() },
		fn: func(x *Exchange) error {
			out, err := fn(x, *x.input.(*Req))
			if err == nil {
				*x.output.(*Res) = out
			}
			return err
		},
		result: resultOf[Res],
	}}}
}

// resultOf returns the result in the form that encodes itself best: a pointer.
func resultOf[Res any](x *Exchange) any {
	out := x.output.(*Res)
	if reflect.TypeFor[Res]().Kind() == reflect.Pointer {
		return *out
	}
	return out
}

// frame holds all of a run in one allocation.
type frame[Req, Res any] struct {
	x   Exchange
	in  Req
	out Res
}

func (f *frame[Req, Res]) exchange() *Exchange {
	f.x.input, f.x.output = &f.in, &f.out
	return &f.x
}

// Call runs the endpoint as a function. Options pass headers or a whole request
// along and return the response's headers, its status, or a whole response.
//
// Errors: *APIError for what a client would be told (use errors.Is with a Code,
// or errors.As), anything else for an internal failure. A redirect is an
// *APIError with status 302.
func (e *Endpoint[Req, Res]) Call(ctx context.Context, in Req, opts ...CallOption) (Res, error) {
	f := &frame[Req, Res]{in: in}
	err := e.operation.call(ctx, f.exchange(), opts)
	return f.out, err
}

// Before registers a hook that runs before the endpoint's function, before
// validation, on every door. It may change in, or return an error to refuse. It
// must be registered before the first request.
func (e *Endpoint[Req, Res]) Before(hook func(ctx context.Context, in *Req) error) {
	e.operation.before = append(e.operation.before, func(x *Exchange) error { return hook(x, x.input.(*Req)) })
}

// After registers a hook that runs after the endpoint's function succeeded. It
// may change out, or return an error to fail instead. It must be registered
// before the first request.
func (e *Endpoint[Req, Res]) After(hook func(ctx context.Context, in *Req, out *Res) error) {
	e.operation.after = append(e.operation.after, func(x *Exchange) error {
		if x.err != nil {
			return nil
		}
		return hook(x, x.input.(*Req), x.output.(*Res))
	})
}

// An Operation is an endpoint without its types, as API.Operations lists it. It
// is implemented by *Endpoint only.
type Operation interface {
	http.Handler

	// Name is the original's API name, such as "signInEmail"; it is empty for
	// endpoints made by NewEndpoint.
	Name() string

	// Methods are the HTTP methods that the endpoint answers.
	Methods() []string

	// Path is the path below the base path, with parameters as ":name". It is
	// empty for an endpoint that only Go code can call.
	Path() string

	// CallJSON is Call with the request value and the result as JSON. Members
	// of input are bound to the fields of the request by name, whatever part of
	// an HTTP request they would come from. No input stands for an empty object.
	CallJSON(ctx context.Context, input []byte, opts ...CallOption) ([]byte, error)

	untyped() *operation
}

// spec is what is declared of an operation beside its function.
type spec struct {
	name         string
	methods      []string
	path         string // empty: server-only
	form         bool   // accepts form bodies beside JSON
	ignoreBody   bool
	bodyOptional bool
	noStore      bool // responses must not be cached
	reads        bool // asking again is the same as asking once
	use          []check

	// For documents alone.

	authentication authentication // that the function asks for, beside the checks
	queryInBody    bool           // a posted body has the members of the query
	nullResult     bool           // nil is a result of its own
	media          string         // of a Raw result; empty: unknown
}

// A check stands between validation and an endpoint's function: a session that
// must be there, a form that must not come from elsewhere. It runs on every
// door.
type check struct {
	run            func(x *Exchange) error
	authentication authentication // that it asks for
	errors         map[int][]Code // over HTTP, by status; for documents
}

// authentication says whether an operation asks who calls it.
type authentication int

const (
	authenticationUnused   authentication = iota
	authenticationOptional                // they change the answer
	authenticationRequired
)

// operation is an endpoint's untyped machine.
type operation struct {
	spec
	pipeline *pipeline
	binding  *binding
	in, out  reflect.Type // Req and Res
	group    string       // whose it is, for documents: a plugin's ID
	frame    func() *Exchange
	fn       func(x *Exchange) error
	result   func(x *Exchange) any
	before   []Hook
	after    []Hook

	routeBefore, routeAfter []Hook // those of plugins that are for this path

	description Description
	instead     []answerForm // what a remote may answer in place of the result
}

// Name implements Operation.
func (op *operation) Name() string { return op.name }

// Methods implements Operation.
func (op *operation) Methods() []string { return slices.Clone(op.methods) }

// Path implements Operation.
func (op *operation) Path() string { return op.path }

func (op *operation) untyped() *operation { return op }

func (op *operation) answers(method string) bool { return slices.Contains(op.methods, method) }
