package faulttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// What two transactions do at the same time on a real database. None of the
// requests may fail with a 5xx either: no two transactions wait for each other.

const rounds = 12

// post sends a request to the director's instance, whose pool has a connection
// for everybody, and returns its status.
func (s *stage) post(as, path, body string) int {
	w := httptest.NewRecorder()
	s.director.ServeHTTP(w, s.request(http.MethodPost, path, body, as))
	if w.Code >= 500 {
		log, _ := s.noted()
		s.t.Errorf("%s: %d %s\n%s", path, w.Code, w.Body, log)
	}
	return w.Code
}

// together runs functions that start at the same moment.
func together(functions ...func()) {
	var start, done sync.WaitGroup
	start.Add(1)
	for _, f := range functions {
		done.Go(func() {
			start.Wait()
			f()
		})
	}
	start.Done()
	done.Wait()
}

// rowsOf counts the rows of a table that belong to a user.
func (s *stage) rowsOf(table, userID string) (n int) {
	for _, row := range s.db.snapshot(s.t)[table] {
		if row["userId"] == userID {
			n++
		}
	}
	return n
}

// TestResetEndsSignInsUnderWay: whoever takes an account back does not find
// somebody signed in with the old password afterwards.
func TestResetEndsSignInsUnderWay(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		old := annsSecret
		for round := range rounds {
			s.direct("/request-password-reset", `{"email":"ann@example.com"}`)
			s.mailed()
			signIn := func() { s.post("", "/sign-in/email", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, old)) }
			chosen := fmt.Sprint("password of round ", round)
			together(signIn, signIn, signIn, func() {
				if status := s.post("", "/reset-password", fmt.Sprintf(`{"token":"$TOKEN","newPassword":%q}`, chosen)); status != 200 {
					t.Errorf("reset: %d", status)
				}
			})
			if n := s.rowsOf("session", s.words["USER"]); n != 0 {
				t.Fatalf("round %d: %d sessions with the old password", round, n)
			}
			old = chosen
		}
	})
}

// TestUnlinksAtOnce: two requests must not take away the last two accounts.
func TestUnlinksAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		together(
			func() { s.post("ANN", "/unlink-account", `{"accountId":"$GITHUB"}`) },
			func() { s.post("PHONE", "/unlink-account", `{"accountId":"$CREDENTIAL"}`) },
		)
		if n := s.rowsOf("account", s.words["USER"]); n != 1 {
			t.Errorf("%d accounts are left", n)
		}
	})
}

// TestSignUpsAtOnce: an address belongs to one user.
func TestSignUpsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		for round := range rounds {
			var mu sync.Mutex
			statuses := make(map[int]int)
			signUp := func() {
				status := s.post("", "/sign-up/email", fmt.Sprintf(`{"name":"Eve","email":"eve%d@example.com","password":"password of eve"}`, round))
				mu.Lock()
				defer mu.Unlock()
				statuses[status]++
			}
			together(signUp, signUp, signUp, signUp, signUp, signUp)
			if statuses[200] != 1 || statuses[422] != 5 {
				t.Fatalf("round %d: %v", round, statuses)
			}
		}
	})
}

// TestDeletionsAtOnce: a user who signs in, changes the password and is deleted
// at the same moment is gone, with all that belonged to them.
func TestDeletionsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		for round := range rounds {
			credentials := fmt.Sprintf(`"email":"eve%d@example.com","password":"password of eve"`, round)
			s.words["EVE"] = s.session(s.direct("/sign-up/email", `{"name":"Eve",`+credentials+`}`))
			signIn := func() { s.post("", "/sign-in/email", `{`+credentials+`}`) }
			together(signIn, signIn,
				func() {
					s.post("EVE", "/change-password", `{"currentPassword":"password of eve","newPassword":"another one","revokeOtherSessions":true}`)
				},
				func() { s.post("EVE", "/revoke-sessions", ``) },
				func() { s.post("EVE", "/delete-user", `{"password":"password of eve"}`) },
			)
		}
		users := db.snapshot(t)["user"]
		for _, table := range []string{"session", "account"} {
			for id, row := range db.snapshot(t)[table] {
				if _, ok := users[row["userId"]]; !ok {
					t.Errorf("%s %s belongs to nobody", table, id)
				}
			}
		}
	})
}

// TestAdvisory_GHSA_44jh_23m7_hpcf_Processes: two processes that count in one database let
// no more requests pass than one would.
func TestAdvisory_GHSA_44jh_23m7_hpcf_Processes(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		count := func(c *auth.Config) {
			c.RateLimit = auth.RateLimit{StoreInDatabase: true, Rules: map[string]auth.RateRule{"/ok": {Max: 7, Window: time.Hour}}}
		}
		first, second := s.instance(s.plain, count), s.instance(s.plain, count)
		if err := first.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var passed, denied atomic.Int64
		ask := func(a *auth.Auth) func() {
			return func() {
				w := httptest.NewRecorder()
				a.ServeHTTP(w, s.request(http.MethodGet, "/ok", "", ""))
				switch w.Code {
				case http.StatusOK:
					passed.Add(1)
				case http.StatusTooManyRequests:
					denied.Add(1)
				default:
					log, _ := s.noted()
					t.Errorf("%d %s\n%s", w.Code, w.Body, log)
				}
			}
		}
		var crowd []func()
		for range 20 {
			crowd = append(crowd, ask(first), ask(second))
		}
		together(crowd...)
		if passed.Load() != 7 || denied.Load() != 33 {
			t.Errorf("%d passed, %d were denied", passed.Load(), denied.Load())
		}
	})
}
