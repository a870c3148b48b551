package bench

import (
	"context"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// BenchmarkGetSessionUnderSignIns is how long a session read takes while 64
// people sign in at once, each of them a scrypt hash. The budget: 50 ms for 99
// of 100.
func BenchmarkGetSessionUnderSignIns(b *testing.B) {
	a := newAuth(b, auth.NewMemoryStore(), auth.Passwords{}, auth.SessionOptions{})
	headers := signUp(b, a)
	ctx, stop := context.WithCancel(b.Context())
	var crowd sync.WaitGroup
	for range 64 {
		crowd.Go(func() {
			for ctx.Err() == nil {
				_, _ = a.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: "ada@example.com", Password: "correct horse battery"})
			}
		})
	}
	r := httptest.NewRequest("GET", "/api/auth/get-session", nil)
	r.Header = headers
	var took []time.Duration
	w := newDiscard()
	for b.Loop() {
		start := time.Now()
		w.reset()
		a.ServeHTTP(w, r)
		took = append(took, time.Since(start))
		time.Sleep(100 * time.Microsecond) // requests come in from outside
	}
	stop()
	crowd.Wait()
	slices.Sort(took)
	b.ReportMetric(0, "ns/op") // mostly the pause
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, "p99-ms")
}
