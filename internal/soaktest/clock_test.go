package soaktest

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
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
			playClock(t, 60, store, func(table string) ([]row, error) { return store.dump(t.Context(), table), nil })
		})
	})
	t.Run("SQLite", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			db := testdb.SQLite.Open(t)
			playClock(t, 15, auth.NewSQLStore(db, auth.SQLite), readDatabase(db, `"%s"`))
		})
	})
}

// playClock lets people act a number of times for each second of -soak.
func playClock(t *testing.T, pace int, store auth.Store, read reader) {
	seed, post, weather := chooseSeed(), newPost(), newWeather()
	a, err := newInstance(store, options{cookieCache: auth.CookieCache{Enabled: true}, deliver: post.deliver, once: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	outcomes := newTally()
	begun, crowd := time.Now(), make([]*person, 20)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go cleanUp(ctx, a)
	var acting sync.WaitGroup
	steps := pace * int(soakTime.Seconds())
	for n := range crowd {
		p := newPerson(n, seed, direct{a}, post, weather)
		p.tally = outcomes
		p.worlds[0].exact, p.worlds[0].once = true, true
		crowd[n] = p
		acting.Go(func() { p.live(steps, p.pause) })
	}
	acting.Wait()
	for _, p := range crowd {
		if p.failure != "" {
			t.Error(p.failure)
		}
	}
	audit(t, crowd, read)
	t.Logf("-seed %d: %d requests in %v", seed, steps*len(crowd), time.Since(begun))
	t.Logf("outcomes:\n%v", outcomes)
}

// live acts with pauses.
func (p *person) live(steps int, pause func(r *rand.Rand) time.Duration) {
	for range steps {
		r := rand.New(rand.NewPCG(p.seed^p.number<<32, 1<<32+p.step))
		time.Sleep(pause(r))
		if !p.act() {
			return
		}
	}
}

// pause is nothing, or some time, or ends just when something that the person has
// changes: a millisecond before, at that moment or after it.
func (p *person) pause(r *rand.Rand) time.Duration {
	switch r.IntN(30) {
	case 0:
		span := []time.Duration{time.Minute, time.Hour, updateAge, sessionLifetime}[r.IntN(4)]
		return time.Duration(r.Int64N(int64(span))).Truncate(time.Millisecond)
	case 1, 2:
		moments := p.worlds[0].moments(p.now())
		if len(moments) > 0 {
			return max(0, time.Until(moments[r.IntN(len(moments))])+time.Duration(r.IntN(3)-1)*time.Millisecond)
		}
	}
	return haste(r)
}

// haste is a pause that lets nothing expire.
func haste(r *rand.Rand) time.Duration { return time.Duration(1+r.IntN(3)) * time.Millisecond }

// moments returns when something is going to change by itself.
func (w *world) moments(now time.Time) (at []time.Time) {
	for _, s := range w.sessions {
		at = append(at, s.expires, s.created.Add(freshAge), s.expires.Add(updateAge-sessionLifetime))
	}
	for _, t := range w.tokens {
		at = append(at, t.expires)
	}
	for _, c := range w.challenges {
		at = append(at, c.expires)
	}
	for _, t := range w.trusted {
		at = append(at, t.expires)
	}
	for _, own := range w.apps {
		at = append(at, own.locked)
	}
	at = slices.DeleteFunc(at, func(t time.Time) bool { return t.Before(now) })
	slices.SortFunc(at, time.Time.Compare) // maps have no order
	return at
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
