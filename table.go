package auth

import (
	"errors"
	"fmt"
)

// A Table describes rows of one kind to a [Store]: their columns and what is
// promised about them. Every table has one more column than it lists, the
// primary key "id", a string whose value is always the last one of a [Row].
//
// Names are logical ones, in the spelling of the JSON contract; a SQL store may
// know a table by another name. A Table must not change once a store has seen
// it.
type Table struct {
	Name    string
	Columns []Column

	// IDs says what the ids are. Tables that reference each other agree on it.
	IDs IDType

	// Expires names the date column after which a row is of no use to anybody
	// and may be removed. Empty: rows stay.
	Expires string
}

// An IDType says what the ids of rows look like and who makes them. In Go and in
// JSON an id is a string, whatever it is in a database.
type IDType string

// The kinds of ids (contract section 11.2).
const (
	IDText   IDType = ""       // any text; who inserts a row chooses it
	IDUUID   IDType = "uuid"   // a UUID in lower case (RFC 9562); who inserts a row chooses it
	IDSerial IDType = "serial" // a number in decimal digits; the store counts
)

// A Column is one named, typed place of a [Table]. The zero value of every
// option is the strict one: the column must have a value, clients see it and
// have to send it.
type Column struct {
	Name string
	Type ColumnType

	Nullable   bool   // may be NULL
	Unique     bool   // no two rows share a value; any number of rows may be NULL
	Index      bool   // rows are found by this column without a scan
	References string // table whose id this column holds; a row dies with the row it references
	Sortable   bool   // MySQL: varchar(255), which can be ordered and indexed, instead of text
	BigInt     bool   // of numbers: 64 bits in a database instead of 32
	Float      bool   // of numbers: floating point in a database instead of an integer; the original has no such columns

	// What strangers may do with an additional field (contract section 15).

	Hidden     bool            // stored, never sent to clients (returned:false)
	ServerOnly bool            // clients may not set it (input:false)
	Optional   bool            // clients may leave it out (required:false)
	Default    func() any      // value of a new row that has none; nil: no default
	OnUpdate   func() any      // value of every update that sets none; nil: left as it is
	Transform  func(any) any   // applied to what a client sends (transform.input)
	Validate   func(any) error // judges what a client sends (validator.input)

	// Taken is the error of a write with a unique value that another row has, in
	// place of ErrConflict: an *APIError tells the client.
	Taken error

	// TransformRead is applied to the value of an additional column whenever a row
	// is read or was just stored: hooks and clients see what it returns
	// (transform.output). The store and conditions have the other one.
	TransformRead func(any) any
}

// A ColumnType says which values a column holds; [Row] lists their Go types.
type ColumnType string

// The column types, in their wire spelling.
const (
	TypeString  ColumnType = "string"
	TypeNumber  ColumnType = "number"
	TypeBoolean ColumnType = "boolean"
	TypeDate    ColumnType = "date"
	TypeJSON    ColumnType = "json"
	TypeStrings ColumnType = "string[]"
	TypeNumbers ColumnType = "number[]"
)

// scalar reports whether values of the type can be compared, ordered and
// indexed.
func (c ColumnType) scalar() bool {
	switch c {
	case TypeString, TypeNumber, TypeBoolean, TypeDate:
		return true
	}
	return false
}

func (c ColumnType) known() bool {
	return c.scalar() || c == TypeJSON || c == TypeStrings || c == TypeNumbers
}

// idColumn is the column that every table has and none lists.
var idColumn = Column{Name: "id", Type: TypeString, Unique: true}

// index returns the position of the named column in a Row, -1 if there is no
// such column. Tables are narrow enough for a linear search to beat a map.
func (t *Table) index(name string) int {
	if name == idColumn.Name {
		return len(t.Columns)
	}
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// column returns the column at a position that index found.
func (t *Table) column(position int) *Column {
	if position == len(t.Columns) {
		return &idColumn
	}
	return &t.Columns[position]
}

// lookup is index for names that come from outside.
func (t *Table) lookup(name string) (int, error) {
	position := t.index(name)
	if position < 0 {
		return 0, fmt.Errorf("auth: table %q has no column %q", t.Name, name)
	}
	return position, nil
}

// width is the length of the table's rows.
func (t *Table) width() int { return len(t.Columns) + 1 }

// check reports all mistakes in the description at once.
func (t *Table) check() error {
	if t == nil {
		return errors.New("auth: no table given")
	}
	var mistakes []error
	if t.Name == "" {
		mistakes = append(mistakes, errors.New("auth: a table has no name"))
	}
	if t.IDs != IDText && t.IDs != IDUUID && t.IDs != IDSerial {
		mistakes = append(mistakes, fmt.Errorf("auth: table %q has ids of an unknown kind %q", t.Name, t.IDs))
	}
	for i := range t.Columns {
		mistakes = append(mistakes, t.checkColumn(i)...)
	}
	if i := t.index(t.Expires); t.Expires != "" && (i < 0 || t.column(i).Type != TypeDate) {
		mistakes = append(mistakes, fmt.Errorf("auth: table %q expires by %q, which is no date column", t.Name, t.Expires))
	}
	return errors.Join(mistakes...)
}

func (t *Table) checkColumn(i int) (mistakes []error) {
	c := &t.Columns[i]
	wrong := func(text string) {
		mistakes = append(mistakes, fmt.Errorf("auth: table %q, column %q: %s", t.Name, c.Name, text))
	}
	switch {
	case c.Name == "":
		wrong("a column needs a name")
	case c.Name == idColumn.Name:
		wrong("every table has this column, it must not be listed")
	case t.index(c.Name) != i:
		wrong("listed twice")
	}
	if !c.Type.known() {
		wrong(fmt.Sprintf("unknown type %q", c.Type))
	}
	if (c.Unique || c.Index) && !c.Type.scalar() {
		wrong("a column of this type can be neither unique nor indexed")
	}
	if c.Taken != nil && !c.Unique {
		wrong("a value that is not unique cannot be taken")
	}
	if (c.BigInt || c.Float) && c.Type != TypeNumber || c.BigInt && c.Float {
		wrong("BigInt and Float are two kinds of numbers")
	}
	if c.References != "" && c.Type != TypeString {
		wrong("a reference holds an id and so must be a string")
	}
	return mistakes
}
