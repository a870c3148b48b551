// Package testdb gives tests databases of their own: files for SQLite, and
// databases on a PostgreSQL and a MySQL or MariaDB server on this machine, which
// are dropped when the test ends.
//
// The servers are at the usual ports of 127.0.0.1 and let a superuser in without
// a password, or where AUTH_TEST_POSTGRESQL and AUTH_TEST_MYSQL say, URLs without
// a path. A test whose server does not answer is skipped with a line that says
// how to run it; with CI=true it fails.
package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite

	"github.com/seed3b05b409/auth"
)

// A Server is a kind of database.
type Server struct {
	Dialect auth.Dialect
	Driver  string // that Database.Open uses

	variable, address string // where the server is
	source            func(server *url.URL, name string) string
	how               string
}

// The kinds of databases.
var (
	SQLite     = Server{Dialect: auth.SQLite, Driver: "sqlite"}
	PostgreSQL = Server{
		Dialect: auth.PostgreSQL, Driver: "pgx", source: postgresqlSource,
		variable: "AUTH_TEST_POSTGRESQL", address: "postgres://postgres@127.0.0.1:5432",
		how: "start PostgreSQL on port 5432 with trust authentication for postgres, or set AUTH_TEST_POSTGRESQL to its URL",
	}
	MySQL = Server{
		Dialect: auth.MySQL, Driver: "mysql", source: mysqlSource,
		variable: "AUTH_TEST_MYSQL", address: "mysql://root@127.0.0.1:3306",
		how: "start MySQL or MariaDB on port 3306 with an empty password for root, or set AUTH_TEST_MYSQL to its URL",
	}
)

// Servers are all kinds.
var Servers = []Server{SQLite, PostgreSQL, MySQL}

// Each runs a test on every kind of database.
func Each(t *testing.T, test func(t *testing.T, s Server)) {
	for _, s := range Servers {
		t.Run(string(s.Dialect), func(t *testing.T) { test(t, s) })
	}
}

// A Database is one that belongs to a test.
type Database struct {
	Driver string
	Source string // for the driver
	URL    string // for other programs: the path of a file, postgres:// or mysql://
}

// New makes an empty database.
func (s Server) New(tb testing.TB) Database {
	tb.Helper()
	if s.Dialect == auth.SQLite {
		path := filepath.Join(tb.TempDir(), "test.db")
		return Database{s.Driver, "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + sqliteOptions, path}
	}
	server := s.at(tb)
	name := s.create(tb, server)
	return Database{s.Driver, s.source(server, name), server.JoinPath(name).String()}
}

// With adds parameters for the driver to the source, encoded as in a URL.
// SQLite's _synchronous prevails over the pragma that is there.
func (d Database) With(parameters string) Database {
	separator := "?"
	if strings.Contains(d.Source, "?") {
		separator = "&"
	}
	d.Source += separator + parameters
	return d
}

// sqliteOptions of modernc.org/sqlite. What a test writes need not survive a
// loss of power.
const sqliteOptions = "_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)"

// Open makes an empty database and opens it.
func (s Server) Open(tb testing.TB) *sql.DB {
	tb.Helper()
	return s.New(tb).Open(tb)
}

// Open opens the database until the end of the test.
func (d Database) Open(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open(d.Driver, d.Source)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	return db
}

func (s Server) at(tb testing.TB) *url.URL {
	tb.Helper()
	address := os.Getenv(s.variable)
	if address == "" {
		address = s.address
	}
	server, err := url.Parse(address)
	if err != nil {
		tb.Fatalf("%s: %v", s.variable, err)
	}
	return server
}

func postgresqlSource(server *url.URL, name string) string {
	source := server.JoinPath(name)
	source.RawQuery = "sslmode=disable"
	return source.String()
}

func mysqlSource(server *url.URL, name string) string {
	config := mysql.NewConfig()
	config.Net, config.Addr, config.DBName = "tcp", server.Host, name
	config.User = server.User.Username()
	config.Passwd, _ = server.User.Password()
	return config.FormatDSN()
}

var last atomic.Int64

// create makes a database on a server, to be dropped after the test.
func (s Server) create(tb testing.TB, server *url.URL) (name string) {
	tb.Helper()
	home := ""
	if s.Dialect == auth.PostgreSQL {
		home = "postgres"
	}
	admin, err := sql.Open(s.Driver, s.source(server, home))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = admin.Close() })
	s.require(tb, admin)
	name = fmt.Sprintf("auth_test_%d_%d", os.Getpid(), last.Add(1))
	if _, err := admin.ExecContext(tb.Context(), "CREATE DATABASE "+name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + s.force()); err != nil {
			tb.Error(err)
		}
	})
	return name
}

// force ends what a test left connected, such as a server that it killed.
func (s Server) force() string {
	if s.Dialect == auth.PostgreSQL {
		return " WITH (FORCE)"
	}
	return ""
}

// require ends the test unless the server answers.
func (s Server) require(tb testing.TB, admin *sql.DB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 5*time.Second)
	defer cancel()
	err := admin.PingContext(ctx)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		tb.Fatalf("no %s: %v", s.Dialect, err)
	default:
		tb.Skipf("no %s (%v): %s", s.Dialect, err, s.how)
	}
}
