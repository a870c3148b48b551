package faulttest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
	"modernc.org/sqlite"
)

// A database is an empty one, made for one test and dropped after it.
type database struct {
	product
	source    string
	line      *line // nobody uses it for SQLite
	connector driver.Connector
	admin     *sql.DB  // on no wire; takes several statements at once and "quoted" names
	tables    []string // that are looked at
}

// product is a kind of database that the tests run on.
type product struct {
	testdb.Server
	connect func(source string, l *line) (driver.Connector, error)
	admin   func(source string) (driver.Connector, error)
}

// products are all kinds, SQLite first.
var products = []product{
	{testdb.SQLite, connectSQLite, func(source string) (driver.Connector, error) { return connectSQLite(source, nil) }},
	{testdb.PostgreSQL, connectPostgreSQL, adminPostgreSQL},
	{testdb.MySQL, connectMySQL, adminMySQL},
}

// onEach runs a test on every database that answers, at the same time.
func onEach(t *testing.T, test func(t *testing.T, db *database)) { on(t, products, test) }

// onEachInTurn is onEach for tests whose requests come one after the other. The race
// detector looks on at those on SQLite alone.
func onEachInTurn(t *testing.T, test func(t *testing.T, db *database)) {
	if underRace {
		on(t, products[:1], test)
		return
	}
	onEach(t, test)
}

func on(t *testing.T, products []product, test func(t *testing.T, db *database)) {
	t.Parallel()
	for _, p := range products {
		t.Run(string(p.Dialect), func(t *testing.T) {
			t.Parallel()
			test(t, p.newDatabase(t))
		})
	}
}

func (p product) newDatabase(t *testing.T) *database {
	t.Helper()
	db := &database{product: p, source: p.New(t).Source, line: new(line), tables: coreTables}
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
	if _, err := d.admin.ExecContext(t.Context(), d.numbered(query, args), args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// scan reads the columns of one row.
func (d *database) scan(t *testing.T, query string, args []any, into ...any) {
	t.Helper()
	if err := d.admin.QueryRowContext(t.Context(), d.numbered(query, args), args...).Scan(into...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// numbered gives arguments the names that the database has for them.
func (d *database) numbered(query string, args []any) string {
	if d.Dialect == auth.PostgreSQL {
		for i := range args {
			query = strings.Replace(query, "?", "$"+string(rune('1'+i)), 1)
		}
	}
	return query
}

func connectSQLite(source string, _ *line) (driver.Connector, error) {
	return new(Wire).Open(&sqlite.Driver{}, source)
}

func postgresqlConfig(source string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(source)
	if err == nil {
		config.RuntimeParams["synchronous_commit"] = "off" // nobody pulls the plug of the server
	}
	return config, err
}

func connectPostgreSQL(source string, l *line) (driver.Connector, error) {
	config, err := postgresqlConfig(source)
	if err != nil {
		return nil, err
	}
	if l != nil {
		config.DialFunc = l.dial
	}
	return stdlib.GetConnector(*config), nil
}

func adminPostgreSQL(source string) (driver.Connector, error) {
	config, err := postgresqlConfig(source)
	if err != nil {
		return nil, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return stdlib.GetConnector(*config), nil
}

func connectMySQL(source string, l *line) (driver.Connector, error) {
	config, err := mysql.ParseDSN(source)
	if err != nil {
		return nil, err
	}
	config.Logger = &mysql.NopLogger{} // connections are cut on purpose
	if l != nil {
		config.DialFunc = l.dial
	}
	return mysql.NewConnector(config)
}

func adminMySQL(source string) (driver.Connector, error) {
	config, err := mysql.ParseDSN(source)
	if err != nil {
		return nil, err
	}
	config.MultiStatements, config.InterpolateParams = true, true
	config.Params = map[string]string{"sql_mode": "'ANSI_QUOTES,STRICT_ALL_TABLES'"}
	return mysql.NewConnector(config)
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
