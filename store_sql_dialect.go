package auth

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Dialect is the kind of database behind a [SQLStore].
type Dialect string

// The dialects.
const (
	SQLite     Dialect = "sqlite"     // 3.35 or later
	PostgreSQL Dialect = "postgresql" // 13 or later
	MySQL      Dialect = "mysql"      // MySQL 8.0 or MariaDB 10.5, or later
)

func (d Dialect) sql() (sqlDialect, error) {
	switch d {
	case SQLite:
		return sqlite{}, nil
	case PostgreSQL:
		return postgresql{}, nil
	case MySQL:
		return mysql{}, nil
	}
	return nil, fmt.Errorf("auth: unknown SQL dialect %q", d)
}

// A sqlDialect is what databases do differently.
type sqlDialect interface {
	quote(name string) string
	placeholder(dst []byte, n int) []byte

	reads(c *sqlColumn, ref string) string                // the expression that reads a column
	wraps(c *sqlColumn, value any) (before, after string) // goes around a placeholder
	exact(c *sqlColumn, expression string) string         // with which equal means the same bytes
	orders(c *sqlColumn, desc bool) string
	pattern(b *sqlText, c *sqlColumn, op, part string) // part is not empty
	lock() string                                      // ends a SELECT whose rows must not change
	unlessTaken(st *sqlTable) string                   // ends an INSERT that does nothing in a conflict

	encode(c *sqlColumn, value any) (any, error)
	possible(c *sqlColumn, value any) bool // whether a row can have the value
	fits(c *sqlColumn, value any) bool     // whether the column that Migrate makes can hold it

	begin(ctx context.Context, conn *sql.Conn) (*sql.Tx, error)
	insertCounted(ctx context.Context, s *SQLStore, st *sqlTable, b *sqlText) (int64, error)
	touched(result sql.Result) (int64, error)

	traits() sqlTraits
	schemaDialect
}

// sqlTraits are the answers to questions about a database.
type sqlTraits struct {
	oneWriter        bool // writes have to wait for each other outside of it
	countsMatches    bool // an update counts the rows that it finds, not those that it changes
	spoils           bool // the failure of a statement spoils its transaction
	rechecks         bool // a statement that waited looks at its row again, and not at others
	untyped          bool // columns hold values of any type, whatever they are declared as
	millis           bool // dates are read as milliseconds since 1970
	deletesReturning bool // it has DELETE … RETURNING
	updatesReturning bool // it has UPDATE … RETURNING, with arithmetic that fails rather than to go wrong
}

// sqlBase is what most databases have in common.
type sqlBase struct{}

func (sqlBase) quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (sqlBase) placeholder(dst []byte, _ int) []byte         { return append(dst, '?') }
func (sqlBase) reads(_ *sqlColumn, ref string) string        { return ref }
func (sqlBase) wraps(*sqlColumn, any) (before, after string) { return "", "" }
func (sqlBase) exact(_ *sqlColumn, expression string) string { return expression }
func (sqlBase) lock() string                                 { return " FOR UPDATE" }
func (sqlBase) unlessTaken(*sqlTable) string                 { return " ON CONFLICT DO NOTHING" }
func (sqlBase) fits(*sqlColumn, any) bool                    { return true }
func (sqlBase) touched(result sql.Result) (int64, error)     { return result.RowsAffected() }

func (sqlBase) orders(c *sqlColumn, desc bool) string {
	if desc {
		return c.ref + " DESC"
	}
	return c.ref
}

// possible: no row has an id that is no number where the database counts. What
// is to be a UUID is text, and older rows may have other ids.
func (sqlBase) possible(c *sqlColumn, value any) bool {
	if c.kind != sqlSerial {
		return true
	}
	_, ok := parseSerial(value.(string))
	return ok
}

// insertCounted returns the id that the database has chosen.
func (sqlBase) insertCounted(ctx context.Context, s *SQLStore, st *sqlTable, b *sqlText) (id int64, err error) {
	b.columns = st.all[len(st.all)-1:]
	b.add(" RETURNING ", st.id().read)
	row, err := s.row(ctx, b)
	if err == nil && row == nil {
		err = ErrConflict
	}
	if err != nil {
		return 0, err
	}
	id, _ = parseSerial(row.id())
	return id, nil
}

// begin starts a transaction in which every statement sees what is committed
// when it starts: the store's statements are written for that.
func (sqlBase) begin(ctx context.Context, conn *sql.Conn) (*sql.Tx, error) {
	return conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

// A schemaDialect is what databases do differently about tables.
type schemaDialect interface {
	columnType(c *sqlColumn) string
	idDefinition(st *sqlTable) string // of the primary key, without the name
	currentTime() string              // default of dates that have one; empty: none
	literal(value any) string         // empty: no default of this type
	accepts(c *sqlColumn, databaseType string) bool

	lockSchema(ctx context.Context, s *SQLStore) (unlock func(ctx context.Context) error, err error)
	liveColumns() string // statement: table, column, type, must have a value, has a default
	liveIndexes() string // statement: table, index, unique, column; columns in their order
	checkSettings(ctx context.Context, s *SQLStore) error
}

// typeName is a database's name of a type without its length.
func typeName(kind string) string {
	name, _, _ := strings.Cut(strings.ToLower(kind), "(")
	return strings.TrimSpace(name)
}

// typeNames lists for each kind of column the types that can hold its values.
type typeNames map[sqlKind]string

func (n typeNames) accept(c *sqlColumn, databaseType string) bool {
	return slices.Contains(strings.Split(n[c.kind], ","), typeName(databaseType))
}

func noUnlock(context.Context) error { return nil }

func quoteText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// literal writes a constant of a type whose columns can have one as default.
func (sqlBase) literal(value any) string {
	switch v := dereference(value).(type) {
	case string:
		return quoteText(v)
	case bool:
		return strconv.FormatBool(v)
	default:
		number, ok := storedNumber(v)
		if !ok || v == nil {
			return ""
		}
		return fmt.Sprint(number)
	}
}

func (sqlBase) lockSchema(context.Context, *SQLStore) (func(context.Context) error, error) {
	return noUnlock, nil
}

func (sqlBase) checkSettings(context.Context, *SQLStore) error { return nil }
