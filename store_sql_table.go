package auth

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A sqlTable is a table as a SQL database knows it.
type sqlTable struct {
	*Table
	plain   string // name in the database
	name    string // the same, quoted
	columns []sqlColumn
	all     []*sqlColumn // the same, for statements, which do not change the list

	reads        string // the expressions that read all columns
	partnerReads string // the same for the partner of a join
}

// A sqlColumn is a column as a SQL database knows it.
type sqlColumn struct {
	*Column
	kind  sqlKind
	plain string // name in the database
	name  string // the same, quoted
	ref   string // with the table's name before it
	read  string // the expression that reads it
	exact string // the one with which equal means the same bytes

	untyped bool // the database may have a value of any type here
	millis  bool // dates are read as milliseconds since 1970
}

// A sqlKind says how values are kept.
type sqlKind int

const (
	sqlString sqlKind = iota
	sqlInteger
	sqlFloat
	sqlBoolean
	sqlDate
	sqlJSON   // lists too
	sqlSerial // an id that is a number in the database
	sqlUUID
	sqlCatalog // what the database says about itself
)

// table returns the store's side of a table.
func (s *SQLStore) table(t *Table) (*sqlTable, error) {
	if s.err != nil {
		return nil, s.err
	}
	if t == nil {
		return nil, t.check()
	}
	s.mu.RLock()
	st := s.tables[t.Name]
	s.mu.RUnlock()
	if st != nil && st.Table == t {
		return st, nil
	}
	return s.addTable(t)
}

func (s *SQLStore) addTable(t *Table) (*sqlTable, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	st := s.newTable(t)
	if err := s.checkNames(st); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.tables {
		if other.Name != t.Name && strings.EqualFold(other.plain, st.plain) {
			return nil, fmt.Errorf("auth: tables %q and %q are both called %q in the database", other.Name, t.Name, st.plain)
		}
	}
	s.tables[t.Name] = st
	return st, nil
}

func (s *SQLStore) newTable(t *Table) *sqlTable {
	st := &sqlTable{
		Table: t, plain: s.physical(t.Name, ""),
		columns: make([]sqlColumn, t.width()), all: make([]*sqlColumn, t.width()),
	}
	st.name = s.dialect.quote(st.plain)
	reads, partnerReads := make([]string, t.width()), make([]string, t.width())
	for i := range st.columns {
		c := &st.columns[i]
		st.all[i] = c
		c.Column = t.column(i)
		c.kind = t.sqlKind(c.Column)
		c.plain = s.physical(t.Name, c.Name)
		c.name = s.dialect.quote(c.plain)
		c.ref = st.name + "." + c.name
		c.read = s.dialect.reads(c, c.ref)
		c.exact = s.dialect.exact(c, c.ref)
		c.untyped, c.millis = s.traits.untyped, s.traits.millis
		reads[i], partnerReads[i] = c.read, s.dialect.reads(c, partner+"."+c.name)
	}
	st.reads, st.partnerReads = strings.Join(reads, ", "), strings.Join(partnerReads, ", ")
	return st
}

// physical returns the name of a table, or of a column, in the database.
func (s *SQLStore) physical(table, column string) string {
	for _, naming := range s.names {
		if name := naming(table, column); name != "" {
			return name
		}
	}
	if column != "" {
		return column
	}
	return table
}

// maxIdentifier is how many bytes of a name PostgreSQL looks at; MySQL takes a
// little more.
const maxIdentifier = 63

// checkNames reports names that the database would misunderstand.
func (s *SQLStore) checkNames(st *sqlTable) error {
	taken := make(map[string]string)
	for _, name := range append([]string{st.plain}, st.plainNames()...) {
		if name == "" || len(name) > maxIdentifier || strings.ContainsRune(name, 0) {
			return fmt.Errorf("auth: table %q: %q is no name in a database", st.Name, name)
		}
	}
	for i := range st.columns {
		c := &st.columns[i]
		folded := strings.ToLower(c.plain)
		if other, ok := taken[folded]; ok {
			return fmt.Errorf("auth: columns %q and %q of table %q are both called %q in the database", other, c.Name, st.Name, c.plain)
		}
		taken[folded] = c.Name
	}
	return nil
}

func (st *sqlTable) plainNames() []string {
	names := make([]string, len(st.columns))
	for i := range st.columns {
		names[i] = st.columns[i].plain
	}
	return names
}

// sqlKind returns how the values of a column are kept. Columns that hold ids
// are of the ids' kind.
func (t *Table) sqlKind(c *Column) sqlKind {
	if c.References != "" || c.Name == idColumn.Name {
		switch t.IDs {
		case IDSerial:
			return sqlSerial
		case IDUUID:
			return sqlUUID
		}
	}
	switch c.Type {
	case TypeNumber:
		if c.Float {
			return sqlFloat
		}
		return sqlInteger
	case TypeBoolean:
		return sqlBoolean
	case TypeDate:
		return sqlDate
	case TypeJSON, TypeStrings, TypeNumbers:
		return sqlJSON
	}
	return sqlString
}

// id returns the column of the primary key.
func (st *sqlTable) id() *sqlColumn { return &st.columns[len(st.columns)-1] }

// identifies reports whether at most one row can meet the conditions.
func (st *sqlTable) identifies(where []boundCondition) bool {
	return slices.ContainsFunc(where, func(c boundCondition) bool {
		return c.op == "=" && c.value != nil && st.column(c.column).Unique
	})
}

// references returns the tables whose rows go with those of this one, with the
// columns that say so, in the same order each time: deletions that lock rows of
// several tables do not lock each other out.
func (s *SQLStore) references(st *sqlTable) (children []*sqlTable, columns []*sqlColumn) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		child := s.tables[name]
		for i := range child.columns {
			if child.columns[i].References == st.Name {
				children, columns = append(children, child), append(columns, &child.columns[i])
			}
		}
	}
	return children, columns
}

func (s *SQLStore) referenced(st *sqlTable) bool {
	children, _ := s.references(st)
	return len(children) > 0
}
