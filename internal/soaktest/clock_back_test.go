package soaktest

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// TestClockBack lets people use a server whose clock steps back by seconds, minutes or
// hours now and then: that of a machine that was ahead. The server in memory sees it
// while it runs, that on SQLite when it is started again. The people expect then that
//
//   - nothing ends but by its own time or by what is done to it: what is stored before a
//     step is stored after it, and all of it is good;
//   - what had expired goes on if its row is still there, until the same moment as ever,
//     so by the step at most; what was revoked, spent or replaced stays dead;
//   - of two codes to an address the one of the later time counts, so that one mailed
//     after a step is refused as long as one from before it is there;
//   - a challenge that is older than a password by the clock is refused, so that after a
//     step a second factor may have to wait as long as the step was;
//   - a code of an app is not good again (PreventReplay);
//   - every answer is the foretold one, and none is a 5xx.
func TestClockBack(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		store := &memoryStore{MemoryStore: auth.NewMemoryStore()}
		e := newEras(t)
		a := e.instance(t, store)
		e.play(t, 60, func(*testing.T) (*auth.Auth, reader) {
			return a, func(table string) ([]row, error) { return store.dump(context.Background(), table), nil }
		})
	})
	t.Run("SQLite", func(t *testing.T) {
		database := testdb.SQLite.New(t)
		e := newEras(t)
		e.play(t, 15, func(t *testing.T) (*auth.Auth, reader) {
			db := database.Open(t)
			return e.instance(t, auth.NewSQLStore(db, auth.SQLite)), readDatabase(db, `"%s"`)
		})
	})
}

// Eras are the times between the steps of a clock.
type eras struct {
	seed     uint64
	post     *post
	outcomes *tally
	crowd    []*person
	revived  int
}

func newEras(t *testing.T) *eras {
	e := &eras{seed: chooseSeed(), post: newPost(), outcomes: newTally()}
	for n := range 20 {
		p := newPerson(n, e.seed, nil, e.post, newWeather())
		p.tally = e.outcomes
		p.worlds[0].exact, p.worlds[0].once = true, true
		e.crowd = append(e.crowd, p)
	}
	return e
}

func (e *eras) instance(t *testing.T, store auth.Store) *auth.Auth {
	a, err := newInstance(store, options{cookieCache: auth.CookieCache{Enabled: true}, deliver: e.post.deliver, once: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return a
}

// play lets people act a number of times for each second of -soak. A clock that
// synctest leads begins anew in each bubble, and so may step back from one to the next.
func (e *eras) play(t *testing.T, pace int, open func(t *testing.T) (*auth.Auth, reader)) {
	const many = 12
	r, at, steps := rand.New(rand.NewPCG(e.seed, 1)), time.Time{}, pace*int(soakTime.Seconds())/many
	for era := range many {
		step := time.Second + time.Duration(r.Int64N(int64([]time.Duration{time.Minute, time.Hour, 12 * time.Hour}[era%3])))
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(max(0, time.Until(at)))
			a, read := open(t)
			audit(t, e.crowd, read)
			e.live(t, a, steps)
			time.Sleep(time.Duration(r.Int64N(int64(step)))) // what expires now goes on after the step
			audit(t, e.crowd, read)
			e.forget(t, read)
			at = time.Now().Add(-step).Round(0)
			for _, p := range e.crowd {
				e.revived += p.worlds[0].reviving(at, time.Now())
			}
		})
		if t.Failed() {
			break
		}
	}
	t.Logf("-seed %d: %d steps back, %d things came alive again", e.seed, many-1, e.revived)
	t.Logf("outcomes:\n%v", e.outcomes)
}

// live lets all act in this era: first each in a time of their own, and then together,
// so that there is much that is about to expire.
func (e *eras) live(t *testing.T, a *auth.Auth, steps int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go cleanUp(ctx, a)
	var apart, together sync.WaitGroup
	for _, p := range e.crowd {
		p.door = direct{a}
		apart.Go(func() { p.live(steps/2, p.pause) })
	}
	apart.Wait()
	for _, p := range e.crowd {
		together.Go(func() { p.live(steps/2, haste) })
	}
	together.Wait()
	for _, p := range e.crowd {
		if p.failure != "" {
			t.Error(p.failure)
		}
	}
}

// forget lets people forget what has expired and been removed: that is all that the
// server may have removed by itself.
func (e *eras) forget(t *testing.T, read reader) {
	stored, sessions := make(map[string]bool), make(map[string]string)
	rows := make(map[string][]row)
	for _, table := range []string{"session", "verification"} {
		found, err := read(table)
		if err != nil {
			t.Fatal(err)
		}
		rows[table] = found
	}
	for _, r := range rows["session"] {
		sessions[r.text("token")] = r.text("userId") + "!" + r.text("id")
	}
	for _, r := range rows["verification"] {
		stored[r.text("identifier")] = true
	}
	now := time.Now()
	for _, p := range e.crowd {
		p.worlds[0].forgetRemoved(now, stored, sessions)
	}
}

// forgetRemoved leaves out what has expired and is not stored.
func (w *world) forgetRemoved(now time.Time, stored map[string]bool, sessions map[string]string) {
	w.end(func(s *session) bool { return s.expires.Before(now) && sessions[s.token] == "" })
	purposes := map[string]string{mailReset: "reset-password:", mailMagic: "magic-link:", kindHandOver: "one-time-token:"}
	for text, t := range w.tokens {
		if t.expires.Before(now) && !stored[purposes[t.kind]+text] {
			delete(w.tokens, text)
		}
	}
	for email, c := range w.codes {
		if c.expires.Before(now) && !stored["sign-in-otp-"+email] {
			delete(w.codes, email)
		}
	}
	for token, c := range w.challenges {
		switch {
		case !c.expires.Before(now):
		case !stored["2fa-"+token]:
			delete(w.challenges, token)
		default:
			c.bound = c.bound && stored["2fa-attempts-2fa-"+token]
		}
	}
	for id, t := range w.trusted {
		if t.expires.Before(now) && !stored["trust-device-"+id] {
			delete(w.trusted, id)
		}
	}
	for key, c := range w.factorCodes {
		kind, token, _ := strings.Cut(key, " ")
		identifier := "2fa-otp-2fa-" + token
		if kind == "session" {
			identifier = "2fa-otp-" + sessions[token]
		}
		if c.expires.Before(now) && !stored[identifier] {
			delete(w.factorCodes, key)
		}
	}
}

// reviving counts what comes alive again when the clock steps back.
func (w *world) reviving(at, now time.Time) (n int) {
	count := func(expires time.Time) {
		if expires.Before(now) && !expires.Before(at) {
			n++
		}
	}
	for _, s := range w.sessions {
		count(s.expires)
	}
	for _, t := range w.tokens {
		count(t.expires)
	}
	for _, c := range w.codes {
		count(c.expires)
	}
	for _, c := range w.challenges {
		count(c.expires)
	}
	return n
}
