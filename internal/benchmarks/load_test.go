package benchmarks

import (
	"context"
	"fmt"
	"net/http/httptest"
	"runtime"
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

var sessions = &auth.Table{Name: "session", Columns: []auth.Column{
	{Name: "expiresAt", Type: auth.TypeDate},
	{Name: "token", Type: auth.TypeString, Unique: true},
	{Name: "createdAt", Type: auth.TypeDate},
	{Name: "updatedAt", Type: auth.TypeDate},
	{Name: "ipAddress", Type: auth.TypeString, Nullable: true},
	{Name: "userAgent", Type: auth.TypeString, Nullable: true},
	{Name: "userId", Type: auth.TypeString, Index: true},
}}

// BenchmarkMemoryStore is the lookup of a session by its token. The budget: the
// same time at every size, and 1 KiB of memory for a session.
func BenchmarkMemoryStore(b *testing.B) {
	for _, size := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			before := heap()
			store := filledStore(b, size)
			perSession := float64(heap()-before) / float64(size)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i = (i + 7919) % size
				rows, err := store.Select(b.Context(), auth.Query{Table: sessions, Where: []auth.Condition{auth.Where("token", token(i))}, Limit: 1})
				if err != nil || len(rows) != 1 {
					b.Fatal(rows, err)
				}
			}
			b.ReportMetric(perSession, "bytes/session")
			runtime.KeepAlive(store)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// token is as long as a session's token, 32 characters.
func token(i int) string { return fmt.Sprintf("token-%026d", i) }

func filledStore(b *testing.B, size int) auth.Store {
	b.Helper()
	store := auth.NewMemoryStore()
	now := time.Now()
	for i := range size {
		row := auth.Row{now.Add(time.Hour), token(i), now, now, "203.0.113.7",
			"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
			fmt.Sprintf("user-%027d", i/3), fmt.Sprintf("id-%029d", i)}
		if err := store.Insert(b.Context(), sessions, row); err != nil {
			b.Fatal(err)
		}
	}
	return store
}
