package interoptest

import (
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/seed3b05b409/auth"
	_ "modernc.org/sqlite"
)

// An engine is a kind of database server.
type engine struct {
	kind    string // as original.mjs calls it
	dialect auth.Dialect
	create  func(t *testing.T, e *engine) *database
}

// A database is an empty one of its own for a test.
type database struct {
	*engine
	source string // where the original finds it: a file or a URL
	db     *sql.DB
}

var engines = []*engine{
	{"sqlite", auth.SQLite, createFile},
	{"postgres", auth.PostgreSQL, createOnPostgres},
	{"mysql", auth.MySQL, createOnMySQL},
}

// onEngines runs a test on each engine.
func onEngines(t *testing.T, test func(t *testing.T, e *engine)) {
	for _, e := range engines {
		t.Run(e.kind, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

func (e *engine) database(t *testing.T) *database {
	t.Helper()
	return e.create(t, e)
}

// command adds the database to the parameters of a command to the original.
func (d *database) command(parameters map[string]any) map[string]any {
	command := maps.Clone(parameters)
	command["kind"], command["source"] = d.kind, d.source
	return command
}

func createFile(t *testing.T, e *engine) *database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auth.db")
	pragmas := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	return &database{e, path, connect(t, "sqlite", "file:"+path+"?"+pragmas.Encode())}
}

func createOnPostgres(t *testing.T, e *engine) *database {
	t.Helper()
	server := serverURL(t, "AUTH_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
	admin := connect(t, "pgx", server.String())
	if err := admin.PingContext(t.Context()); err != nil {
		missing(t, fmt.Sprintf("no PostgreSQL: %v", err), "start one and name it in AUTH_TEST_POSTGRES: postgres://user:password@host/postgres")
	}
	server.Path = "/" + createDatabase(t, admin, "CREATE DATABASE %s", "DROP DATABASE %s WITH (FORCE)")
	return &database{e, server.String(), connect(t, "pgx", server.String())}
}

func createOnMySQL(t *testing.T, e *engine) *database {
	t.Helper()
	server := serverURL(t, "AUTH_TEST_MYSQL", "mysql://root@127.0.0.1:3306/")
	admin := connect(t, "mysql", mysqlDSN(server))
	if err := admin.PingContext(t.Context()); err != nil {
		missing(t, fmt.Sprintf("no MySQL or MariaDB: %v", err), "start one and name it in AUTH_TEST_MYSQL: mysql://user:password@host/")
	}
	server.Path = "/" + createDatabase(t, admin, "CREATE DATABASE %s CHARACTER SET utf8mb4", "DROP DATABASE %s")
	return &database{e, server.String(), connect(t, "mysql", mysqlDSN(server))}
}

func serverURL(t *testing.T, variable, standard string) *url.URL {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		text = standard
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return u
}

// mysqlDSN spells a URL as the Go driver wants it, with what the SQL store needs.
func mysqlDSN(u *url.URL) string {
	host := u.Host
	if u.Port() == "" {
		host += ":3306"
	}
	return fmt.Sprintf("%s@tcp(%s)/%s?%s", u.User, host, strings.TrimPrefix(u.Path, "/"), url.Values{
		"parseTime": {"true"}, "time_zone": {"'+00:00'"},
	}.Encode())
}

var databases atomic.Int64

// createDatabase makes a database with a name of its own and drops it in the
// end.
func createDatabase(t *testing.T, admin *sql.DB, create, drop string) string {
	t.Helper()
	name := fmt.Sprintf("interop_%d_%d_%d", os.Getpid(), time.Now().UnixMilli(), databases.Add(1))
	if _, err := admin.ExecContext(t.Context(), fmt.Sprintf(create, name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(fmt.Sprintf(drop, name)); err != nil {
			t.Error(err)
		}
	})
	return name
}

// connect opens a pool that is closed in the end.
func connect(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(4)
	t.Cleanup(func() { db.Close() })
	return db
}

// texts runs a query and returns the rows, their values joined by bars.
func (d *database) texts(t *testing.T, query string, arguments ...any) (lines []string) {
	t.Helper()
	rows, err := d.db.QueryContext(t.Context(), query, arguments...)
	if err != nil {
		t.Fatalf("%v: %s", err, query)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		line := make([]string, len(values))
		for i, value := range values {
			if line[i] = value.String; !value.Valid {
				line[i] = "NULL"
			}
		}
		lines = append(lines, strings.Join(line, " | "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// exec runs statements.
func (d *database) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
}

// quote quotes a name.
func (d *database) quote(name string) string {
	if d.kind == "mysql" {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}
