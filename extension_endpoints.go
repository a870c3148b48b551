package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// checkEndpoints reports what is wrong with the plugins' endpoints, by themselves
// and beside the others of the API.
func (all extensions) checkEndpoints(api *API) error {
	others := api.Operations()
	names := make(map[Operation]string)
	for _, op := range others {
		names[op] = op.Name()
	}
	var errs []error
	for _, added := range all {
		for i := range added.Endpoints {
			declared := &added.Endpoints[i]
			if err := declared.check(); err != nil {
				errs = append(errs, added.wrong(fmt.Errorf("endpoint %q: %w", declared.Name, err)))
				continue
			}
			for _, other := range others {
				errs = append(errs, added.wrong(declared.collides(other, names[other])))
			}
			others, names[declared.Endpoint] = append(others, declared.Endpoint), declared.Name
		}
	}
	return errors.Join(errs...)
}

// check reports what is wrong with an endpoint by itself.
func (e *PluginEndpoint) check() error {
	switch {
	case e.Endpoint == nil || isNilPointer(e.Endpoint):
		return errors.New("there is no Endpoint")
	case e.Name == "":
		return errors.New("it has no Name")
	case e.Endpoint.untyped().pipeline != standalone:
		return errors.New("it belongs to another instance already: make it in Extend")
	case e.Session < SessionNone || e.Session > SessionFresh:
		return fmt.Errorf("its Session, %d, is no SessionLevel", e.Session)
	}
	op := e.Endpoint.untyped()
	errs := []error{checkPath(op.path), op.checkBinding()}
	for _, method := range op.methods {
		if method == "" || method != strings.ToUpper(method) {
			errs = append(errs, fmt.Errorf("the method %q is not one in capitals", method))
		}
	}
	for _, name := range e.RedirectQuery {
		if !op.binding.has("query", name) {
			errs = append(errs, fmt.Errorf("in RedirectQuery: no field of the request is tagged query:%q", name))
		}
	}
	for _, name := range e.Require {
		if op.binding.field(name) == nil {
			errs = append(errs, fmt.Errorf("in Require: no field of the request is tagged json:%q", name))
		}
	}
	return errors.Join(errs...)
}

// checkPath refuses paths that no request could have.
func checkPath(path string) error {
	plain := url.URL{Path: path}
	switch {
	case path == "":
		return nil
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("the path %q does not begin with a slash", path)
	case strings.HasSuffix(path, "/"), strings.Contains(path, "//"), hasDotSegment(path), plain.EscapedPath() != path:
		return fmt.Errorf("the path %q is no plain one; parameters are written :name", path)
	}
	var seen []string
	for _, name := range pathParams(path) {
		if name == "" || slices.Contains(seen, name) {
			return fmt.Errorf("the path %q has a parameter without a name, or one twice", path)
		}
		seen = append(seen, name)
	}
	return nil
}

// checkBinding refuses fields of the request that nothing of an HTTP request could
// ever fill.
func (op *operation) checkBinding() error {
	if op.path == "" {
		return nil
	}
	params := pathParams(op.path)
	for _, f := range op.binding.fields {
		if f.source == "path" && !slices.Contains(params, f.name) {
			return fmt.Errorf("the path %q has no :%s for the field that is tagged so", op.path, f.name)
		}
	}
	if op.binding.hasBody && (op.answers(http.MethodGet) || op.answers(http.MethodHead)) {
		return fmt.Errorf("%s has no body: fields are tagged query, not json", op.methods[0])
	}
	return nil
}

// collides refuses an endpoint that takes a name or requests of another one.
func (e *PluginEndpoint) collides(other Operation, name string) error {
	if name == e.Name {
		return fmt.Errorf("there is another endpoint %q", name)
	}
	op := e.Endpoint.untyped()
	if op == other.untyped() {
		return fmt.Errorf("endpoints %q and %q are one and the same", name, e.Name)
	}
	for _, method := range op.methods {
		if other.untyped().answers(method) && overlap(op.path, other.Path()) {
			return fmt.Errorf("endpoint %q: %s %s is taken by endpoint %q at %s", e.Name, method, op.path, name, other.Path())
		}
	}
	return nil
}

// overlap reports whether the router could not tell two paths apart: they are equal,
// or both have parameters and some request fits both. One without parameters goes
// before those that have some.
func overlap(a, b string) bool {
	if a == "" || b == "" || strings.Contains(a, "/:") != strings.Contains(b, "/:") {
		return false
	}
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	return slices.EqualFunc(as, bs, func(a, b string) bool {
		return a == b || strings.HasPrefix(a, ":") || strings.HasPrefix(b, ":")
	})
}

// install adds the plugins' endpoints to the API and their hooks to all endpoints.
func (all extensions) install(api *API, c *core, p *pipeline) {
	for _, added := range all {
		for _, declared := range added.Endpoints {
			declared.open(p, added.id, declared.checks(c))
			api.plugins = append(api.plugins, declared.Endpoint)
		}
	}
	for _, op := range api.Operations() {
		all.hook(op.untyped())
		all.describe(op.untyped())
	}
}

// open makes the declared endpoint one of a pipeline.
func (e *PluginEndpoint) open(p *pipeline, group string, use []check) {
	op := e.Endpoint.untyped()
	op.pipeline, op.name, op.group, op.use = p, e.Name, group, use
	op.form, op.bodyOptional, op.noStore, op.reads = e.AcceptForms, e.OptionalBody, e.NoStore, e.ReadOnly
	for _, name := range e.Require {
		op.binding.field(name).required = true
	}
}

// checks are those in front of the endpoint's function, in their order.
func (e *PluginEndpoint) checks(c *core) (use []check) {
	if e.NeedHeaders {
		use = append(use, requireHeaders())
	}
	if e.FormGuard {
		use = append(use, c.guardForm())
	}
	for _, name := range e.RedirectQuery {
		use = append(use, c.guardQuery(name))
	}
	switch e.Session {
	case SessionRequired:
		use = append(use, c.requireSession())
	case SessionStored:
		use = append(use, c.requireStoredSession())
	case SessionFresh:
		use = append(use, c.requireFreshSession())
	}
	return use
}

// hook gives an operation the hooks that are for its path.
func (all extensions) hook(op *operation) {
	for _, added := range all {
		for _, h := range added.Before {
			if h.matches(op.path) {
				op.routeBefore = append(op.routeBefore, h.Run)
			}
		}
		for _, h := range added.After {
			if h.matches(op.path) {
				op.routeAfter = append(op.routeAfter, h.Run)
			}
		}
	}
}

// describe adds what the plugins' hooks fail with to what documents say of an
// operation.
func (all extensions) describe(op *operation) {
	for _, added := range all {
		for _, more := range added.Errors {
			if more.matches(op.path) {
				op.description.Errors = mergeErrors(op.description.Errors, more.Errors)
			}
		}
	}
}

// mergeErrors leaves its arguments as they are.
func mergeErrors(some, more map[int][]Code) map[int][]Code {
	merged := make(map[int][]Code)
	for _, errs := range []map[int][]Code{some, more} {
		for status, codes := range errs {
			if len(codes) == 0 {
				codes = []Code{""}
			}
			merged[status] = slices.Concat(merged[status], codes)
		}
	}
	return merged
}
