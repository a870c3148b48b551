package auth

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
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

	begin(ctx context.Context, db *sql.DB) (*sql.Tx, error)
	insertCounted(ctx context.Context, s *SQLStore, st *sqlTable, b *sqlText) (int64, error)
	touched(result sql.Result) (int64, error)

	serial() bool           // one writer at a time
	countsMatches() bool    // an update counts the rows that it finds, not those that it changes
	spoils() bool           // the failure of a statement spoils its transaction
	rechecks() bool         // a statement that waited looks at its row again, and not at others
	deletesReturning() bool // DELETE … RETURNING
	updatesReturning() bool // UPDATE … RETURNING, with arithmetic that fails rather than to go wrong

	schemaDialect
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
func (sqlBase) encode(c *sqlColumn, value any) (any, error)  { return encodeSQL(c, value) }
func (sqlBase) fits(*sqlColumn, any) bool                    { return true }
func (sqlBase) touched(result sql.Result) (int64, error)     { return result.RowsAffected() }
func (sqlBase) serial() bool                                 { return false }
func (sqlBase) countsMatches() bool                          { return true }
func (sqlBase) spoils() bool                                 { return false }
func (sqlBase) rechecks() bool                               { return false }
func (sqlBase) deletesReturning() bool                       { return false }
func (sqlBase) updatesReturning() bool                       { return false }

func (sqlBase) orders(c *sqlColumn, desc bool) string {
	if desc {
		return c.ref + " DESC"
	}
	return c.ref
}

// possible: an id that is no number is no number's.
func (sqlBase) possible(c *sqlColumn, value any) bool {
	if c.kind != sqlSerial {
		return true
	}
	_, ok := parseSerial(value.(string))
	return ok
}

// insertCounted returns the id that the database has chosen.
func (sqlBase) insertCounted(ctx context.Context, s *SQLStore, st *sqlTable, b *sqlText) (id int64, err error) {
	b.add(" RETURNING ").returns([]*sqlColumn{st.id()})
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
func (sqlBase) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	return db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

// sqlite is the dialect of SQLite.
type sqlite struct{ sqlBase }

func (sqlite) lock() string           { return "" } // nobody else writes
func (sqlite) serial() bool           { return true }
func (sqlite) deletesReturning() bool { return true }

// sqliteDate is the form in which the original stores dates. It is compared as
// text.
const sqliteDate = "2006-01-02T15:04:05.000Z"

func (sqlite) encode(c *sqlColumn, value any) (any, error) {
	switch v := value.(type) {
	case bool:
		if c.kind == sqlBoolean {
			return map[bool]int64{true: 1}[v], nil
		}
	case time.Time:
		if v.Year() < 0 || v.Year() > 9999 {
			return nil, c.cannotHold(value)
		}
		return v.Format(sqliteDate), nil
	}
	return encodeSQL(c, value)
}

func (sqlite) pattern(b *sqlText, c *sqlColumn, op, part string) {
	switch op {
	case "contains":
		b.add("instr(", c.ref, ", ").argument(part).add(") > 0")
	case "starts with":
		b.add("substr(", c.ref, ", 1, ").argument(utf8.RuneCountInString(part)).add(") = ").argument(part)
	default:
		b.add("substr(", c.ref, ", ").argument(-utf8.RuneCountInString(part)).add(") = ").argument(part)
	}
}

// begin starts a transaction that may write at once. The usual one, which
// database/sql starts, first reads and may then be told that it comes too late
// for writing; it is empty and gets replaced. There is no network to wait for,
// so the end of ctx need not interrupt it at any moment: whoever runs it looks.
func (sqlite) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, err
	}
	for _, statement := range [...]string{"ROLLBACK", "BEGIN IMMEDIATE"} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			_ = tx.Rollback()
			return nil, err
		}
	}
	return tx, nil
}

// postgresql is the dialect of PostgreSQL.
type postgresql struct{ sqlBase }

func (postgresql) spoils() bool           { return true }
func (postgresql) rechecks() bool         { return true }
func (postgresql) deletesReturning() bool { return true }
func (postgresql) updatesReturning() bool { return true }

func (postgresql) placeholder(dst []byte, n int) []byte {
	return strconv.AppendInt(append(dst, '$'), int64(n), 10)
}

// wraps gives numbers a type of their own: that of the column may be too narrow
// for what it is compared with.
func (postgresql) wraps(c *sqlColumn, value any) (before, after string) {
	if c.kind != sqlInteger && c.kind != sqlFloat {
		return "", ""
	}
	if _, ok := value.(float64); ok {
		return "", "::double precision"
	}
	return "", "::bigint"
}

func (p postgresql) orders(c *sqlColumn, desc bool) string {
	if desc {
		return c.ref + " DESC NULLS LAST"
	}
	return c.ref + " NULLS FIRST"
}

func (postgresql) pattern(b *sqlText, c *sqlColumn, op, part string) {
	switch op {
	case "contains":
		b.add("strpos(", c.ref, ", ").argument(part).add(") > 0")
	case "starts with":
		b.add("left(", c.ref, ", ").argument(utf8.RuneCountInString(part)).add(") = ").argument(part)
	default:
		b.add("right(", c.ref, ", ").argument(utf8.RuneCountInString(part)).add(") = ").argument(part)
	}
}

