package faulttest

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/seed3b05b409/auth"
	"modernc.org/sqlite"
)

// A database is an empty one, made for one test and dropped after it.
type database struct {
	product
	source    string // its name, of SQLite the file
	line      *line  // nil: there is no network between
	connector driver.Connector
	admin     *sql.DB // on no wire; takes several statements at once and "quoted" names
}

// product is a kind of database that the tests run on.
type product struct {
	name    string
	dialect auth.Dialect
	create  func(t *testing.T) (source string)
	connect func(source string, l *line) (driver.Connector, error)
	admin   func(source string) (driver.Connector, error)
}

var products = []product{
	{"SQLite", auth.SQLite, createSQLite, connectSQLite,
		func(source string) (driver.Connector, error) { return connectSQLite(source, nil) }},
	{"PostgreSQL", auth.PostgreSQL, createPostgres, connectPostgres, adminPostgres},
	{"MySQL", auth.MySQL, createMySQL, connectMySQL, adminMySQL},
}

// onEach runs a test on every database that answers, at the same time.
func onEach(t *testing.T, test func(t *testing.T, db *database)) {
	t.Parallel()
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			test(t, p.open(t))
		})
	}
}

func (p product) open(t *testing.T) *database {
	t.Helper()
	db := &database{product: p, source: p.create(t), line: new(line)}
	var err error
	if db.connector, err = p.connect(db.source, db.line); err != nil {
		t.Fatal(err)
	}
	admin, err := p.admin(db.source)
	if err != nil {
		t.Fatal(err)
	}
	db.admin = sql.OpenDB(admin)
	t.Cleanup(func() { _ = db.admin.Close() })
	return db
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

func createSQLite(t *testing.T) string { return filepath.Join(t.TempDir(), "auth.db") }

// connectSQLite opens a file as the documentation of the store says. A program
// that is killed loses nothing without synchronous, only a machine does.
func connectSQLite(file string, _ *line) (driver.Connector, error) {
	return new(Wire).Open(&sqlite.Driver{}, "file:"+file+
		"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous(OFF)")
}

const (
	postgresVariable = "AUTH_TEST_POSTGRESQL"
	mysqlVariable    = "AUTH_TEST_MYSQL"
)

func postgresConfig(name string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(cmp.Or(os.Getenv(postgresVariable), "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"))
	if err != nil {
		return nil, err
	}
	config.Database = cmp.Or(name, config.Database)
	config.RuntimeParams["synchronous_commit"] = "off" // nobody pulls the plug of the server
	return config, nil
}

func createPostgres(t *testing.T) string {
	config, err := postgresConfig("")
	if err != nil {
		t.Fatal(err)
	}
	return inServer(t, stdlib.GetConnector(*config), "PostgreSQL", postgresVariable, " WITH (FORCE)")
}

func connectPostgres(name string, l *line) (driver.Connector, error) {
	config, err := postgresConfig(name)
	if err != nil {
		return nil, err
	}
	if l != nil {
		config.DialFunc = l.dial
	}
	return stdlib.GetConnector(*config), nil
}

func adminPostgres(name string) (driver.Connector, error) {
	config, err := postgresConfig(name)
	if err != nil {
		return nil, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return stdlib.GetConnector(*config), nil
}

func mysqlConfig(name string) (*mysql.Config, error) {
	config, err := mysql.ParseDSN(cmp.Or(os.Getenv(mysqlVariable), "root@tcp(127.0.0.1:3306)/"))
	if err != nil {
		return nil, err
	}
	config.Logger = &mysql.NopLogger{}
	config.DBName = name
	return config, nil
}

func createMySQL(t *testing.T) string {
	config, err := mysqlConfig("")
	if err != nil {
		t.Fatal(err)
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	return inServer(t, connector, "MySQL or MariaDB", mysqlVariable, "")
}

func connectMySQL(name string, l *line) (driver.Connector, error) {
	config, err := mysqlConfig(name)
	if err != nil {
		return nil, err
	}
	if l != nil {
		config.DialFunc = l.dial
	}
	return mysql.NewConnector(config)
}

func adminMySQL(name string) (driver.Connector, error) {
	config, err := mysqlConfig(name)
	if err != nil {
		return nil, err
	}
	config.MultiStatements, config.InterpolateParams = true, true
	config.Params = map[string]string{"sql_mode": "'ANSI_QUOTES,STRICT_ALL_TABLES'"}
	return mysql.NewConnector(config)
}

// inServer makes a database in a server and drops it after the test. Without a
// server the test is skipped, but not in CI.
func inServer(t *testing.T, connector driver.Connector, product, variable, drop string) string {
	t.Helper()
	server := sql.OpenDB(connector)
	t.Cleanup(func() { _ = server.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.PingContext(ctx); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s: %v", product, err)
		}
		t.Skipf("to run this test, start %s or name one in %s (%v)", product, variable, err)
	}
	name := "auth_fault_" + strings.ToLower(rand.Text()[:12])
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := server.ExecContext(context.Background(), "DROP DATABASE "+name+drop); err != nil {
			t.Error(err)
		}
	})
	return name
}

// A line is the network between this process and a server.
type line struct {
	mu    sync.Mutex // guards what follows
	down  bool
	conns []net.Conn
}

// nobody listens at this address.
const nobody = "127.0.0.1:1"

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		network, address = "tcp", nobody
	}
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		l.conns = append(l.conns, c)
	}
	return c, err
}

// set ends all connections or lets new ones be made.
func (l *line) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}
