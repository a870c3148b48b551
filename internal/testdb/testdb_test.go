package testdb

import (
	"testing"

	"github.com/seed3b05b409/auth"
)

// TestOpen: two databases at once are two, and empty.
func TestOpen(t *testing.T) {
	Each(t, func(t *testing.T, s Server) {
		for range 2 {
			if _, err := s.Open(t).Exec("CREATE TABLE thing (id integer)"); err != nil {
				t.Errorf("not a database of its own: %v", err)
			}
		}
	})
}

// TestWith: what is added reaches every connection, also where SQLite's options
// say something else.
func TestWith(t *testing.T) {
	added := map[auth.Dialect]struct{ parameters, query, want string }{
		auth.SQLite:     {"_synchronous=NORMAL", "PRAGMA synchronous", "1"},
		auth.PostgreSQL: {"synchronous_commit=off", "SHOW synchronous_commit", "off"},
		auth.MySQL:      {"time_zone=%27%2B01:00%27", "SELECT @@time_zone", "+01:00"},
	}
	Each(t, func(t *testing.T, s Server) {
		test, got := added[s.Dialect], ""
		db := s.New(t).With(test.parameters).Open(t)
		if err := db.QueryRowContext(t.Context(), test.query).Scan(&got); err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", test.query, got, err, test.want)
		}
	})
}
