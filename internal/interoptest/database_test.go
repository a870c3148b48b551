package interoptest

import (
	"database/sql"
	"maps"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// A database is an empty one of its own for a test.
type database struct {
	dialect auth.Dialect
	url     string // where the original finds it
	db      *sql.DB
}

// onEngines runs a test on each kind of database.
func onEngines(t *testing.T, test func(t *testing.T, s testdb.Server)) {
	testdb.Each(t, func(t *testing.T, s testdb.Server) {
		if underRace && s.Dialect != auth.SQLite {
			return
		}
		t.Parallel()
		test(t, s)
	})
}

func newDatabase(t *testing.T, s testdb.Server) *database {
	t.Helper()
	d := s.New(t)
	return &database{dialect: s.Dialect, url: d.URL, db: d.Open(t)}
}

// command adds the database to the parameters of a command to the original.
func (d *database) command(parameters map[string]any) map[string]any {
	command := maps.Clone(parameters)
	command["dialect"], command["url"] = d.dialect, d.url
	return command
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
	if d.dialect == auth.MySQL {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}
