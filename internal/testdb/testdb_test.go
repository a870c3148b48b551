package testdb

import "testing"

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
