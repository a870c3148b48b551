package faulttest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// TestOneRoundTrip: a request with a session costs one query for session and
// user together, whichever door it comes through, and nothing else goes over
// the wire but what the endpoint itself is for.
func TestOneRoundTrip(t *testing.T) {
	onEachInTurn(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		s.open(nil)
		guarded := func(w http.ResponseWriter, r *http.Request) {
			if auth.SessionFromContext(r.Context()).User.Name != "Ann" {
				w.WriteHeader(http.StatusTeapot)
			}
		}
		session := func(w http.ResponseWriter, r *http.Request) {
			if data, err := s.auth.Session(r); err != nil || data.User.Name != "Ann" {
				t.Error(data, err)
			}
		}
		for _, tt := range []struct {
			name    string
			handler http.Handler
			request func() *http.Request
			own     int // statements of the endpoint itself
		}{
			{"get-session", s.auth, s.anns(http.MethodGet, "/get-session", ""), 0},
			{"Session", http.HandlerFunc(session), s.anns(http.MethodGet, "/", ""), 0},
			{"RequireSession", s.auth.RequireSession(http.HandlerFunc(guarded)), s.anns(http.MethodGet, "/", ""), 0},
			{"list-accounts", s.auth, s.anns(http.MethodGet, "/list-accounts", ""), 1},
			{"list-sessions", s.auth, s.anns(http.MethodGet, "/list-sessions", ""), 1},
			{"update-user: write and read", s.auth, s.anns(http.MethodPost, "/update-user", `{"image":"cat.png"}`), 2},
		} {
			for _, warm := range []bool{false, true} {
				s.wire.Reset(nil)
				w := httptest.NewRecorder()
				tt.handler.ServeHTTP(w, tt.request())
				if w.Code != http.StatusOK {
					t.Fatalf("%s: %d %s", tt.name, w.Code, w.Body)
				}
				if warm {
					s.expectSteps(tt.name, 1+tt.own)
				}
			}
		}
	})
}

// TestNoRoundTrip: a session that is cached in its cookie costs none.
func TestNoRoundTrip(t *testing.T) {
	onEachInTurn(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		s.open(func(c *auth.Config) { c.Session.CookieCache.Enabled = true })
		w := httptest.NewRecorder()
		s.auth.ServeHTTP(w, s.anns(http.MethodGet, "/get-session", "")())
		r := s.anns(http.MethodGet, "/get-session", "")()
		for _, c := range w.Result().Cookies() {
			r.AddCookie(c)
		}
		s.wire.Reset(nil)
		w = httptest.NewRecorder()
		s.auth.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `"name":"Ann"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		s.expectSteps("get-session", 0)
	})
}

func (s *stage) anns(method, path, body string) func() *http.Request {
	return func() *http.Request { return s.request(method, path, body, "ANN") }
}

// expectSteps: so many statements have passed, the first of them has read the
// session, and nothing else has happened.
func (s *stage) expectSteps(name string, want int) {
	s.t.Helper()
	steps := s.wire.Steps()
	others := slices.ContainsFunc(steps, func(step Step) bool { return step.Kind != Query && step.Kind != Exec })
	if len(steps) != want || others || want > 0 && !strings.Contains(steps[0].SQL, "JOIN") {
		s.t.Errorf("%s took %d steps, want %d: %v", name, len(steps), want, steps)
	}
}
