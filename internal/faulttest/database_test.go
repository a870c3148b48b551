package faulttest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/seed3b05b409/auth"
	"modernc.org/sqlite"
)

// A database is an empty one, made for one test and dropped after it.
type database struct {
	name      string
	dialect   auth.Dialect
	connector driver.Connector
	admin     *sql.DB // on no wire; takes several statements at once and "quoted" names
}

// product is a kind of database that the tests run on.
type product struct {
	name    string
	dialect auth.Dialect
	create  func(t *testing.T) (driver.Connector, *sql.DB)
}

var products = []product{
	{"SQLite", auth.SQLite, createSQLite},
	{"PostgreSQL", auth.PostgreSQL, createPostgres},
	{"MySQL", auth.MySQL, createMySQL},
}

// onEach runs a test on every database that answers, at the same time.
func onEach(t *testing.T, test func(t *testing.T, db *database)) {
	t.Parallel()
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			connector, admin := p.create(t)
			t.Cleanup(func() { _ = admin.Close() })
			test(t, &database{p.name, p.dialect, connector, admin})
		})
	}
}

// pool opens the database behind a wire. One connection is enough for every
// request: a second one that is needed, or the first one that is not given
// back, is a request that never ends.
func (d *database) pool(t *testing.T, w *Wire) *sql.DB {
	pool := sql.OpenDB(w.Connector(d.connector))
	pool.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

func (d *database) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if d.dialect == auth.PostgreSQL {
		for i := range args {
			query = strings.Replace(query, "?", "$"+string(rune('1'+i)), 1)
		}
	}
	if _, err := d.admin.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func createSQLite(t *testing.T) (driver.Connector, *sql.DB) {
	connector := sqliteConnector(t, filepath.Join(t.TempDir(), "auth.db"))
	return connector, sql.OpenDB(connector)
}

// sqliteConnector opens a file as the documentation of the store says.
func sqliteConnector(t *testing.T, file string) driver.Connector {
	t.Helper()
	connector, err := new(Wire).Open(&sqlite.Driver{}, "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous(NORMAL)")
	if err != nil {
		t.Fatal(err)
	}
	return connector
}

func createPostgres(t *testing.T) (driver.Connector, *sql.DB) {
	config, err := pgx.ParseConfig(address("AUTH_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"))
	if err != nil {
		t.Fatal(err)
	}
	server := sql.OpenDB(stdlib.GetConnector(*config))
	name := inServer(t, server, "PostgreSQL", "AUTH_TEST_POSTGRES", " WITH (FORCE)")
	config.Database = name
	config.RuntimeParams["synchronous_commit"] = "off" // no test pulls the plug of the server
	simple := config.Copy()
	simple.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return stdlib.GetConnector(*config), sql.OpenDB(stdlib.GetConnector(*simple))
}

func createMySQL(t *testing.T) (driver.Connector, *sql.DB) {
	config, err := mysql.ParseDSN(address("AUTH_TEST_MYSQL", "root@tcp(127.0.0.1:3306)/"))
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = &mysql.NopLogger{}
	server := openMySQL(t, config)
	config.DBName = inServer(t, server, "MySQL or MariaDB", "AUTH_TEST_MYSQL", "")
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	many := config.Clone()
	many.MultiStatements, many.InterpolateParams = true, true
	many.Params = map[string]string{"sql_mode": "'ANSI_QUOTES,STRICT_ALL_TABLES'"}
	return connector, openMySQL(t, many)
}

func openMySQL(t *testing.T, config *mysql.Config) *sql.DB {
	t.Helper()
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	return sql.OpenDB(connector)
}

func address(variable, standard string) string {
	if given := os.Getenv(variable); given != "" {
		return given
	}
	return standard
}

// inServer makes a database in a server and drops it after the test. Without a
// server the test is skipped, but not in CI.
func inServer(t *testing.T, server *sql.DB, product, variable, drop string) string {
	t.Helper()
	t.Cleanup(func() { _ = server.Close() })
	if err := server.PingContext(t.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s: %v", product, err)
		}
		t.Skipf("to run this test, start %s or name one in %s (%v)", product, variable, err)
	}
	name := "auth_fault_" + strings.ToLower(rand.Text()[:12])
	if _, err := server.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := server.ExecContext(context.Background(), "DROP DATABASE "+name+drop); err != nil {
			t.Error(err)
		}
	})
	return name
}