func (p postgresql) encode(c *sqlColumn, value any) (any, error) {
	if value != nil && c.kind == sqlInteger && !isWhole(value) || !p.possible(c, value) {
		return nil, c.cannotHold(value)
	}
	encoded, err := encodeSQL(c, value)
	if text, ok := encoded.(string); ok && c.kind == sqlJSON && strings.Contains(text, `\u0000`) {
		return nil, c.cannotHold(value)
	}
	return encoded, err
}

func isWhole(value any) bool {
	_, ok := value.(int64)
	return ok
}

// possible: text has no NUL, ids of the type uuid are UUIDs.
func (p postgresql) possible(c *sqlColumn, value any) bool {
	text, ok := value.(string)
	switch {
	case !ok || c.kind == sqlJSON:
		return true
	case c.kind == sqlUUID:
		return isUUID(text)
	}
	return isText(text, false) && p.sqlBase.possible(c, value)
}

// maxIndexed is a little less than a row of an index takes.
const maxIndexed = 2600

func (postgresql) fits(c *sqlColumn, value any) bool {
	if c.kind == sqlInteger {
		return c.inInteger(value)
	}
	text, ok := value.(string)
	return !ok || len(text) <= maxIndexed || !c.Unique && !c.Index && c.References == ""
}

// mysql is the dialect of MySQL and MariaDB.
type mysql struct{ sqlBase }

func (mysql) countsMatches() bool { return false }

func (mysql) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// reads and wraps move dates as seconds since 1970, so that neither the time
// zone of the connection nor what the driver makes of dates can shift them.
func (mysql) reads(c *sqlColumn, ref string) string {
	if c.kind == sqlDate {
		return "UNIX_TIMESTAMP(" + ref + ")"
	}
	return ref
}

func (mysql) wraps(c *sqlColumn, _ any) (before, after string) {
	if c.kind == sqlDate {
		return "FROM_UNIXTIME(", " * 0.001)"
	}
	return "", ""
}

// exact: collations of MySQL find "a", "A" and "ä" equal.
func (mysql) exact(c *sqlColumn, expression string) string {
	if c.kind == sqlString || c.kind == sqlUUID {
		return "CAST(" + expression + " AS BINARY)"
	}
	return expression
}

func (m mysql) pattern(b *sqlText, c *sqlColumn, op, part string) {
	switch ref := m.exact(c, c.ref); op {
	case "contains":
		b.add("LOCATE(").exactly(c, part)
		b.add(", ", ref, ") > 0")
	case "starts with":
		b.add("LEFT(", ref, ", ").argument(len(part)).add(") = ").exactly(c, part)
	default:
		b.add("RIGHT(", ref, ", ").argument(len(part)).add(") = ").exactly(c, part)
	}
}

// mysqlTaken is what an INSERT that did nothing reports as the id that it made.
// The number of rows does not tell, since an option of the connection decides
// what is counted.
const mysqlTaken = 1<<63 - 1

func (mysql) unlessTaken(st *sqlTable) string {
	return fmt.Sprintf(" ON DUPLICATE KEY UPDATE %[1]s = IF(LAST_INSERT_ID(%[2]d) > 0, %[1]s, %[1]s)", st.id().ref, mysqlTaken)
}

func (mysql) touched(result sql.Result) (int64, error) {
	if id, err := result.LastInsertId(); err != nil || id == mysqlTaken {
		return 0, err
	}
	return result.RowsAffected()
}

func (mysql) insertCounted(ctx context.Context, s *SQLStore, _ *sqlTable, b *sqlText) (int64, error) {
	result, err := s.execResult(ctx, b)
	if err != nil {
		return 0, err
	}
	id, err := result.LastInsertId()
	if err == nil && id == mysqlTaken {
		err = ErrConflict
	}
	return id, err
}

// The range of the type timestamp.
var (
	mysqlFirst = time.Unix(1, 0)
	mysqlLast  = time.Unix(1<<31-1, 999e6)
)

func (m mysql) encode(c *sqlColumn, value any) (any, error) {
	switch v := value.(type) {
	case time.Time:
		if v.Before(mysqlFirst) || v.After(mysqlLast) {
			return nil, c.cannotHold(value)
		}
		return v.UnixMilli(), nil
	case float64:
		if c.kind == sqlInteger { // it would be rounded
			return nil, c.cannotHold(value)
		}
	case string:
		if !m.possible(c, value) {
			return nil, c.cannotHold(value)
		}
	}
	return encodeSQL(c, value)
}

func (m mysql) possible(c *sqlColumn, value any) bool {
	text, ok := value.(string)
	return !ok || isText(text, true) && m.sqlBase.possible(c, value)
}

func (m mysql) fits(c *sqlColumn, value any) bool {
	if c.kind == sqlInteger {
		return c.inInteger(value)
	}
	text, ok := value.(string)
	if !ok {
		return true
	}
	kind := m.columnType(c)
	if length, bounded := strings.CutPrefix(kind, "varchar("); bounded {
		most, _ := strconv.Atoi(strings.TrimSuffix(length, ")"))
		return utf8.RuneCountInString(text) <= most
	}
	return len(text) < 1<<16
}
