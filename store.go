package auth

import (
	"context"
	"errors"
)

// ErrConflict is what Insert, Update and Increment report when the id or the
// value of a unique column is already taken. Nothing has been written then.
// Compare with errors.Is.
var ErrConflict = errors.New("auth: a row with this value exists already")

// ErrInvalidValue is what Insert, Update and Increment report when a value is not
// of the column's type, is NULL where there must be a value, or is more than the
// database can hold, such as a text that is too long for the column. Nothing has
// been written then. Compare with errors.Is.
var ErrInvalidValue = errors.New("auth: a value that the column cannot hold")

// ErrRolledBack is what a Store reports when the database undid a transaction in
// favour of another one, so that not both wait for ever (a deadlock) or see what the
// other has changed. Nothing of it is kept, and it can be run again. Compare with
// errors.Is.
var ErrRolledBack = errors.New("auth: the database has rolled the transaction back in favour of another one")

// errTransactionOver is the answer to work with the context of a transaction
// that has been committed or rolled back.
var errTransactionOver = errors.New("auth: the transaction is over")

// A Row holds the values of one row in the order of Table.Columns, then the id.
//
//	string             string
//	number             int64, or float64 where it has a fraction
//	boolean            bool
//	date               time.Time in UTC, whole milliseconds
//	json               nil, bool, float64, string, []any, map[string]any
//	string[]           []string
//	number[]           []float64
//	NULL of any type   nil
//
// A database without types of its own, such as SQLite, may hold what another
// program has put there; it is handed out as it is.
//
// A store also takes what stands for one of these without doubt: any integer
// or float type, times of any zone and precision, for json whatever encodes as
// JSON, and pointers. A nil pointer, map or slice is NULL.
type Row []any

// id returns the primary key, the last value.
func (r Row) id() string {
	id, _ := r[len(r)-1].(string)
	return id
}

// A Condition is one test that a row must pass. The conditions of a call are
// joined by AND.
//
//	""  "="  "!="                            any column; nil means IS (NOT) NULL
//	"<"  "<="  ">"  ">="                     string, number, boolean, date
//	"in"  "not in"                           the value is a slice, without nil
//	"contains"  "starts with"  "ends with"   string; letter case counts
//
// As in SQL a NULL passes no test but = nil. Columns of the types json,
// string[] and number[] can only be compared with nil.
type Condition struct {
	Column string
	Op     string
	Value  any
}

// Where is the condition that a column equals a value; Where(column, nil) finds
// the rows where it is NULL.
func Where(column string, value any) Condition {
	return Condition{Column: column, Op: "=", Value: value}
}

// An Order sorts rows by a column: ascending unless Desc is set, NULL before
// all other values.
type Order struct {
	Column string
	Desc   bool
}

// A Join adds to each row the one row of another table whose id the Column of
// the queried table holds. Rows without such a partner are left out (inner
// join).
type Join struct {
	Table  *Table // where the partners are
	Column string // of Query.Table
}

// A Query asks a [Store] for rows of Table. Where, Order and Join.Column name
// columns of Table. The zero value of every field but Table asks for nothing
// special: all rows, in the store's own order.
type Query struct {
	Table  *Table
	Where  []Condition
	Order  []Order // the first decides, the next ones break ties
	Limit  int     // 0: no limit
	Offset int     // rows left out at the start
	Join   *Join   // the partner's values follow in the same Row

	// Lock keeps the rows that are found as they are until the transaction of
	// the context ends: other writes to them wait. Outside of a transaction it
	// means nothing.
	Lock bool
}

// A Store keeps rows. It sees tables, columns, values and conditions and knows
// nothing of authentication; [MemoryStore] is one, and the conformance suite in
// internal/storetest is the contract in full.
//
// Every method is safe for concurrent use and is atomic on its own. Rows handed
// in and out belong to the caller, the store keeps copies. Unknown columns and
// operators, values of the wrong type and NULL in a column that may not be NULL
// are errors, and then nothing has been written. A canceled context is an error
// too, and nothing has been written if it was canceled before the call. Of a
// write that was under way, a store on the other side of a network may not know;
// that of a transaction whose context is canceled is never kept.
//
// The deletion of a row deletes the rows that reference it (Column.References),
// and those that reference them.
type Store interface {
	// Insert adds a row. If the store counts the ids of the table (IDSerial),
	// the id may be nil or empty; the new one is then written to row. Errors:
	// ErrConflict.
	Insert(ctx context.Context, t *Table, row Row) error

	// Select returns the rows that a query finds, nil if there are none.
	Select(ctx context.Context, q Query) ([]Row, error)

	// Count returns the number of rows that meet the conditions.
	Count(ctx context.Context, t *Table, where ...Condition) (int64, error)

	// Update sets columns of all rows that meet the conditions and returns how
	// many these are, whether or not a value differs from what it was. The id
	// cannot be set. Errors: ErrConflict.
	Update(ctx context.Context, t *Table, set map[string]any, where ...Condition) (int64, error)

	// Delete removes the rows that meet the conditions and returns how many
	// these were, not counting the rows that referenced them.
	Delete(ctx context.Context, t *Table, where ...Condition) (int64, error)

	// Consume removes one row that meets the conditions and returns it; nil,
	// nil if there is none. Of any number of callers exactly one gets a row:
	// single-use tokens rest on this.
	Consume(ctx context.Context, t *Table, where ...Condition) (Row, error)

	// Increment changes one row that meets the conditions and returns its new
	// state; nil, nil if there is none. No other write comes between the test
	// of the conditions and the change, so that a condition such as
	// attempts < 3 is a guard that no number of callers can pass too often.
	// Numbers of add, which may be negative, are added; NULL stays NULL.
	// Errors: ErrConflict.
	Increment(ctx context.Context, t *Table, add map[string]int64, set map[string]any, where ...Condition) (Row, error)

	// Transaction runs fn and keeps everything or nothing of what it writes
	// with the context it is given: nothing if fn returns an error, which
	// Transaction then returns, if it panics, which goes on afterwards, or if
	// ctx is canceled before the end. Reads with that context see the
	// transaction's own writes, nobody else does before it ends. Errors:
	// ErrRolledBack, whatever fn has returned.
	//
	// A Transaction inside a Transaction joins it: its failure is the failure
	// of the whole, even if the outer fn ignores the error. While fn runs, a
	// write with any other context may wait for its end, so fn must use the
	// context it was given.
	Transaction(ctx context.Context, fn func(ctx context.Context) error) error
}

// A SchemaStore is a Store whose tables have to be made before rows can be
// stored; [SQLStore] is one. Tables come in an order in which each stands behind
// those that it references.
type SchemaStore interface {
	Store

	// OpenTables tells the store which tables there are. New calls it.
	OpenTables(tables []*Table) error

	// Schema returns the statements that make the tables.
	Schema(tables []*Table) (string, error)

	// Migrate makes what is missing and drops nothing.
	Migrate(ctx context.Context, tables []*Table) error

	// CheckSchema reports every difference that matters.
	CheckSchema(ctx context.Context, tables []*Table) error
}
