package faulttest

import (
	"context"
	"errors"
	"testing"

	"github.com/seed3b05b409/auth"
)

var errRefused = errors.New("the commit is refused")

// TestRefusedCommit: nothing is left of a transaction whose commit the database has
// refused, and its connection is in no transaction: what is written there afterwards
// stays, whatever becomes of the connection.
func TestRefusedCommit(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		w := new(Wire)
		pool := db.pool(t, w)
		users := &auth.Table{Name: "thing", Columns: []auth.Column{{Name: "name", Type: auth.TypeString}}}
		store := auth.NewSQLStore(pool, db.Dialect)
		if err := store.Migrate(t.Context(), []*auth.Table{users}); err != nil {
			t.Fatal(err)
		}
		insert := func(ctx context.Context, name string) error {
			return store.Insert(ctx, users, auth.Row{name, "id of " + name})
		}
		w.Reset(func(s Step) (f Fault) {
			if s.Kind == Commit {
				f.Err = errRefused
			}
			return f
		})
		err := store.Transaction(t.Context(), func(ctx context.Context) error { return insert(ctx, "ann") })
		if !errors.Is(err, errRefused) {
			t.Errorf("the transaction has the error %v", err)
		}
		w.Reset(nil)
		if err := insert(t.Context(), "bob"); err != nil {
			t.Error(err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		for name, want := range map[string]int{"ann": 0, "bob": 1} {
			var rows int
			if err := db.admin.QueryRow(`SELECT count(*) FROM thing WHERE name = '` + name + `'`).Scan(&rows); err != nil || rows != want {
				t.Errorf("%s: %d rows, %v, want %d", name, rows, err, want)
			}
		}
	})
}
