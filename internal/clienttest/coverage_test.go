package clienttest

import (
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
)

// requests are those that servers have answered, as method and path below the
// base path.
type requests struct {
	mu   sync.Mutex
	seen []request
}

type request struct{ method, path string }

func (r *requests) record(base string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		r.seen = append(r.seen, request{q.Method, strings.TrimPrefix(q.URL.Path, base)})
		r.mu.Unlock()
		next.ServeHTTP(w, q)
	})
}

// cover fails for every method of an operation that was not requested, unless it
// has no URL.
func (r *requests) cover(t *testing.T, operations []auth.Operation) {
	t.Helper()
	for _, op := range operations {
		for _, method := range op.Methods() {
			if op.Path() != "" && !r.asked(method, op.Path()) {
				t.Errorf("no client has requested %s: %s %s", op.Name(), method, op.Path())
			}
		}
	}
}

var parameter = regexp.MustCompile(`:[^/]+`)

func (r *requests) asked(method, pattern string) bool {
	pattern = parameter.ReplaceAllString(pattern, "*")
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range r.seen {
		if matched, err := path.Match(pattern, q.path); err == nil && matched && q.method == method {
			return true
		}
	}
	return false
}
