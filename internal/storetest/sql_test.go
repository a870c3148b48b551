package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3"
	_ "modernc.org/sqlite"

	"github.com/seed3b05b409/auth"
)

// A database is one that the suite runs on, through one driver.
type database struct {
	name    string
	dialect auth.Dialect
	driver  string
	open    func(t *testing.T) *sql.DB // an empty database
}

func databases() []database {
	return []database{
		{"SQLite with modernc.org/sqlite", auth.SQLite, "sqlite", func(t *testing.T) *sql.DB {
			return openFile(t, "sqlite", "_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous(OFF)")
		}},
		{"SQLite with mattn/go-sqlite3", auth.SQLite, "sqlite3", func(t *testing.T) *sql.DB {
			return openFile(t, "sqlite3", "_journal_mode=WAL&_busy_timeout=5000&_synchronous=OFF")
		}},
		{"PostgreSQL with pgx", auth.PostgreSQL, "pgx", openPostgreSQL},
		{"MySQL", auth.MySQL, "mysql", func(t *testing.T) *sql.DB { return openMySQL(t, "") }},
		{"MySQL with other options", auth.MySQL, "mysql", func(t *testing.T) *sql.DB {
			return openMySQL(t, "?clientFoundRows=true&parseTime=true&loc=Asia%2FTokyo&interpolateParams=true&time_zone=%27-03%3A30%27")
		}},
	}
}

func openFile(t *testing.T, driver, options string) *sql.DB {
	return open(t, driver, "file:"+filepath.Join(t.TempDir(), "test.db")+"?"+options)
}

func open(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	return db
}

var lastDatabase atomic.Int64

// temporary creates a database on a server and returns its name. A server that
// does not answer skips the test.
func temporary(t *testing.T, driver, admin, how string) string {
	t.Helper()
	server, err := sql.Open(driver, admin)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := server.PingContext(ctx); err != nil {
		_ = server.Close()
		if os.Getenv("CI") == "true" {
			t.Fatalf("no server: %v", err)
		}
		t.Skipf("no server (%v): %s", err, how)
	}
	name := fmt.Sprintf("auth_store_%d_%d", os.Getpid(), lastDatabase.Add(1))
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer server.Close()
		if _, err := server.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
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

func openPostgreSQL(t *testing.T) *sql.DB {
	server := env("AUTH_TEST_POSTGRESQL", "postgres://postgres@127.0.0.1:5432/")
	name := temporary(t, "pgx", server+"postgres?sslmode=disable", "start PostgreSQL on port 5432 with trust authentication, or set AUTH_TEST_POSTGRESQL")
	return open(t, "pgx", server+name+"?sslmode=disable")
}

func openMySQL(t *testing.T, options string) *sql.DB {
	server := env("AUTH_TEST_MYSQL", "root@tcp(127.0.0.1:3306)/")
	name := temporary(t, "mysql", server, "start MySQL or MariaDB on port 3306 with an empty root password, or set AUTH_TEST_MYSQL")
	return open(t, "mysql", server+name+options)
}

// onEach runs a test on every database.
func onEach(t *testing.T, test func(t *testing.T, d database)) {
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) { test(t, d) })
	}
}

// empty deletes what a case has left.
func empty(t *testing.T, store auth.Store) {
	t.Helper()
	for _, table := range slices.Backward(Tables()) {
		if _, err := store.Delete(t.Context(), table); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSQLStore(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		db := d.open(t)
		store := auth.NewSQLStore(db, d.dialect)
		if err := store.Migrate(t.Context(), Tables()); err != nil {
			t.Fatal(err)
		}
		if err := store.CheckSchema(t.Context(), Tables()); err != nil {
			t.Fatal(err)
		}
		Run(t, func(t *testing.T) auth.Store {
			empty(t, store)
			return store
		})
	})
}
