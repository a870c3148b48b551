package interoptest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

var schemas = []*variant{core, extended, everyField, uuids, serials, renamed, snake, counting, plugged, pluggedUUIDs, pluggedSerials, pluggedRenamed}

// The migrations of both make the same tables, to the last default.
func TestTablesAreTheSame(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		for _, v := range schemas {
			t.Run(v.name, func(t *testing.T) {
				theirs, ours := newDatabase(t, s), newDatabase(t, s)
				theOriginal(t).migrate(t, theirs, v.originalOptions())
				migrate(t, v, ours)
				sameSchema(t, theirs.introspect(t), ours.introspect(t))
				bothAccepted(t, v, theirs, ours)
			})
		}
	})
}

// What Schema prints makes the same tables as Migrate.
func TestPrintedSchema(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		for _, v := range []*variant{everyField, serials} {
			migrated, printed := newDatabase(t, s), newDatabase(t, s)
			migrate(t, v, migrated)
			for statement := range strings.SplitSeq(v.open(t, printed, nil).Schema(), ";\n") {
				if statement != "" {
					printed.exec(t, statement)
				}
			}
			sameSchema(t, migrated.introspect(t), printed.introspect(t))
		}
	})
}

func migrate(t *testing.T, v *variant, d *database) {
	t.Helper()
	if err := v.open(t, d, nil).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// accepted demands that neither side misses anything in a database. It returns
// what the original's log complains about, which it does about tables of its
// own too: about lists in SQLite, JSON in MariaDB and counted ids, for instance.
func accepted(t *testing.T, v *variant, d *database) (complaints []string) {
	t.Helper()
	if err := v.open(t, d, nil).CheckSchema(t.Context()); err != nil {
		t.Errorf("CheckSchema: %v", err)
	}
	p := theOriginal(t).plan(t, d, v.originalOptions())
	if len(p.Created)+len(p.Added)+len(p.Indexes)+len(p.Problems) > 0 {
		t.Errorf("the original would change it: %v", p)
	}
	before := d.introspect(t)
	migrate(t, v, d)
	sameSchema(t, before, d.introspect(t))
	return p.Complaints
}

// bothAccepted demands that neither side misses anything in the tables of either
// and that the original complains about both in the same way.
func bothAccepted(t *testing.T, v *variant, theirs, ours *database) {
	t.Helper()
	if difference := diff(accepted(t, v, theirs), accepted(t, v, ours)); difference != "" {
		t.Errorf("the original complains about its tables (-) and about these (+):\n%s", difference)
	}
}

// Versions 1.7.0 to 1.7.2 had a column that is gone. A nullable one does no
// harm, one that must have a value keeps everybody from signing up.
func TestLeftoverColumn(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		d := newDatabase(t, s)
		theOriginal(t).migrate(t, d, core.originalOptions())
		d.exec(t, "ALTER TABLE account ADD COLUMN issuer text")
		accepted(t, core, d)

		d = newDatabase(t, s)
		theOriginal(t).migrate(t, d, core.originalOptions())
		d.exec(t, "ALTER TABLE account ADD COLUMN issuer varchar(255) NOT NULL"+map[bool]string{true: " DEFAULT ''"}[d.dialect == auth.SQLite])
		if d.dialect == auth.SQLite {
			d.exec(t, "PRAGMA writable_schema = ON",
				"UPDATE sqlite_master SET sql = replace(sql, ' DEFAULT ''''', '') WHERE name = 'account'",
				"PRAGMA writable_schema = RESET")
		}
		if err := core.open(t, d, nil).CheckSchema(t.Context()); err == nil || !strings.Contains(err.Error(), "issuer") {
			t.Errorf("CheckSchema: %v", err)
		}
		if p := theOriginal(t).plan(t, d, core.originalOptions()); !strings.Contains(strings.Join(p.Problems, "\n"), "issuer") {
			t.Errorf("the original: %v", p)
		}
	})
}

// An old database gets what it lacks from both in the same form, the rows that
// are in it too.
func TestAddedColumns(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		addable := addable(s)
		theirs, ours := oldDatabase(t, s), oldDatabase(t, s)
		theOriginal(t).migrate(t, theirs, addable.originalOptions())
		migrate(t, addable, ours)
		sameSchema(t, theirs.introspect(t), ours.introspect(t))
		if difference := diff(dated(theirs.values(t, "user")), dated(ours.values(t, "user"))); difference != "" {
			t.Errorf("old rows after the original (-) and after Migrate (+):\n%s", difference)
		}
		bothAccepted(t, addable, theirs, ours)
	})
}

// dated cuts what the database's own clock is finer than that of servers.
func dated(values []string) []string {
	for i, value := range values {
		values[i] = fineTime.ReplaceAllString(value, "$1")
	}
	return values
}

var fineTime = regexp.MustCompile(`(<SQL date>)\d+`)

// oldDatabase has the tables of a plain configuration, and a user.
func oldDatabase(t *testing.T, s testdb.Server) *database {
	t.Helper()
	w := newWorld(t, s, core, "npm")
	newBrowser(t).post(w.npm, "/sign-up/email", signUp("person1@example.com", password, nil)).is(200)
	w.exec(t, "DROP TABLE verification")
	return w.database
}

// addable has the fields that can be added to a table with rows.
func addable(s testdb.Server) *variant {
	fields := slices.DeleteFunc(everyKind(), func(f field) bool {
		c := f.column
		noClock := s.Dialect == auth.SQLite && c.Type == auth.TypeDate // as a default
		return !c.Optional && (c.Default == nil || noClock)
	})
	return withUserFields("added columns", fields)
}

// Neither invents a value for the rows that exist.
func TestRefusedColumn(t *testing.T) {
	needed := []field{{auth.Column{Name: "needed", Type: auth.TypeString}, map[string]any{"type": "string"}}}
	demanding := withUserFields("needed column", needed)
	onEngines(t, func(t *testing.T, s testdb.Server) {
		d := oldDatabase(t, s)
		before := d.introspect(t)
		if p := theOriginal(t).plan(t, d, demanding.originalOptions()); len(p.Problems) == 0 {
			t.Errorf("the original would do it: %v", p)
		}
		if err := demanding.open(t, d, nil).Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "needed") {
			t.Errorf("Migrate: %v", err)
		}
		sameSchema(t, before, d.introspect(t))
	})
}
