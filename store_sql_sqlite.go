package auth

import (
	"context"
	"database/sql"
	"time"
	"unicode/utf8"
)

// sqlite is the dialect of SQLite.
type sqlite struct{ sqlBase }

func (sqlite) traits() sqlTraits {
	return sqlTraits{oneWriter: true, countsMatches: true, untyped: true, deletesReturning: true}
}

func (sqlite) lock() string { return "" } // nobody else writes

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
func (sqlite) begin(ctx context.Context, conn *sql.Conn) (*sql.Tx, error) {
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
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

func (sqlite) columnType(c *sqlColumn) string {
	if c.kind == sqlInteger && c.BigInt {
		return "bigint"
	}
	return [...]string{
		sqlString: "text", sqlInteger: "integer", sqlFloat: "real", sqlBoolean: "integer",
		sqlDate: "date", sqlJSON: "text", sqlSerial: "integer", sqlUUID: "text",
	}[c.kind]
}

func (d sqlite) idDefinition(st *sqlTable) string {
	return d.columnType(st.id()) + " not null primary key"
}
func (sqlite) currentTime() string { return "" }

func (d sqlite) literal(value any) string {
	if b, ok := value.(bool); ok {
		return map[bool]string{true: "1", false: "0"}[b]
	}
	return d.sqlBase.literal(value)
}

var sqliteTypes = typeNames{
	sqlString:  "text,varchar,char,nvarchar,clob",
	sqlInteger: "integer,int,bigint,real,numeric",
	sqlFloat:   "real,double,float,numeric",
	sqlBoolean: "integer,boolean,int,numeric",
	sqlDate:    "date,text,datetime,timestamp,integer,numeric",
	sqlJSON:    "text,json",
	sqlSerial:  "integer",
	sqlUUID:    "text,varchar,char,uuid",
}

func (sqlite) accepts(c *sqlColumn, databaseType string) bool {
	return sqliteTypes.accept(c, databaseType)
}

func (sqlite) liveColumns() string {
	return `SELECT m.name, c.name, c.type, c."notnull", c.dflt_value IS NOT NULL OR c.pk > 0
		FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'`
}

// liveIndexes also returns primary keys, which need no index of their own.
func (sqlite) liveIndexes() string {
	return `SELECT m.name, l.name, l."unique", i.name
		FROM sqlite_master AS m JOIN pragma_index_list(m.name) AS l JOIN pragma_index_info(l.name) AS i
		WHERE m.type = 'table' AND l.partial = 0
		UNION ALL
		SELECT m.name, 'primary key', 1, c.name
		FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND c.pk > 0`
}
