package storetest

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3" // the driver sqlite3

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// A database is one that the suite runs on, through one driver.
type database struct {
	name    string
	dialect auth.Dialect
	open    func(t *testing.T) *sql.DB // an empty one
}

func databases() []database {
	return []database{
		{"SQLite with modernc.org/sqlite", auth.SQLite, opened(testdb.SQLite, "")},
		{"SQLite with mattn/go-sqlite3", auth.SQLite, openMattn},
		{"PostgreSQL with pgx", auth.PostgreSQL, opened(testdb.PostgreSQL, "")},
		{"MySQL", auth.MySQL, opened(testdb.MySQL, "")},
		{"MySQL with other options", auth.MySQL, opened(testdb.MySQL,
			"&clientFoundRows=true&parseTime=true&loc=Asia%2FTokyo&interpolateParams=true&time_zone=%27-03%3A30%27")},
	}
}

// opened opens databases with options beyond those of testdb.
func opened(server testdb.Server, options string) func(t *testing.T) *sql.DB {
	return func(t *testing.T) *sql.DB {
		d := server.New(t)
		if options != "" && !strings.Contains(d.Source, "?") {
			options = "?" + options[1:]
		}
		d.Source += options
		return d.Open(t)
	}
}

func openMattn(t *testing.T) *sql.DB {
	file := filepath.Join(t.TempDir(), "test.db")
	return testdb.Database{Driver: "sqlite3", Source: "file:" + file + "?_journal_mode=WAL&_busy_timeout=10000&_synchronous=OFF"}.Open(t)
}

// onEach runs a test on every database.
func onEach(t *testing.T, test func(t *testing.T, d database)) {
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) { test(t, d) })
	}
}

// migrated returns a store with the tables of the suite.
func migrated(t *testing.T, db *sql.DB, dialect auth.Dialect, names ...auth.Naming) *auth.SQLStore {
	t.Helper()
	store := auth.NewSQLStore(db, dialect, names...)
	if err := store.Migrate(t.Context(), Tables()); err != nil {
		t.Fatal(err)
	}
	if err := store.CheckSchema(t.Context(), Tables()); err != nil {
		t.Fatal(err)
	}
	return store
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
		store := migrated(t, d.open(t), d.dialect)
		Run(t, func(t *testing.T) auth.Store {
			empty(t, store)
			return store
		})
	})
}

// Where UUIDs are kept as text, rows from before they were the rule keep their
// ids and are found, referred to and deleted by them.
func TestIDsFromBeforeUUIDs(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		if d.dialect == auth.PostgreSQL {
			return // its columns hold UUIDs only
		}
		db := d.open(t)
		s := &suite{t, migrated(t, db, d.dialect)}
		const older = "an id of another kind"
		if _, err := db.ExecContext(t.Context(), "INSERT INTO uuidWhole (id, name) VALUES ('"+older+"', 'a')"); err != nil {
			t.Fatal(err)
		}
		s.insert(uuidPart, auth.Row{older, someUUID})
		s.wantIDs(auth.Query{Table: uuidWhole, Where: []auth.Condition{auth.Where("id", older)}}, older)
		s.wantIDs(auth.Query{Table: uuidPart, Where: []auth.Condition{auth.Where("wholeId", older)}}, someUUID)
		if n, err := s.Delete(t.Context(), uuidWhole, auth.Where("id", older)); n != 1 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
	})
}
