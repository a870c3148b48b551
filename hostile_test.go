package auth

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The tests in this file are about bodies that strangers send to do harm.

// blanks is a body that never ends, and counts what was read of it.
type blanks struct{ read int64 }

func (b *blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	b.read += int64(len(p))
	return len(p), nil
}

// posted are the operations with a URL that take a POST, each with a URL of its own.
func (w *world) posted() map[*operation]string {
	found := make(map[*operation]string)
	for _, op := range w.API.Operations() {
		if op := op.untyped(); op.path != "" && slices.Contains(op.methods, http.MethodPost) {
			found[op] = testBase + regexp.MustCompile(`:\w+`).ReplaceAllString(op.path, "x")
		}
	}
	if len(found) < 30 {
		w.t.Fatalf("%d operations", len(found))
	}
	return found
}

// TestHugeBodies: of a body that says that it is too large nothing is read, and of one
// that is, no more than its limit.
func TestHugeBodies(t *testing.T) {
	const limit = 1000
	w := newHashingWorld(t, func(c *Config) { c.MaxBodyBytes = limit })
	for op, url := range w.posted() {
		for _, declared := range []int64{limit + 1, 10 << 20, 1 << 62, -1} {
			body := &blanks{}
			r := httptest.NewRequest(http.MethodPost, url, body)
			r.Header.Set("Content-Type", "application/json")
			r.ContentLength = declared
			got := w.browser().do(r)
			most := int64(0)
			if !op.ignoreBody {
				got.fails(t, http.StatusRequestEntityTooLarge, ErrPayloadTooLarge)
			}
			if !op.ignoreBody && declared < 0 {
				most = limit + 1
			}
			if body.read > most {
				t.Errorf("%s has read %d bytes of %d", op.label(), body.read, declared)
			}
		}
	}
}

// TestEndlessBody: a connection on which too much comes does not stay open.
func TestEndlessBody(t *testing.T) {
	server := httptest.NewServer(newWorld(t))
	defer server.Close()
	for _, size := range []int64{10 << 20, -1} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/auth/sign-in/email", io.LimitReader(&blanks{}, 1<<40))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = size
		r.Header = http.Header{"Content-Type": {"application/json"}, "Origin": {testOrigin}}
		got, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			continue // the connection was closed while the client still sent: it is not told why
		}
		_ = got.Body.Close()
		if got.StatusCode != http.StatusRequestEntityTooLarge || !got.Close {
			t.Errorf("of %d bytes: %s, close: %v", size, got.Status, got.Close)
		}
	}
}

// TestSlowBodies: whoever does not finish a body takes no place for a hash, holds no lock
// and no transaction, and gets an answer once the connection ends.
func TestSlowBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHashingWorld(t, func(c *Config) { c.RateLimit.Disabled = false })
		ann := w.as("ann")
		time.Sleep(time.Minute)
		var ends []*io.PipeWriter
		var all sync.WaitGroup
		for op, url := range w.posted() {
			for _, declared := range []int64{100, -1} {
				body, end := io.Pipe()
				ends = append(ends, end)
				r := httptest.NewRequest(http.MethodPost, url, body)
				r.Header.Set("Content-Type", "application/json")
				r.ContentLength = declared
				b := w.browser()
				all.Go(func() {
					if got := b.do(r); !op.ignoreBody {
						got.fails(t, http.StatusBadRequest, ErrBadRequest)
					}
				})
				if !op.ignoreBody {
					if _, err := end.Write([]byte("{")); err != nil {
						t.Error(err)
					}
				}
			}
		}
		synctest.Wait()
		w.idle()
		w.unlocked()
		time.Sleep(time.Hour) // the rate limit forgets
		ann.post("/change-password", `{"currentPassword":"password of ann","newPassword":"another password"}`).ok(t)
		w.as("bob").post("/sign-out", "{}").ok(t)
		for _, end := range ends {
			_ = end.CloseWithError(io.ErrUnexpectedEOF)
		}
		all.Wait()
		w.idle()
	})
}
