package auth

import "strings"

// router finds operations by method and path below the base path. It decides on
// the path as it was sent: there is no redirect to a cleaner path, no decoding
// of separators, and whatever does not match is not found (contract section 1).
type router struct {
	base        string
	skipSlashes bool
	static      map[string][]*operation // by path
	patterns    []route                 // with parameters
}

type route struct {
	segments []string
	op       *operation
}

func newRouter(base string, skipSlashes bool, operations []Operation) router {
	r := router{base: base, skipSlashes: skipSlashes, static: make(map[string][]*operation)}
	for _, o := range operations {
		switch op := o.untyped(); {
		case op.path == "":
		case strings.Contains(op.path, "/:"):
			r.patterns = append(r.patterns, route{strings.Split(op.path, "/"), op})
		default:
			r.static[op.path] = append(r.static[op.path], op)
		}
	}
	return r
}

// path returns what a limit or a list of paths is compared with: the path below
// the base path without trailing slashes.
func (r *router) path(escaped string) string {
	path := strings.TrimPrefix(escaped, r.base)
	if path = strings.TrimRight(path, "/"); path == "" {
		return "/"
	}
	return path
}

// find returns the operation for a request and the parameters in its path.
func (r *router) find(method, escaped string) (*operation, []param) {
	path, ok := strings.CutPrefix(escaped, r.base)
	if !ok || !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || hasDotSegment(path) {
		return nil, nil
	}
	if r.skipSlashes && len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	for _, op := range r.static[path] {
		if op.answers(method) {
			return op, nil
		}
	}
	for _, candidate := range r.patterns {
		if params, ok := candidate.match(path); ok && candidate.op.answers(method) {
			return candidate.op, params
		}
	}
	return nil, nil
}

// hasDotSegment finds "." and ".." in any spelling: no parameter is one, and a
// path that has one means another path to somebody else.
func hasDotSegment(path string) bool {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "/%2") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".", "..":
			return true
		}
	}
	return false
}

func (t route) match(path string) ([]param, bool) {
	segments := strings.Split(path, "/")
	if len(segments) != len(t.segments) {
		return nil, false
	}
	var params []param
	for i, want := range t.segments {
		switch name, isParam := strings.CutPrefix(want, ":"); {
		case isParam && segments[i] != "":
			params = append(params, param{name, segments[i]})
		case want != segments[i]:
			return nil, false
		}
	}
	return params, true
}
