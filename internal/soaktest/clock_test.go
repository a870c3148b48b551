package soaktest

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// TestClock lets people use a server on a clock that leaps: what they have expires,
// is prolonged, is not fresh any more and is removed, all to the millisecond.
func TestClock(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := &memoryStore{MemoryStore: auth.NewMemoryStore()}
			playClock(t, store, func(table string) ([]row, error) { return store.dump(t.Context(), table), nil })
		})
	})
	t.Run("SQLite", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			db := testdb.SQLite.Open(t)
			playClock(t, auth.NewSQLStore(db, auth.SQLite), readDatabase(db))
		})
	})
}

func playClock(t *testing.T, store auth.Store, read reader) {
	seed, post, weather := chooseSeed(), newPost(), newWeather()
	a, err := newInstance(store, auth.CookieCache{Enabled: true}, post.deliver, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun, crowd := time.Now(), make([]*person, 20)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go cleanUp(ctx, a)
	var acting sync.WaitGroup
	steps := int(20 * soakTime.Seconds())
	for n := range crowd {
		p := newPerson(n, seed, direct{a}, post, weather)
		p.worlds[0].exact = true
		crowd[n] = p
		acting.Go(func() { p.live(steps) })
	}
	acting.Wait()
	for _, p := range crowd {
		if p.failure != "" {
			t.Error(p.failure)
		}
	}
	audit(t, crowd, read)
	t.Logf("-seed %d: %d requests in %v", seed, steps*len(crowd), time.Since(begun))
}

// live acts with pauses.
func (p *person) live(steps int) {
	r := rand.New(rand.NewPCG(p.seed^p.number<<32, 0))
	for range steps {
		time.Sleep(pause(r))
		if !p.act() {
			return
		}
	}
}

// pause is nothing, or about as long as something lives, to the millisecond often.
func pause(r *rand.Rand) time.Duration {
	spans := []time.Duration{time.Minute, 5 * time.Minute, time.Hour, updateAge, 6 * 24 * time.Hour, sessionLifetime}
	span := spans[r.IntN(len(spans))]
	switch r.IntN(12) {
	case 0:
		return span
	case 1:
		return span - time.Millisecond
	case 2:
		return span + time.Millisecond
	case 3:
		return time.Duration(r.Int64N(int64(span))).Truncate(time.Millisecond)
	}
	return time.Duration(r.IntN(3)) * time.Millisecond
}

// cleanUp removes what has expired, now and then.
func cleanUp(ctx context.Context, a *auth.Auth) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(7 * time.Hour):
			_ = a.Cleanup(ctx)
		}
	}
}

// direct is the door to a server in this program.
type direct struct{ auth *auth.Auth }

func (d direct) do(r *request) (*answer, error) {
	in, w := httpRequest(r), httptest.NewRecorder()
	in.RemoteAddr = "192.0.2.1:1234"
	d.auth.ServeHTTP(w, in)
	return &answer{w.Code, w.Header(), w.Body.Bytes()}, nil
}
