package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Schema returns the statements that create the tables and their indexes, each
// ended by a semicolon: what Migrate runs on an empty database, and what the
// migration of the original makes.
func (s *SQLStore) Schema(tables []*Table) (string, error) {
	plan, err := s.planSchema(tables, nil)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, step := range plan.steps() {
		text.WriteString(step.statement)
		text.WriteString(";\n")
	}
	return text.String(), nil
}

// Migrate creates tables, columns and indexes that are missing. It drops and
// changes nothing. Several programs may run it at the same time: the others
// wait. On SQLite and PostgreSQL all of it happens or nothing.
//
// A column that must have a value is not added to a table with rows unless it
// has a default.
func (s *SQLStore) Migrate(ctx context.Context, tables []*Table) error {
	if err := s.OpenTables(tables); err != nil {
		return err
	}
	return s.Transaction(ctx, func(ctx context.Context) (err error) {
		unlock, err := s.dialect.lockSchema(ctx, s)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unlock(ctx)) }()
		return s.migrate(ctx, tables)
	})
}

func (s *SQLStore) migrate(ctx context.Context, tables []*Table) error {
	live, err := s.liveSchema(ctx)
	if err != nil {
		return err
	}
	plan, err := s.planSchema(tables, live)
	if err != nil {
		return err
	}
	if err := s.checkAdditions(ctx, plan); err != nil {
		return err
	}
	made, _ := ctx.Value(schemaListener{}).(func(step schemaStep))
	for _, step := range plan.steps() {
		if _, err := s.execResult(ctx, s.newText(step.statement)); err != nil {
			return fmt.Errorf("auth: %s: %w", step.statement, err)
		}
		if made != nil {
			made(step)
		}
	}
	return nil
}

// A schemaStep is one statement of a migration, and what it makes.
type schemaStep struct{ statement, kind, table, column string }

// schemaListener is the key of the func(step schemaStep) in a context that is told of
// each step. It is there and not a parameter because others may wrap the store.
type schemaListener struct{}

