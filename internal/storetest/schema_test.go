package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// oddNames gives names that have to be quoted in every dialect.
func oddNames(table, column string) string {
	if column == "" {
		return `a "b" ` + "`c` " + auth.SnakeCase(table, "")
	}
	return `select 'x'; -- "` + auth.SnakeCase(table, column)
}

// TestSQLStoreRenamed: what a table is called changes nothing.
func TestSQLStoreRenamed(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		store := migrated(t, d.open(t), d.dialect, oddNames)
		Run(t, func(t *testing.T) auth.Store {
			empty(t, store)
			return store
		})
	})
}

// TestMigrateAtOnce: several instances of a program start at the same time.
func TestMigrateAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		db := d.open(t)
		if err := db.PingContext(t.Context()); err != nil { // a first connection makes a file WAL
			t.Fatal(err)
		}
		atOnce(8, func(int) {
			if err := auth.NewSQLStore(db, d.dialect).Migrate(t.Context(), Tables()); err != nil {
				t.Error(err)
			}
		})
		store := auth.NewSQLStore(db, d.dialect)
		if err := store.CheckSchema(t.Context(), Tables()); err != nil {
			t.Error(err)
		}
		if err := store.Migrate(t.Context(), Tables()); err != nil {
			t.Errorf("once more: %v", err)
		}
	})
}

