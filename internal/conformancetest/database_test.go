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

// rows reads all tables, each in the order of insertion.
func rows(t testing.TB, db *sql.DB) (all []row) {
	t.Helper()
	if db == nil {
		return nil
	}
	for _, table := range tableNames(t, db) {
		all = append(all, tableRows(t, db, table)...)
	}
	return all
}

func tableNames(t testing.TB, db *sql.DB) (names []string) {
	t.Helper()
	query(t, db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid", func(values []any) {
		names = append(names, values[0].(string))
	})
	return names
}

func tableRows(t testing.TB, db *sql.DB, table string) (rows []row) {
	t.Helper()
	var columns, literals []string
	query(t, db, `SELECT name FROM pragma_table_info('`+table+`')`, func(values []any) {
		name := values[0].(string)
		columns, literals = append(columns, name), append(literals, `quote("`+name+`")`)
	})
	query(t, db, `SELECT rowid, `+strings.Join(literals, ", ")+` FROM "`+table+`" ORDER BY rowid`, func(values []any) {
		text := make([]string, len(columns))
		for i, column := range columns {
			text[i] = fmt.Sprint(column, "=", values[i+1])
		}
		rows = append(rows, row{fmt.Sprint(table, " ", values[0]), strings.Join(text, " ")})
	})
	return rows
}

func query(t testing.TB, db *sql.DB, text string, each func(values []any)) {
	t.Helper()
	result, err := db.Query(text)
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
