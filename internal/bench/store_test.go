package bench

import (
	"database/sql"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// A backend is where rows are kept.
type backend struct {
	name       string
	server     testdb.Server // zero: memory
	parameters string        // for its driver
}

// backends are what the benchmarks run on. Commits do not wait for the disk where
// a connection may ask for that: the disk would hide everything else.
var backends = []backend{
	{"memory", testdb.Server{}, ""},
	{"SQLite", testdb.SQLite, sqliteCommits},
	{"PostgreSQL", testdb.PostgreSQL, "synchronous_commit=off"},
	{"MariaDB", testdb.MySQL, "parseTime=true&time_zone=%27%2B00:00%27"},
}

// sqliteCommits are those of a database in use. In WAL mode they do not wait.
const sqliteCommits = "_synchronous=NORMAL"

// store returns a store and the database behind it, nil for memory.
func (on backend) store(b *testing.B) (auth.Store, *sql.DB) {
	b.Helper()
	if on.server.Dialect == "" {
		return auth.NewMemoryStore(), nil
	}
	db := on.server.New(b).With(on.parameters).Open(b)
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return auth.NewSQLStore(db, on.server.Dialect), db
}

// onEach runs a benchmark on every store.
func onEach(b *testing.B, measure func(b *testing.B, on backend)) {
	for _, on := range backends {
		b.Run(on.name, func(b *testing.B) { measure(b, on) })
	}
}

// prepare returns a statement that lives as long as the benchmark.
func prepare(b *testing.B, db *sql.DB, query string) *sql.Stmt {
	b.Helper()
	statement, err := db.PrepareContext(b.Context(), query)
	if err != nil {
		b.Fatalf("%v: %s", err, query)
	}
	b.Cleanup(func() { _ = statement.Close() })
	return statement
}