// checkAdditions refuses columns for which rows that exist have no value. MySQL
// would make one up.
func (s *SQLStore) checkAdditions(ctx context.Context, plan *schemaPlan) error {
	var errs []error
	for _, c := range plan.valueless {
		rows := s.newText("SELECT COUNT(*) FROM (SELECT 1 FROM ", c.table.name, " LIMIT 1) AS found")
		n, err := s.number(ctx, rows)
		if err == nil && n > 0 {
			err = fmt.Errorf("auth: column %q cannot be added to table %q: it must have a value, and rows that exist have none. "+
				"Add it as a nullable column, give every row a value and make it NOT NULL", c.plain, c.table.plain)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// CheckSchema compares the database with the tables and returns all differences
// that matter, joined: tables, columns and indexes that are missing, columns of
// a type that cannot hold the values, columns that want a value which nobody
// gives them. Columns and tables of others are no differences.
func (s *SQLStore) CheckSchema(ctx context.Context, tables []*Table) error {
	if err := s.OpenTables(tables); err != nil {
		return err
	}
	live, err := s.liveSchema(ctx)
	if err != nil {
		return err
	}
	var drifts []error
	for _, t := range tables {
		st, err := s.table(t)
		if err != nil {
			return err
		}
		drifts = append(drifts, st.drifts(live, s.dialect)...)
	}
	return errors.Join(append(drifts, s.dialect.checkSettings(ctx, s))...)
}

// A liveTable is a table as the database describes it.
type liveTable struct {
	columns map[string]liveColumn
	indexes map[string]*liveIndex
}

type liveColumn struct {
	kind       string
	required   bool // NOT NULL
	hasDefault bool // or is counted
}

type liveIndex struct {
	unique  bool
	columns []string
}

// schemaName finds tables and columns whatever the case of their names: some
// databases change it, and none keeps two apart that differ in nothing else.
func schemaName(name string) string { return strings.ToLower(name) }

// serves reports whether the table has an index that finds rows by the column,
// or that keeps its values unique.
func (l *liveTable) serves(column string, unique bool) bool {
	for _, index := range l.indexes {
		if schemaName(index.columns[0]) == schemaName(column) && (!unique || index.unique && len(index.columns) == 1) {
			return true
		}
	}
	return false
}

// drifts returns the differences between a table and what is in the database.
func (st *sqlTable) drifts(live map[string]*liveTable, dialect sqlDialect) (drifts []error) {
	drift := func(format string, args ...any) {
		drifts = append(drifts, fmt.Errorf("auth: table %q: %w", st.plain, fmt.Errorf(format, args...)))
	}
	table := live[schemaName(st.plain)]
	if table == nil {
		drift("missing")
		return drifts
	}
	for _, c := range st.all {
		found, ok := table.columns[schemaName(c.plain)]
		switch {
		case !ok:
			drift("column %q is missing", c.plain)
			continue
		case !dialect.accepts(c, found.kind):
			drift("column %q has the type %s, not %s", c.plain, found.kind, dialect.columnType(c))
		case c.Nullable && found.required:
			drift("column %q is NOT NULL, it must take NULL", c.plain)
		}
		if (c.Unique || c.Index) && !table.serves(c.plain, c.Unique) {
			drift("column %q has no %s", c.plain, map[bool]string{true: "unique index", false: "index"}[c.Unique])
		}
	}
	for name, found := range table.columns {
		known := slices.ContainsFunc(st.columns, func(c sqlColumn) bool { return schemaName(c.plain) == name })
		if !known && found.required && !found.hasDefault {
			drift("column %q is NOT NULL and has no default, no row can be inserted", name)
		}
	}
	return drifts
}

// liveSchema reads what is in the database.
func (s *SQLStore) liveSchema(ctx context.Context) (map[string]*liveTable, error) {
	live := make(map[string]*liveTable)
	columns, err := s.texts(ctx, s.dialect.liveColumns(), 5)
	if err != nil {
		return nil, err
	}
	for _, c := range columns {
		table := live[schemaName(c[0])]
		if table == nil {
			table = &liveTable{columns: make(map[string]liveColumn), indexes: make(map[string]*liveIndex)}
			live[schemaName(c[0])] = table
		}
		table.columns[schemaName(c[1])] = liveColumn{kind: c[2], required: c[3] == "1", hasDefault: c[4] == "1"}
	}
	indexes, err := s.texts(ctx, s.dialect.liveIndexes(), 4)
	if err != nil {
		return nil, err
	}
	for _, i := range indexes {
		table := live[schemaName(i[0])]
		if table == nil {
			continue
		}
		if table.indexes[i[1]] == nil {
			table.indexes[i[1]] = &liveIndex{unique: i[2] == "1"}
		}
		table.indexes[i[1]].columns = append(table.indexes[i[1]].columns, i[3])
	}
	return live, nil
}

// A schemaPlan is what is missing in a database.
type schemaPlan struct {
	tables    []schemaStep
	columns   []schemaStep
	indexes   []schemaStep
	valueless []plannedColumn // columns to add for which rows that exist have no value
}

type plannedColumn struct {
	*sqlColumn
	table *sqlTable
}

// steps returns what creates it, in an order that works.
func (p *schemaPlan) steps() []schemaStep {
	return slices.Concat(p.tables, p.columns, p.indexes)
}

// planSchema compares tables with what is in the database.
func (s *SQLStore) planSchema(tables []*Table, live map[string]*liveTable) (*schemaPlan, error) {
	plan := &schemaPlan{}
	for _, t := range tables {
		st, err := s.table(t)
		if err != nil {
			return nil, err
		}
		if found := live[schemaName(st.plain)]; found != nil {
			s.planColumns(plan, st, found)
		} else {
			s.planTable(plan, st)
		}
	}
	return plan, nil
}

func (s *SQLStore) planTable(plan *schemaPlan, st *sqlTable) {
	definitions := []string{st.id().name + " " + s.dialect.idDefinition(st)}
	for _, c := range st.all[:len(st.Columns)] {
		unique := ""
		if c.Unique {
			unique = " unique"
		} else if c.Index {
			s.planIndex(plan, st, c)
		}
		definitions = append(definitions, c.name+" "+s.dialect.columnType(c)+s.currentTime(c)+notNull(c)+unique+s.reference(c))
	}
	plan.tables = append(plan.tables, schemaStep{
		statement: "create table " + st.name + " (" + strings.Join(definitions, ", ") + ")", kind: "table", table: st.plain,
	})
}

func (s *SQLStore) planColumns(plan *schemaPlan, st *sqlTable, live *liveTable) {
	for _, c := range st.all {
		if _, ok := live.columns[schemaName(c.plain)]; !ok {
			plan.columns = append(plan.columns, schemaStep{
				statement: "alter table " + st.name + " add column " +
					c.name + " " + s.dialect.columnType(c) + s.defaultOf(c) + notNull(c) + s.reference(c),
				kind: "column", table: st.plain, column: c.plain,
			})
			if !c.Nullable && s.defaultOf(c) == "" {
				plan.valueless = append(plan.valueless, plannedColumn{c, st})
			}
		}
		if (c.Unique || c.Index) && c != st.id() && !live.serves(c.plain, c.Unique) {
			s.planIndex(plan, st, c)
		}
	}
}

func notNull(c *sqlColumn) string {
	if c.Nullable {
		return ""
	}
	return " not null"
}

// currentTime is the default of dates that the original gives one.
func (s *SQLStore) currentTime(c *sqlColumn) string {
	if c.Type != TypeDate || c.Default == nil || s.dialect.currentTime() == "" {
		return ""
	}
	return " default " + s.dialect.currentTime()
}

// defaultOf is the default of a column that is added to a table, for the rows
// that exist.
func (s *SQLStore) defaultOf(c *sqlColumn) string {
	if c.Type == TypeDate || c.Default == nil || c.Unique && c.Nullable {
		return s.currentTime(c)
	}
	if literal := s.dialect.literal(c.Default()); literal != "" {
		return " default " + literal
	}
	return ""
}

func (s *SQLStore) reference(c *sqlColumn) string {
	if c.References == "" {
		return ""
	}
	table := s.dialect.quote(s.physical(c.References, ""))
	id := s.dialect.quote(s.physical(c.References, idColumn.Name))
	return " references " + table + " (" + id + ") on delete cascade"
}

func (s *SQLStore) planIndex(plan *schemaPlan, st *sqlTable, c *sqlColumn) {
	create, kind := "create index ", "idx"
	if c.Unique {
		create, kind = "create unique index ", "uidx"
	}
	name := s.dialect.quote(indexName(st.plain, c.plain, kind))
	plan.indexes = append(plan.indexes, schemaStep{
		statement: create + name + " on " + st.name + " (" + c.name + ")", kind: "index", table: st.plain, column: c.plain,
	})
}

// indexName is what the original calls the index of a column (contract section
// 12.2): a name that is too long is cut and ends with a hash of the whole.
func indexName(table, column, kind string) string {
	stem := table + "_" + column
	if len(stem)+1+len(kind) <= maxIdentifier {
		return stem + "_" + kind
	}
	suffix := fmt.Sprintf("_%08x_%s", hashUTF16(stem+"_"+kind), kind)
	end := maxIdentifier - len(suffix)
	for !utf8.RuneStart(stem[end]) {
		end--
	}
	return stem[:end] + suffix
}

// hashUTF16 is the hash FNV-1a of 32 bits, with 16 bits of a JavaScript string
// in the place of each byte.
func hashUTF16(text string) uint32 {
	hash := uint32(2166136261)
	for _, unit := range utf16.Encode([]rune(text)) {
		hash = (hash ^ uint32(unit)) * 16777619
	}
	return hash
}

// texts runs a query of the catalog: n columns, each a name, a type, or 0 or 1.
func (s *SQLStore) texts(ctx context.Context, statement string, n int) (found [][]string, err error) {
	b := s.newText(statement)
	b.once = true
	for range n {
		b.columns = append(b.columns, &sqlColumn{Column: &Column{Name: "catalog", Type: TypeString}, kind: sqlCatalog})
	}
	rows, err := s.rows(ctx, b)
	for _, row := range rows {
		texts := make([]string, n)
		for i := range texts {
			texts[i], _ = row[i].(string)
		}
		found = append(found, texts)
	}
	return found, err
}

// decodeCatalog returns a name, a type, or 0 or 1 as text.
func decodeCatalog(src any) (any, bool) {
	switch v := src.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return nil, false
}
