package faulttest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
	"time"
)

var errLost = errors.New("the answer is lost")

// wired is a database with one table behind a wire.
func wired(t *testing.T, d *database) (*Wire, *sql.DB) {
	d.exec(t, `CREATE TABLE thing (id varchar(20) PRIMARY KEY, n integer, seen timestamp NULL, label text)`)
	w := new(Wire)
	pool := d.pool(t, w)
	if err := pool.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, pool
}

func things(t *testing.T, d *database) (n int) {
	t.Helper()
	if err := d.admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM thing").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// only makes a plan for the first step of a kind.
func only(kind Kind, f Fault) func(Step) Fault {
	struck := false
	return func(s Step) Fault {
		if s.Kind != kind || struck {
			return Fault{}
		}
		struck = true
		return f
	}
}

const insertThing = "INSERT INTO thing (id, n, label) VALUES ('a', 1, 'first')"

// TestWireIsTransparent: what goes through a wire without faults is what the
// driver does without it.
func TestWireIsTransparent(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		w, pool := wired(t, d)
		tx, err := pool.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(insertThing); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		var n int
		var label string
		var seen sql.NullTime
		prepared, err := pool.Prepare("SELECT n, label, seen FROM thing WHERE n < 2")
		if err != nil {
			t.Fatal(err)
		}
		if err := prepared.QueryRow().Scan(&n, &label, &seen); err != nil || n != 1 || label != "first" || seen.Valid {
			t.Errorf("%d %q %v: %v", n, label, seen, err)
		}
		if err := prepared.Close(); err != nil {
			t.Error(err)
		}
		var kinds []Kind
		for _, s := range w.Steps() {
			kinds = append(kinds, s.Kind)
		}
		if want := []Kind{Connect, Ping, Begin, Exec, Commit, Prepare, Query}; !slices.Equal(kinds, want) || w.Statements() != 4 {
			t.Errorf("steps %v, want %v", kinds, want)
		}
	})
}

// TestWireFaults: each fault does to the database and tells the caller what it
// says.
func TestWireFaults(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		w, pool := wired(t, d)
		insert := func(ctx context.Context) error {
			_, err := pool.ExecContext(ctx, insertThing)
			return err
		}
		inTransaction := func(ctx context.Context) error {
			tx, err := pool.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := tx.ExecContext(ctx, insertThing); err != nil {
				return err
			}
			return tx.Commit()
		}
		read := func(ctx context.Context) error {
			rows, err := pool.QueryContext(ctx, "SELECT n FROM thing")
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				return errors.New("a row")
			}
			return rows.Err()
		}
		for _, tt := range []struct {
			why   string
			do    func(context.Context) error
			kind  Kind
			fault Fault
			err   error
			rows  int
		}{
			{"no fault", insert, Exec, Fault{}, nil, 1},
			{"not done", insert, Exec, Fault{Err: errLost}, errLost, 0},
			{"done, the answer lost", insert, Exec, Fault{Err: errLost, Done: true}, errLost, 1},
			{"cut before: database/sql tries once more", insert, Exec, Fault{Cut: true}, nil, 1},
			{"cut before for good", insert, Exec, Fault{Cut: true, Err: errLost}, errLost, 0},
			{"cut after", insert, Exec, Fault{Cut: true, Done: true, Err: errLost}, errLost, 1},
			{"not begun", inTransaction, Begin, Fault{Err: errLost}, errLost, 0},
			{"fails in a transaction", inTransaction, Exec, Fault{Err: errLost, Done: true}, errLost, 0},
			{"cut in a transaction", inTransaction, Exec, Fault{Cut: true, Done: true}, driver.ErrBadConn, 0},
			{"cut before the commit", inTransaction, Commit, Fault{Cut: true, Err: errLost}, errLost, 0},
			{"cut during the commit", inTransaction, Commit, Fault{Cut: true, Done: true, Err: errLost}, errLost, 1},
			{"cut after the commit", inTransaction, Commit, Fault{Cut: true, Done: true}, nil, 1},
			{"answer breaks off", read, Query, Fault{Done: true, Reading: true, Err: errLost}, errLost, 0},
		} {
			d.exec(t, "DELETE FROM thing")
			w.Reset(only(tt.kind, tt.fault))
			err := tt.do(t.Context())
			w.Reset(nil)
			if !errors.Is(err, tt.err) || err != nil && tt.err == nil {
				t.Errorf("%s: %v, want %v", tt.why, err, tt.err)
			}
			if n := things(t, d); n != tt.rows {
				t.Errorf("%s: %d rows, want %d", tt.why, n, tt.rows)
			}
			if err := pool.PingContext(t.Context()); err != nil || pool.Stats().InUse != 0 {
				t.Errorf("%s: the pool does not recover: %v %+v", tt.why, err, pool.Stats())
			}
		}
	})
}

func TestWireDelay(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		w, pool := wired(t, d)
		w.Delay(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := pool.ExecContext(ctx, insertThing); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		w.Delay(0)
		if things(t, d) != 0 {
			t.Error("the statement arrived after its deadline")
		}
	})
}
