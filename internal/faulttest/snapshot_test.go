package faulttest

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// tables are those of the core and of plugins, those that are referenced first.
var (
	coreTables = []string{"user", "session", "account", "verification"}
	allTables  = append(coreTables, "twoFactor", "jwks")
)

// A snapshot is all rows of all tables, by table and id, column by column.
type snapshot map[string]map[string]map[string]string

// snapshot reads all tables as they are at one moment: a server may still be
// busy with what a client has asked for that is gone.
func (d *database) snapshot(t *testing.T) snapshot {
	t.Helper()
	var options sql.TxOptions // by default SQLite and MySQL read from one moment
	if d.Dialect == auth.PostgreSQL {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.admin.BeginTx(t.Context(), &options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	all := make(snapshot)
	for _, table := range d.tables {
		all[table] = rowsOf(t, tx, table)
	}
	return all
}

func rowsOf(t *testing.T, tx *sql.Tx, table string) map[string]map[string]string {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]map[string]string)
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		row := make(map[string]string)
		for i, name := range columns {
			row[name] = text(values[i])
		}
		all[row["id"]] = row
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func text(value any) string {
	switch v := value.(type) {
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(value)
}

// shelves makes the tables in which save keeps rows: those of before the first
// scenario and those of before the request.
func (d *database) shelves(t *testing.T) {
	t.Helper()
	for _, shelf := range []string{"base", "given"} {
		for _, table := range allTables {
			d.exec(t, "CREATE TABLE "+shelf+"_"+table+` AS SELECT * FROM "`+table+`"`)
		}
	}
}

// save keeps the rows of all tables on a shelf.
func (d *database) save(t *testing.T, shelf string) {
	t.Helper()
	var script []string
	for _, table := range d.tables {
		kept := shelf + "_" + table
		script = append(script, "DELETE FROM "+kept, "INSERT INTO "+kept+` SELECT * FROM "`+table+`"`)
	}
	d.transact(t, script)
}

// restore brings them back.
func (d *database) restore(t *testing.T, shelf string) {
	t.Helper()
	var script []string
	for _, table := range slices.Backward(d.tables) {
		script = append(script, `DELETE FROM "`+table+`"`)
	}
	for _, table := range d.tables {
		script = append(script, `INSERT INTO "`+table+`" SELECT * FROM `+shelf+"_"+table)
	}
	d.transact(t, script)
}

func (d *database) transact(t *testing.T, script []string) {
	t.Helper()
	tx, err := d.admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), strings.Join(script, ";")); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// change sums up how one snapshot became another: "session+1 user~1" is one
// session more and one user with other values.
func change(before, after snapshot) string {
	var parts []string
	for _, table := range slices.Sorted(maps.Keys(after)) {
		counts := map[string]int{}
		for id, row := range after[table] {
			if old, ok := before[table][id]; !ok {
				counts["+"]++
			} else if !maps.Equal(old, row) {
				counts["~"]++
			}
		}
		for id := range before[table] {
			if _, ok := after[table][id]; !ok {
				counts["-"]++
			}
		}
		for _, sign := range []string{"+", "-", "~"} {
			if counts[sign] > 0 {
				parts = append(parts, fmt.Sprintf("%s%s%d", table, sign, counts[sign]))
			}
		}
	}
	return strings.Join(parts, " ")
}

// generated are the columns whose values are new each time.
var generated = []string{"id", "userId", "accountId", "token", "identifier", "value", "createdAt", "updatedAt", "expiresAt", "accessTokenExpiresAt",
	"secret", "backupCodes", "lockedUntil", "publicKey", "privateKey"}

// comparable returns the rows as sorted lines in which values of generated
// columns that were not there before are stars. A verification that was taken and
// put back is the same.
func (s snapshot) comparable(before snapshot) []string {
	known := make(map[string]bool)
	for _, rows := range before {
		for _, row := range rows {
			for _, name := range generated {
				known[row[name]] = true
			}
		}
	}
	var lines []string
	for table, rows := range s {
		for _, row := range rows {
			line := table
			for _, name := range slices.Sorted(maps.Keys(row)) {
				value := row[name]
				if table == "verification" && slices.Contains([]string{"id", "createdAt", "updatedAt"}, name) {
					continue
				}
				if slices.Contains(generated, name) && !known[value] {
					value = "*"
				}
				line += " " + name + "=" + value
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}