// TestSchemaText: the statements that Schema returns make what Migrate makes.
func TestSchemaText(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		db := d.open(t)
		store := auth.NewSQLStore(db, d.dialect)
		text, err := store.Schema(Tables())
		if err != nil {
			t.Fatal(err)
		}
		for statement := range strings.SplitSeq(text, ";\n") {
			execute(t, db, statement)
		}
		if err := store.CheckSchema(t.Context(), Tables()); err != nil {
			t.Error(err)
		}
	})
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if statement == "" {
		return
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestMigrateAddsColumns: a table that exists gets the columns it lacks, and
// its rows the defaults.
func TestMigrateAddsColumns(t *testing.T) {
	old := &auth.Table{Name: "thing", Columns: []auth.Column{{Name: "name", Type: auth.TypeString}}}
	value := func(v any) func() any { return func() any { return v } }
	grown := &auth.Table{Name: "thing", Columns: []auth.Column{
		{Name: "name", Type: auth.TypeString},
		{Name: "note", Type: auth.TypeString, Nullable: true, Unique: true},
		{Name: "kind", Type: auth.TypeString, Default: value(`it's a \ "thing"`), Index: true, Sortable: true},
		{Name: "size", Type: auth.TypeNumber, Default: value(7)},
		{Name: "good", Type: auth.TypeBoolean, Default: value(true)},
	}}
	demanding := &auth.Table{Name: "thing", Columns: append(grown.Columns[:len(grown.Columns):len(grown.Columns)],
		auth.Column{Name: "owner", Type: auth.TypeString})}
	onEach(t, func(t *testing.T, d database) {
		db := d.open(t)
		migrate := func(table *auth.Table) (*auth.SQLStore, error) {
			store := auth.NewSQLStore(db, d.dialect)
			return store, store.Migrate(t.Context(), []*auth.Table{table})
		}
		store, err := migrate(old)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Insert(t.Context(), old, auth.Row{"first", "1"}); err != nil {
			t.Fatal(err)
		}
		if store, err = migrate(grown); err != nil {
			t.Fatal(err)
		}
		if err := store.CheckSchema(t.Context(), []*auth.Table{grown}); err != nil {
			t.Error(err)
		}
		rows, err := store.Select(t.Context(), auth.Query{Table: grown})
		want := auth.Row{"first", nil, `it's a \ "thing"`, int64(7), true, "1"}
		if err != nil || len(rows) != 1 || fmt.Sprint(rows[0]) != fmt.Sprint(want) {
			t.Errorf("got %v, %v, want %v", rows, err, want)
		}
		if _, err := migrate(demanding); err == nil || !strings.Contains(err.Error(), `"owner"`) {
			t.Errorf("a column for which the row has no value: %v", err)
		}
		if err := store.CheckSchema(t.Context(), []*auth.Table{demanding}); err == nil {
			t.Error("a column was added although it was refused")
		}
		execute(t, db, "DELETE FROM thing")
		if _, err := migrate(demanding); err != nil {
			t.Errorf("into an empty table: %v", err)
		}
	})
}

// TestCheckSchemaFindsDrift: what somebody changes in the database is named,
// and what does no harm is not.
func TestCheckSchemaFindsDrift(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change map[auth.Dialect]string
		want   []string // all of the error; none: no error
	}{
		{"a table is gone", same("DROP TABLE page"), []string{`"page": missing`}},
		{"a column is gone", same("ALTER TABLE author DROP COLUMN born"), []string{`"author": column "born" is missing`}},
		{"an index is gone", dialects(`DROP INDEX "book_authorId_idx"`, `DROP INDEX "book_authorId_idx"`,
			"ALTER TABLE book DROP FOREIGN KEY book_ibfk_1, DROP INDEX book_authorId_idx"), []string{`"book": column "authorId" has no index`}},
		{"a unique index is gone", dialects("", `ALTER TABLE author DROP CONSTRAINT author_email_key`, "ALTER TABLE author DROP INDEX email"),
			[]string{`"author": column "email" has no unique index`}},
		{"a column has another type", dialects("", "ALTER TABLE author ALTER COLUMN born TYPE text", "ALTER TABLE author MODIFY born varchar(20)"),
			[]string{`"author": column "born" has the type `}},
		{"a column must have a value", dialects("", "ALTER TABLE author ALTER COLUMN score SET NOT NULL", "ALTER TABLE author MODIFY score double NOT NULL"),
			[]string{`"author": column "score" is NOT NULL`}},
		{"a stranger must have a value", dialects(`ALTER TABLE page RENAME TO old; CREATE TABLE page (id text primary key, number bigint, "bookId" text, issuer text not null)`,
			"ALTER TABLE page ADD issuer text NOT NULL", "ALTER TABLE page ADD issuer text NOT NULL"),
			[]string{`"page": column "issuer" is NOT NULL and has no default`}},
		{"two drifts", same("DROP TABLE page; ALTER TABLE author DROP COLUMN born"), []string{`"page": missing`, `"author": column "born"`}},
		{"a stranger may be NULL", same("ALTER TABLE author ADD issuer text"), nil},
		{"a stranger has a default", same("ALTER TABLE author ADD issuer varchar(9) NOT NULL DEFAULT 'x'"), nil},
		{"another table", same("CREATE TABLE issuer (id text)"), nil},
		{"a wider type", dialects("", "ALTER TABLE page ALTER COLUMN number TYPE numeric", "ALTER TABLE author MODIFY name longtext NOT NULL"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, d database) {
				if tt.change[d.dialect] == "" {
					return
				}
				db := d.open(t)
				store := migrated(t, db, d.dialect)
				for statement := range strings.SplitSeq(tt.change[d.dialect], "; ") {
					execute(t, db, statement)
				}
				err := store.CheckSchema(t.Context(), Tables())
				if len(tt.want) == 0 && err != nil {
					t.Errorf("unexpected: %v", err)
				}
				for _, want := range tt.want {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("got %v, want %s", err, want)
					}
				}
				if err != nil && strings.Count(err.Error(), "\n") != len(tt.want)-1 {
					t.Errorf("more than that: %v", err)
				}
			})
		})
	}
}

func same(statement string) map[auth.Dialect]string { return dialects(statement, statement, statement) }

// dialects gives each its statement; none: there is no such change.
func dialects(sqlite, postgresql, mysql string) map[auth.Dialect]string {
	return map[auth.Dialect]string{auth.SQLite: sqlite, auth.PostgreSQL: postgresql, auth.MySQL: mysql}
}

