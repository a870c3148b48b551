package benchmarks

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/seed3b05b409/auth"
)

// A backend is where rows are kept.
type backend struct {
	name    string
	dialect auth.Dialect               // empty: memory
	open    func(b *testing.B) *sql.DB // an empty database
}

// backends are what the benchmarks run on. Commits do not wait for the disk where
// a connection may ask for that: the disk would hide everything else.
var backends = []backend{
	{"memory", "", nil},
	{"SQLite", auth.SQLite, openSQLite},
	{"PostgreSQL", auth.PostgreSQL, openPostgreSQL},
	{"MySQL", auth.MySQL, openMySQL},
}

// store returns a store and the database behind it, nil for memory.
func (on backend) store(b *testing.B) (auth.Store, *sql.DB) {
	b.Helper()
	if on.open == nil {
		return auth.NewMemoryStore(), nil
	}
	db := on.open(b)
	return auth.NewSQLStore(db, on.dialect), db
}

// onEach runs a benchmark on every store.
func onEach(b *testing.B, measure func(b *testing.B, on backend)) {
	for _, on := range backends {
		b.Run(on.name, func(b *testing.B) { measure(b, on) })
	}
}

// sqliteOptions are those that the documentation of SQLStore recommends, and
// the commits of backends.
const sqliteOptions = "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous(NORMAL)"

func openSQLite(b *testing.B) *sql.DB {
	return open(b, "sqlite", "file:"+filepath.Join(b.TempDir(), "bench.db")+sqliteOptions)
}

func openPostgreSQL(b *testing.B) *sql.DB {
	server := env("AUTH_TEST_POSTGRESQL", "postgres://postgres@127.0.0.1:5432/")
	name := temporary(b, "pgx", server+"postgres?sslmode=disable", "start PostgreSQL on port 5432 with trust authentication, or set AUTH_TEST_POSTGRESQL")
	return open(b, "pgx", server+name+"?sslmode=disable&synchronous_commit=off")
}

func openMySQL(b *testing.B) *sql.DB {
	server := env("AUTH_TEST_MYSQL", "root@tcp(127.0.0.1:3306)/")
	name := temporary(b, "mysql", server, "start MySQL or MariaDB on port 3306 with an empty root password, or set AUTH_TEST_MYSQL")
	return open(b, "mysql", server+name+"?parseTime=true&time_zone=%27%2B00:00%27")
}

func open(b *testing.B, driver, source string) *sql.DB {
	b.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return db
}

var lastDatabase atomic.Int64

// temporary creates a database on a server and returns its name.
func temporary(b *testing.B, driver, admin, how string) string {
	b.Helper()
	server, err := sql.Open(driver, admin)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
	defer cancel()
	if err := server.PingContext(ctx); err != nil {
		_ = server.Close()
		missing(b, fmt.Sprintf("no server (%v)", err), how)
	}
	name := fmt.Sprintf("auth_bench_%d_%d", os.Getpid(), lastDatabase.Add(1))
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		defer server.Close()
		if _, err := server.Exec("DROP DATABASE " + name); err != nil {
			b.Error(err)
		}
	})
	return name
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// missing skips the benchmark on a machine without what it needs, but not in CI.
func missing(b *testing.B, what, remedy string) {
	b.Helper()
	if os.Getenv("CI") == "true" {
		b.Fatalf("%s: %s", what, remedy)
	}
	b.Skipf("%s: %s", what, remedy)
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
