package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/seed3b05b409/auth"
)

// BenchmarkSessionRefresh is a get-session that prolongs the session: a read and
// an update.
func BenchmarkSessionRefresh(b *testing.B) {
	onEach(b, func(b *testing.B, on backend) {
		store, _ := on.store(b)
		a := newAuth(b, store, auth.Passwords{Hasher: plain{}}, auth.SessionOptions{RefreshAlways: true})
		measureGet(b, a, signUp(b, a))
	})
}

// limits is the table of the original's rate limiter.
var limits = &auth.Table{Name: "rateLimit", Columns: []auth.Column{
	{Name: "key", Type: auth.TypeString, Unique: true},
	{Name: "count", Type: auth.TypeNumber},
	{Name: "lastRequest", Type: auth.TypeNumber, BigInt: true},
}}

// limitRows is how many rows the table has. Others come and go.
const limitRows = 1000

func limitKey(i int) string { return fmt.Sprintf("203.0.113.7|/path/%d", i%limitRows) }

var errNoRow = errors.New("no row was found")

// BenchmarkWrite changes the rows that a rate limiter or single-use tokens are
// made of. By hand it is one prepared statement for each change, and the row
// that it returns except from MySQL, which does not return any.
func BenchmarkWrite(b *testing.B) {
	onEach(b, func(b *testing.B, on backend) {
		store, db := on.store(b)
		if db != nil {
			if err := store.(auth.SchemaStore).Migrate(b.Context(), []*auth.Table{limits}); err != nil {
				b.Fatal(err)
			}
		}
		for i := range limitRows {
			if err := store.Insert(b.Context(), limits, auth.Row{limitKey(i), 0, 0, fmt.Sprint(i)}); err != nil {
				b.Fatal(err)
			}
		}
		contestants := map[string]writer{"auth": storeWriter{store}}
		if db != nil {
			contestants["bare"] = newBareWriter(b, db, on.server.Dialect)
		}
		measureWrites(b, contestants)
	})
}

// A writer makes changes; the number says to which row, and is the new value.
type writer interface {
	update(ctx context.Context, i int) error
	increment(ctx context.Context, i int) error
	consume(ctx context.Context, i int) error // of a row that it inserts first
}

func measureWrites(b *testing.B, contestants map[string]writer) {
	i := 0 // goes on, so that every change is one
	for _, w := range []struct {
		name  string
		write func(w writer, ctx context.Context, i int) error
	}{
		{"Update", writer.update},
		{"Increment", writer.increment},
		{"Insert and Consume", writer.consume},
	} {
		for _, name := range []string{"bare", "auth"} {
			contestant := contestants[name]
			if contestant == nil {
				continue
			}
			b.Run(w.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					i++
					if err := w.write(contestant, b.Context(), i); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

type storeWriter struct{ store auth.Store }

func (w storeWriter) update(ctx context.Context, i int) error {
	n, err := w.store.Update(ctx, limits, map[string]any{"lastRequest": i}, auth.Where("key", limitKey(i)))
	if n == 0 && err == nil {
		err = errNoRow
	}
	return err
}

func (w storeWriter) increment(ctx context.Context, i int) error {
	row, err := w.store.Increment(ctx, limits, map[string]int64{"count": 1}, map[string]any{"lastRequest": i},
		auth.Where("key", limitKey(i)), auth.Condition{Column: "count", Op: "<", Value: 1 << 30})
	if row == nil && err == nil {
		err = errNoRow
	}
	return err
}

func (w storeWriter) consume(ctx context.Context, i int) error {
	key := fmt.Sprint("a token, number ", i)
	if err := w.store.Insert(ctx, limits, auth.Row{key, 1, 1, key}); err != nil {
		return err
	}
	row, err := w.store.Consume(ctx, limits, auth.Where("key", key))
	if row == nil && err == nil {
		err = errNoRow
	}
	return err
}

// A bareWriter has its statements prepared.
type bareWriter struct {
	updates, increments, inserts, deletes *sql.Stmt

	returns bool
}

func newBareWriter(b *testing.B, db *sql.DB, dialect auth.Dialect) writer {
	w := &bareWriter{returns: dialect != auth.MySQL}
	returning := ""
	if w.returns {
		returning = ` RETURNING "key", "count", "lastRequest", "id"`
	}
	prepared := func(statement string) *sql.Stmt { return prepare(b, db, inDialect(dialect, statement)) }
	w.updates = prepared(`UPDATE "rateLimit" SET "lastRequest" = ? WHERE "key" = ?`)
	w.increments = prepared(`UPDATE "rateLimit" SET "count" = "count" + 1, "lastRequest" = ? WHERE "key" = ? AND "count" < ?` + returning)
	w.inserts = prepared(`INSERT INTO "rateLimit" ("key", "count", "lastRequest", "id") VALUES (?, ?, ?, ?)`)
	w.deletes = prepared(`DELETE FROM "rateLimit" WHERE "key" = ?` + returning)
	return w
}

func (w *bareWriter) update(ctx context.Context, i int) error {
	_, err := w.updates.ExecContext(ctx, i, limitKey(i))
	return err
}

func (w *bareWriter) increment(ctx context.Context, i int) error {
	return w.row(ctx, w.increments, i, limitKey(i), 1<<30)
}

func (w *bareWriter) consume(ctx context.Context, i int) error {
	key := fmt.Sprint("a token, number ", i)
	if _, err := w.inserts.ExecContext(ctx, key, 1, 1, key); err != nil {
		return err
	}
	return w.row(ctx, w.deletes, key)
}

// row runs a statement that changes a row and returns it, if it can.
func (w *bareWriter) row(ctx context.Context, statement *sql.Stmt, args ...any) error {
	if !w.returns {
		_, err := statement.ExecContext(ctx, args...)
		return err
	}
	var (
		key, id     string
		count, last int64
	)
	return statement.QueryRowContext(ctx, args...).Scan(&key, &count, &last, &id)
}