// TestSQLStoreMistakes: a store that cannot work says so from the beginning.
func TestSQLStoreMistakes(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		db := d.open(t)
		for name, store := range map[string]*auth.SQLStore{
			"no database":     auth.NewSQLStore(nil, d.dialect),
			"unknown dialect": auth.NewSQLStore(db, "oracle"),
			"one name for two tables": auth.NewSQLStore(db, d.dialect, auth.Rename(map[string]string{
				"author": "things", "book": "Things"})),
			"one name for two columns": auth.NewSQLStore(db, d.dialect, auth.Rename(map[string]string{"author.name": "EMAIL"})),
			"name that is cut off":     auth.NewSQLStore(db, d.dialect, auth.Rename(map[string]string{"author": strings.Repeat("x", 64)})),
		} {
			if err := store.OpenTables(Tables()); err == nil {
				t.Errorf("%s: accepted", name)
			}
			if _, err := store.Schema(Tables()); err == nil {
				t.Errorf("%s: has a schema", name)
			}
		}
		store := auth.NewSQLStore(db, d.dialect)
		if _, err := store.Select(t.Context(), auth.Query{Table: author}); err == nil || errors.Is(err, auth.ErrConflict) {
			t.Errorf("without tables: %v", err)
		}
		if err := store.Insert(t.Context(), author, person("a", "ann")); err == nil || errors.Is(err, auth.ErrConflict) {
			t.Errorf("insert without tables: %v", err)
		}
	})
}

// TestSQLStoreInvalidValues: what a database has no place for is the fault of
// the value, changes nothing, and spoils nothing but its transaction.
func TestSQLStoreInvalidValues(t *testing.T) {
	table := &auth.Table{Name: "narrow", Columns: []auth.Column{
		{Name: "name", Type: auth.TypeString, Sortable: true, Nullable: true},
		{Name: "text", Type: auth.TypeString, Nullable: true},
		{Name: "key", Type: auth.TypeString, Unique: true, Nullable: true},
		{Name: "size", Type: auth.TypeNumber, Nullable: true},
		{Name: "born", Type: auth.TypeDate, Nullable: true},
		{Name: "data", Type: auth.TypeJSON, Nullable: true},
	}}
	all := []auth.Dialect{auth.SQLite, auth.PostgreSQL, auth.MySQL}
	cases := []struct {
		name   string
		column string
		value  any
		in     []auth.Dialect // elsewhere it is stored
	}{
		{"NUL in a text", "text", "a\x00b", all[1:2]},
		{"NUL in a unique text", "key", "a\x00b", all[1:2]},
		{"bytes that are no text", "text", "a\xffb", all[1:]},
		{"300 letters in a sortable column", "name", strings.Repeat("x", 300), all[2:]},
		{"255 letters of four bytes in a sortable column", "name", strings.Repeat("😀", 255), nil},
		{"100 kB in a text", "text", strings.Repeat("x", 100_000), all[2:]},
		{"20 kB in a unique column", "key", random(20_000), all[1:]},
		{"more than 32 bits", "size", int64(1) << 40, all[1:]},
		{"a fraction in a whole number", "size", 20.5, all[1:]},
		{"a date before 1970", "born", date("1969-12-31T00:00:00Z"), all[2:]},
		{"a date after 2038", "born", date("2040-01-01T00:00:00Z"), all[2:]},
		{"a date after the year 9999", "born", time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), []auth.Dialect{auth.SQLite, auth.MySQL}},
		{"NUL in JSON", "data", map[string]any{"a": "\x00"}, all[1:2]},
	}
	onEach(t, func(t *testing.T, d database) {
		store := auth.NewSQLStore(d.open(t), d.dialect)
		if err := store.Migrate(t.Context(), []*auth.Table{table}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				s := &suite{t, store}
				if _, err := store.Delete(t.Context(), table); err != nil {
					t.Fatal(err)
				}
				s.tryValue(table, tt.column, tt.value, slices.Contains(tt.in, d.dialect))
			})
		}
	})
}

