package oauthtest

import (
	"database/sql"
	"fmt"
	"maps"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
	"github.com/seed3b05b409/auth/internal/testnode"
)

const secret = "a secret for tests, 32 bytes long"

// A setting is how the servers of a world differ from the usual ones, in the
// words of both sides.
type setting struct {
	options   map[string]any       // of the original
	provider  map[string]any       // of the original's generic-oauth, for both providers
	config    func(c *auth.Config) // of this library
	openID    testnode.OpenIDOptions
	stateless bool         // there is no database, only cookies
	discovery testnode.Lie // of the provider "mock", from before the servers start
}

// A world is two providers and the servers at which users sign in with them. The
// npm package and this library share a database, or cookies at least; another one
// of this library has a database of its own, in memory.
type world struct {
	setting setting
	op      *testnode.OpenIDProvider // the provider "op"
	mock    *testnode.MockProvider   // the provider "mock"
	sites   []*site
	db      *sql.DB
	people  int
}

func newWorld(t *testing.T, s setting) *world {
	t.Helper()
	s.openID.RedirectURIs = append(s.openID.RedirectURIs, baseURL+"/api/auth/callback/op")
	w := &world{setting: s, op: s.openID.Start(t), mock: testnode.StartMockProvider(t)}
	w.mock.Tamper(testnode.Discovery, s.discovery)
	if s.stateless {
		ours := w.serve(t, "go", nil)
		ours.shared = true
		w.sites = []*site{w.serveOriginal(t, ""), ours}
		return w
	}
	database := testdb.SQLite.New(t)
	w.db = database.Open(t)
	ours := w.serve(t, "go", auth.NewSQLStore(w.db, auth.SQLite))
	ours.shared = true
	w.sites = []*site{w.serveOriginal(t, database.URL), ours, w.serve(t, "go in memory", auth.NewMemoryStore())}
	return w
}

// merge adds the members of one tree to another.
func merge(into, from map[string]any) map[string]any {
	merged := maps.Clone(into)
	for key, value := range from {
		branch, ok := value.(map[string]any)
		existing, both := merged[key].(map[string]any)
		if ok && both {
			value = merge(existing, branch)
		}
		merged[key] = value
	}
	return merged
}

// newPerson is the name at the provider of somebody whom no server knows.
func (w *world) newPerson() string {
	w.people++
	return fmt.Sprintf("person%d", w.people)
}

// A path is the servers that a flow goes through: it begins at one and is
// finished at another, or at the same.
type path struct {
	*world
	t          *testing.T
	begun, end *site
}

// alone runs a test with every server by itself.
func (w *world) alone(t *testing.T, test func(p *path)) {
	t.Helper()
	for _, s := range w.sites {
		t.Run(s.name, func(t *testing.T) { test(&path{w, t, s, s}) })
	}
}

// ours runs a test with the servers of this library.
func (w *world) ours(t *testing.T, test func(p *path)) {
	t.Helper()
	for _, s := range w.sites {
		if s.name != "npm" {
			t.Run(s.name, func(t *testing.T) { test(&path{w, t, s, s}) })
		}
	}
}

// everyWay runs a test with every server by itself, and with the two that share a
// database one after the other.
func (w *world) everyWay(t *testing.T, test func(p *path)) {
	t.Helper()
	w.alone(t, test)
	w.across(t, test)
}

// across runs a test with the two servers that share a database one after the
// other.
func (w *world) across(t *testing.T, test func(p *path)) {
	t.Helper()
	for _, begun := range w.sites {
		for _, end := range w.sites {
			if begun != end && begun.shared && end.shared {
				t.Run(begun.name+" then "+end.name, func(t *testing.T) { test(&path{w, t, begun, end}) })
			}
		}
	}
}

// column returns the values of a query in the shared database, one column of it.
func (w *world) column(t *testing.T, query string, arguments ...any) (values []string) {
	t.Helper()
	rows, err := w.db.QueryContext(t.Context(), query, arguments...)
	if err != nil {
		t.Fatalf("%v: %s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var value sql.NullString
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		if !value.Valid {
			value.String = "NULL"
		}
		values = append(values, value.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}
