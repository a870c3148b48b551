package conformancetest

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// newDatabase is a file with the variant's empty tables, which the original's own
// migration has made.
func (v *variant) newDatabase(t testing.TB) (path string) {
	t.Helper()
	v.prepare.Do(func() {
		path := filepath.Join(t.TempDir(), "empty.db")
		theOriginal(t).Ask(t, "prepare", map[string]any{"path": path, "options": v.originalOptions()}, nil)
		var err error
		if v.empty, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	})
	path = filepath.Join(t.TempDir(), "auth.db")
	if err := os.WriteFile(path, v.empty, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openDatabase(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open(testdb.SQLite.Driver, "file:"+(&url.URL{Path: path}).EscapedPath()+
		"?_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)&_pragma=foreign_keys(ON)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// A row is one of a table, its columns as "name=literal".
type row struct {
	place string // table and number
	text  string
}

// A table is one of a database, with the query for its rows in the order of
// insertion.
type table struct {
	name, query string
	columns     []string
}

// A watcher has a connection of its own, to which every commit is somebody else's.
type watcher struct {
	t       testing.TB
	conn    *sql.Conn
	tables  []table
	version int64 // of the data
}

// watch returns one that has seen nothing yet, nil without a database.
func watch(t testing.TB, db *sql.DB) *watcher {
	t.Helper()
	if db == nil {
		return nil
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &watcher{t: t, conn: conn, tables: tables(t, conn)}
}

// changed reports whether something was committed since the last time.
func (w *watcher) changed() bool {
	before := w.version
	query(w.t, w.conn, "PRAGMA data_version", func(values []any) { w.version = values[0].(int64) })
	return w.version != before
}

func tables(t testing.TB, db *sql.Conn) (all []table) {
	t.Helper()
	query(t, db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid", func(values []any) {
		all = append(all, table{name: values[0].(string)})
	})
	for i := range all {
		this := &all[i]
		var literals []string
		query(t, db, `SELECT name FROM pragma_table_info('`+this.name+`')`, func(values []any) {
			name := values[0].(string)
			this.columns, literals = append(this.columns, name), append(literals, `quote("`+name+`")`)
		})
		this.query = `SELECT rowid, ` + strings.Join(literals, ", ") + ` FROM "` + this.name + `" ORDER BY rowid`
	}
	return all
}

// rows reads all tables.
func (w *watcher) rows() (all []row) {
	w.t.Helper()
	for _, this := range w.tables {
		query(w.t, w.conn, this.query, func(values []any) {
			text := make([]string, len(this.columns))
			for i, column := range this.columns {
				text[i] = fmt.Sprint(column, "=", values[i+1])
			}
			all = append(all, row{fmt.Sprint(this.name, " ", values[0]), strings.Join(text, " ")})
		})
	}
	return all
}

func query(t testing.TB, db *sql.Conn, text string, each func(values []any)) {
	t.Helper()
	result, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	columns, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for result.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := result.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		each(values)
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
}