// tryValue writes a value that has to be refused, or not.
func (s *suite) tryValue(table *auth.Table, column string, value any, refused bool) {
	row := make(auth.Row, len(table.Columns)+1)
	row[len(row)-1] = "a"
	s.insert(table, row)
	row[len(row)-1] = "b"
	row[slices.IndexFunc(table.Columns, func(c auth.Column) bool { return c.Name == column })] = value
	inserted := s.Insert(s.Context(), table, row)
	if !refused {
		if inserted != nil {
			s.Errorf("insert: %v", inserted)
		}
		return
	}
	_, updated := s.Update(s.Context(), table, map[string]any{column: value}, auth.Where("id", "a"))
	s.wantInvalid("insert", inserted)
	s.wantInvalid("update", updated)
	s.wantCount(table, 1)
	s.wantCount(table, 1, auth.Where(column, nil))
	if text, ok := value.(string); ok {
		s.wantCount(table, 0, auth.Where(column, text))
		s.wantCount(table, 0, auth.Condition{Column: column, Op: "contains", Value: text})
	}
}

// random returns text that does not get smaller when it is compressed.
func random(n int) string {
	var text strings.Builder
	x := uint32(1)
	for text.Len() < n {
		x = x*1664525 + 1013904223
		text.WriteByte("abcdefghijklmnopqrstuvwxyz234567"[x>>27])
	}
	return text.String()
}

// TestSQLStoreComparesBytes: a collation that finds letters equal must not let
// one token stand for another.
func TestSQLStoreComparesBytes(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		store := migrated(t, d.open(t), d.dialect)
		s := &suite{t, store}
		s.insert(author, with(person("Id", "Name"), "email", "Ann@example.com"))
		for _, c := range []struct{ column, other string }{
			{"id", "id"}, {"id", "ID"}, {"id", "Id "}, {"name", "name"}, {"name", "Namé"}, {"name", "Name "}, {"email", "ann@example.com"}, {"email", "Änn@example.com"},
		} {
			s.wantCount(author, 0, auth.Where(c.column, c.other))
			s.wantCount(author, 1, auth.Condition{Column: c.column, Op: "!=", Value: c.other})
			s.wantCount(author, 0, auth.Condition{Column: c.column, Op: "in", Value: []string{c.other}})
			s.wantCount(author, 1, auth.Condition{Column: c.column, Op: "not in", Value: []string{c.other}})
			s.wantCount(author, 0, auth.Condition{Column: c.column, Op: "contains", Value: c.other})
			s.wantCount(author, 0, auth.Condition{Column: c.column, Op: "starts with", Value: c.other})
			s.wantCount(author, 0, auth.Condition{Column: c.column, Op: "ends with", Value: c.other})
			if row, err := store.Consume(t.Context(), author, auth.Where(c.column, c.other)); row != nil || err != nil {
				t.Errorf("consume by %s %q: %v, %v", c.column, c.other, row, err)
			}
		}
		s.wantCount(author, 1, auth.Where("id", "Id"), auth.Where("name", "Name"), auth.Where("email", "Ann@example.com"))
	})
}

// TestSQLiteHoldsAnything: what another program has put into a column of SQLite,
// of whatever type, does not make the row unreadable.
func TestSQLiteHoldsAnything(t *testing.T) {
	for _, d := range databases() {
		if d.dialect != auth.SQLite {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t)
			store := migrated(t, db, d.dialect)
			s := &suite{t, store}
			s.insert(author, person("a", "ann"))
			execute(t, db, "UPDATE author SET score = 'abc', active = 'perhaps', tags = 'x', profile = 'text'")
			want := auth.Row{"ann", nil, "abc", "perhaps", nil, "text", "x", nil, "a"}
			if got := s.one(t.Context(), "a"); fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
				t.Errorf("got %#v, want %#v", got, want)
			}
		})
	}
}
