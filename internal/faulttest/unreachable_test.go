package faulttest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// quickly is how soon the absence of a database must be noticed.
const quickly = 2 * time.Second

// TestUnreachableDatabase: while nobody answers at the database's address, every
// endpoint says so at once and changes nothing; when the database is back, so is
// the service.
func TestUnreachableDatabase(t *testing.T) {
	onEachInTurn(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		for i := range scenarios {
			sc := &scenarios[i]
			s.run(t, sc.name(), func() {
				tr := s.newTrial(sc, false)
				tr.warm()
				tr.unplug()
				started := time.Now()
				out := tr.play(t.Context(), sc)
				if took := time.Since(started); took > quickly {
					s.t.Errorf("it took %v", took)
				}
				tr.plug()
				state := db.snapshot(s.t)
				tr.judge(&mishap{}, out, state)
				if change := change(tr.before, state); change != "" {
					s.t.Errorf("without a database: %q", change)
				}
				tr.settle()
				tr.recover(state)
			})
		}
	})
}

// unplug ends all connections and lets none be made. There is no network to a
// file.
func (s *stage) unplug() {
	if s.db.Dialect != auth.SQLite {
		s.db.line.set(true)
		return
	}
	s.wire.Reset(func(step Step) Fault { return Fault{Err: syscall.ECONNREFUSED, Cut: true} })
}

func (s *stage) plug() {
	s.db.line.set(false)
	s.wire.Reset(nil)
}

// TestDatabaseErrorsAreNotWrongCredentials: whoever is right about a password, a
// token or a session is never told otherwise because the database fails, and
// whoever is wrong learns nothing from it.
func TestDatabaseErrorsAreNotWrongCredentials(t *testing.T) {
	onEachInTurn(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		failing := func(Step) Fault { return Fault{Err: errInjected} }
		for i := range scenarios {
			sc := &scenarios[i]
			if sc.slow || sc.lenient {
				continue
			}
			s.run(t, sc.name(), func() {
				tr := s.newTrial(sc, false)
				tr.warm()
				tr.wire.Reset(failing)
				out := tr.play(t.Context(), sc)
				tr.wire.Reset(nil)
				if !out.failed() || out.header.Get("Set-Cookie") != "" {
					s.t.Errorf("%d %v %s", out.status, out.header, out.body)
				}
			})
		}
		s.run(t, "handlers", func() { s.failHandlers(failing) })
	})
}

// failHandlers: what applications build on tells a failure from a missing
// session.
func (s *stage) failHandlers(failing func(Step) Fault) {
	s.db.restore(s.t, "base")
	s.open(nil)
	s.wire.Reset(failing)
	r := s.request(http.MethodGet, "/", "", "ANN")
	if data, err := s.auth.Session(r); data != nil || err == nil {
		s.t.Errorf("Session: %v, %v", data, err)
	}
	w := httptest.NewRecorder()
	s.auth.RequireSession(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || w.Header().Get("Set-Cookie") != "" {
		s.t.Errorf("RequireSession: %d %v", w.Code, w.Header())
	}
	data, err := s.auth.API.GetSession.Call(s.t.Context(), auth.GetSessionRequest{}, auth.WithRequest(r))
	if data != nil || err == nil {
		s.t.Errorf("GetSession.Call: %v, %v", data, err)
	}
	s.wire.Reset(nil)
	if data, err := s.auth.Session(r); data == nil || err != nil {
		s.t.Errorf("Session afterwards: %v, %v", data, err)
	}
}

// TestEveryEndpointHasAScenario: who adds an endpoint says what it stores.
func TestEveryEndpointHasAScenario(t *testing.T) {
	config := auth.Config{BaseURL: origin, Secret: "a secret of thirty-two characters", Store: auth.NewMemoryStore()}
	plugged(&config)
	a, err := auth.New(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range a.API.Operations() {
		has := slices.ContainsFunc(scenarios, func(sc scenario) bool { return sc.endpoint == op.Name() })
		if has == slices.Contains(storeless, op.Name()) {
			t.Errorf("%s: add it either to scenarios or to storeless", op.Name())
		}
	}
	for _, sc := range scenarios {
		if a.API.Operation(sc.endpoint) == nil {
			t.Errorf("no endpoint is called %s", sc.endpoint)
		}
	}
}
