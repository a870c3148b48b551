package bench

import (
	"bytes"
	"net/http"
	"testing"
)

// discard is a http.ResponseWriter that costs next to nothing, so that the
// difference between two handlers is theirs. It is reused between requests.
type discard struct {
	header http.Header
	status int
	size   int
}

func newDiscard() *discard { return &discard{header: make(http.Header, 8)} }

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(p []byte) (int, error) {
	d.size += len(p)
	return len(p), nil
}

func (d *discard) reset() {
	clear(d.header)
	d.status, d.size = http.StatusOK, 0
}

// body is a request body that can be read again.
type body struct{ bytes.Reader }

func (b *body) Close() error { return nil }

// measure serves the request again and again.
func measure(b *testing.B, h http.Handler, r *http.Request, content []byte) {
	b.Helper()
	w, sent := newDiscard(), &body{}
	b.ReportAllocs()
	for b.Loop() {
		w.reset()
		if content != nil {
			sent.Reset(content)
			r.Body = sent
		}
		h.ServeHTTP(w, r)
	}
	if w.status != http.StatusOK || w.size == 0 {
		b.Fatalf("status %d with %d bytes", w.status, w.size)
	}
}
