package interoptest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// introspect describes every table of a database, its columns, keys and indexes,
// a line for each.
func (d *database) introspect(t *testing.T) []string {
	t.Helper()
	switch d.dialect {
	case auth.SQLite:
		return d.introspectSQLite(t)
	case auth.PostgreSQL:
		return d.introspectPostgres(t)
	}
	return d.introspectMySQL(t)
}

func (d *database) introspectSQLite(t *testing.T) (lines []string) {
	t.Helper()
	for _, table := range d.texts(t, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`) {
		lines = append(lines, "table "+table)
		lines = append(lines, d.texts(t, `SELECT 'column', cid, name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)`, table)...)
		lines = append(lines, d.texts(t, `SELECT 'index', l.name, l."unique", l.origin, l.partial, i.seqno, i.name, i."desc", i.coll
			FROM pragma_index_list(?) AS l JOIN pragma_index_xinfo(l.name) AS i WHERE i.key ORDER BY l.name, i.seqno`, table)...)
		lines = append(lines, d.texts(t, `SELECT 'foreign key', "from", "table", "to", on_update, on_delete, match
			FROM pragma_foreign_key_list(?) ORDER BY "from"`, table)...)
	}
	for _, text := range d.texts(t, `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name`) {
		lines = append(lines, strings.ToLower(strings.Join(strings.Fields(text), " ")))
	}
	return lines
}

func (d *database) introspectPostgres(t *testing.T) (lines []string) {
	t.Helper()
	lines = d.texts(t, `SELECT table_name, 'column', ordinal_position, column_name, udt_name, character_maximum_length, datetime_precision,
			is_nullable, column_default, is_identity, identity_generation
		FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`)
	lines = append(lines, d.texts(t, `SELECT tablename, 'index', indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY tablename, indexname`)...)
	return append(lines, d.texts(t, `SELECT conrelid::regclass, 'constraint', conname, pg_get_constraintdef(oid)
		FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY conrelid::regclass::text, conname`)...)
}

func (d *database) introspectMySQL(t *testing.T) (lines []string) {
	t.Helper()
	lines = d.texts(t, `SELECT table_name, 'table', engine FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name`)
	lines = append(lines, d.texts(t, `SELECT table_name, 'column', ordinal_position, column_name, column_type, is_nullable, column_default, extra, column_key
		FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`)...)
	lines = append(lines, d.texts(t, `SELECT table_name, 'index', index_name, non_unique, seq_in_index, column_name, sub_part, index_type
		FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index`)...)
	lines = append(lines, d.texts(t, `SELECT table_name, 'check', constraint_name, check_clause
		FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() ORDER BY table_name, constraint_name`)...)
	return append(lines, d.texts(t, `SELECT k.table_name, 'foreign key', k.constraint_name, k.column_name, k.referenced_table_name, k.referenced_column_name, r.update_rule, r.delete_rule
		FROM information_schema.key_column_usage AS k JOIN information_schema.referential_constraints AS r
			ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
		WHERE k.table_schema = DATABASE() ORDER BY k.table_name, k.constraint_name`)...)
}

// sameSchema demands that two databases have the same tables.
func sameSchema(t *testing.T, theirs, ours []string) {
	t.Helper()
	if difference := diff(theirs, ours); difference != "" {
		t.Errorf("tables that the original makes (-) and tables that are made here (+):\n%s", difference)
	}
}

// diff lists the lines that only one of two lists has.
func diff(theirs, ours []string) string {
	var text strings.Builder
	count := make(map[string]int)
	for _, line := range ours {
		count[line]++
	}
	for _, line := range theirs {
		if count[line]--; count[line] < 0 {
			fmt.Fprintf(&text, "- %s\n", line)
		}
	}
	for _, line := range ours {
		if count[line] > 0 {
			count[line]--
			fmt.Fprintf(&text, "+ %s\n", line)
		}
	}
	return text.String()
}
