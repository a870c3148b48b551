package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// mysql is the dialect of MySQL and MariaDB.
type mysql struct{ sqlBase }

func (mysql) traits() sqlTraits { return sqlTraits{millis: true} }

func (mysql) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// reads and wraps move dates as milliseconds since 1970, so that neither the time
// zone of the connection nor what the driver makes of dates can shift them.
func (mysql) reads(c *sqlColumn, ref string) string {
	if c.kind == sqlDate {
		return "CAST(UNIX_TIMESTAMP(" + ref + ") * 1000 AS SIGNED)"
	}
	return ref
}

func (mysql) wraps(c *sqlColumn, _ any) (before, after string) {
	if c.kind == sqlDate {
		return "FROM_UNIXTIME(CAST(", " AS SIGNED) * 0.001)"
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

func (mysql) pattern(b *sqlText, c *sqlColumn, op, part string) {
	switch op {
	case "contains":
		b.add("LOCATE(").exactly(c, part)
		b.add(", ", c.exact, ") > 0")
	case "starts with":
		b.add("LEFT(", c.exact, ", ").argument(len(part)).add(") = ").exactly(c, part)
	default:
		b.add("RIGHT(", c.exact, ", ").argument(len(part)).add(") = ").exactly(c, part)
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
	if c.kind == sqlInteger || c.kind == sqlSerial {
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

func (mysql) columnType(c *sqlColumn) string {
	switch c.kind {
	case sqlString:
		return mysqlStringType(c)
	case sqlInteger:
		if c.BigInt {
			return "bigint"
		}
	}
	return [...]string{
		sqlInteger: "integer", sqlFloat: "double", sqlBoolean: "boolean", sqlDate: "timestamp(3)",
		sqlJSON: "json", sqlSerial: "integer", sqlUUID: "varchar(36)",
	}[c.kind]
}

func mysqlStringType(c *sqlColumn) string {
	switch {
	case c.Name == idColumn.Name || c.References != "":
		return "varchar(36)"
	case c.Unique || c.Sortable || c.Index:
		return "varchar(255)"
	}
	return "text"
}

func (d mysql) idDefinition(st *sqlTable) string {
	definition := d.columnType(st.id()) + " not null primary key"
	if st.IDs == IDSerial {
		definition += " auto_increment"
	}
	return definition
}

func (mysql) currentTime() string { return "CURRENT_TIMESTAMP(3)" }

func (d mysql) literal(value any) string {
	if text, ok := dereference(value).(string); ok {
		return quoteText(strings.ReplaceAll(text, `\`, `\\`))
	}
	return d.sqlBase.literal(value)
}

var mysqlTypes = typeNames{
	sqlString:  "varchar,char,text,tinytext,mediumtext,longtext",
	sqlInteger: "int,bigint,smallint,mediumint,decimal",
	sqlFloat:   "double,float,decimal",
	sqlBoolean: "tinyint",
	sqlDate:    "timestamp,datetime",
	sqlJSON:    "json,text,mediumtext,longtext", // MariaDB's json is longtext
	sqlSerial:  "int,bigint",
	sqlUUID:    "varchar,char,uuid",
}

func (mysql) accepts(c *sqlColumn, databaseType string) bool {
	return mysqlTypes.accept(c, databaseType)
}

// mysqlLock names the lock of a database: the server has many.
const mysqlLock = "CONCAT('auth-', MD5(DATABASE()))"

func (mysql) lockSchema(ctx context.Context, s *SQLStore) (func(context.Context) error, error) {
	got, err := s.number(ctx, s.newText("SELECT COALESCE(GET_LOCK("+mysqlLock+", 300), 0)"))
	if err == nil && got != 1 {
		err = errors.New("auth: somebody else has been changing the schema for five minutes")
	}
	unlock := func(ctx context.Context) error {
		_, err := s.number(context.WithoutCancel(ctx), s.newText("SELECT COALESCE(RELEASE_LOCK("+mysqlLock+"), 0)"))
		return err
	}
	return unlock, err
}

func (mysql) liveColumns() string {
	return `SELECT table_name, column_name, column_type, is_nullable = 'NO',
			column_default IS NOT NULL OR extra LIKE '%auto_increment%'
		FROM information_schema.columns WHERE table_schema = DATABASE()`
}

func (mysql) liveIndexes() string {
	return `SELECT table_name, index_name, non_unique = 0, column_name
		FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND sub_part IS NULL AND column_name IS NOT NULL
		ORDER BY table_name, index_name, seq_in_index`
}

// checkSettings: without a strict mode the server cuts what is too long and
// reports success.
func (mysql) checkSettings(ctx context.Context, s *SQLStore) error {
	mode, err := s.texts(ctx, "SELECT @@SESSION.sql_mode", 1)
	if err != nil {
		return err
	}
	if len(mode) != 1 || !strings.Contains(mode[0][0], "STRICT_") {
		return errors.New("auth: sql_mode is not strict: values that do not fit a column would be cut without an error")
	}
	return nil
}
