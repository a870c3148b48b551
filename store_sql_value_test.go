package auth

import (
	"database/sql"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// fuzzedColumns are columns of every kind that a database has.
var fuzzedColumns = []Column{
	{Name: "text", Type: TypeString, Nullable: true},
	{Name: "integer", Type: TypeNumber, Nullable: true},
	{Name: "float", Type: TypeNumber, Float: true, Nullable: true},
	{Name: "boolean", Type: TypeBoolean, Nullable: true},
	{Name: "date", Type: TypeDate, Nullable: true},
	{Name: "json", Type: TypeJSON, Nullable: true},
	{Name: "texts", Type: TypeStrings, Nullable: true},
	{Name: "numbers", Type: TypeNumbers, Nullable: true},
}

// A fuzzedTable has the way in which its dialect writes values.
type fuzzedTable struct {
	*sqlTable
	encode func(*sqlColumn, any) (any, error)
}

// fuzzedTables are a table with them, and its ids, as each dialect knows it.
func fuzzedTables(t testing.TB) (tables []fuzzedTable) {
	for _, dialect := range []Dialect{SQLite, PostgreSQL, MySQL} {
		for _, ids := range []IDType{"", IDSerial, IDUUID} {
			store := NewSQLStore(new(sql.DB), dialect)
			table, err := store.addTable(&Table{Name: "thing", IDs: ids, Columns: fuzzedColumns})
			if err != nil {
				t.Fatal(err)
			}
			tables = append(tables, fuzzedTable{table, store.dialect.encode})
		}
	}
	return tables
}

// sources are the types in which a driver may return what is in a row.
func sources(text string, number int64, float float64) []any {
	return []any{
		text, []byte(text), number, float, float32(float), number == 1,
		time.UnixMilli(number), time.Unix(number, number).In(time.FixedZone("", int(number%86400))), int32(number), struct{}{},
	}
}

// FuzzSQLValue reads rows that another program wrote, through any driver: what a column
// accepts is a value that a Row can hold, that JSON has a place for, and that comes back
// as it is when it is written and read again. What it refuses is told in a short error.
func FuzzSQLValue(f *testing.F) {
	for _, text := range []string{"text\xff\x00", "9007199254740993", "-0.5", "TRUE", "2026-11-23T08:43:48.330Z", "9999-12-31T23:59:59-23:59", `["a","\ud800"]`, `[1,2.5,1e300]`} {
		f.Add(text, int64(1795424223782), 1.5)
	}
	f.Add(`{"a":[{"b":null}],"\ud800":"\u0000"}`, int64(-1<<63), 1e300)
	f.Add("NaN", int64(253402300800000), math.NaN())
	tables := fuzzedTables(f)
	f.Fuzz(func(t *testing.T, text string, number int64, float float64) {
		if math.IsNaN(float) {
			float = math.Inf(1) // the other one that is no number; it equals itself
		}
		for _, table := range tables {
			for i := range table.columns {
				c := &table.columns[i]
				if c.kind == sqlInteger {
					checkNumber(t, c, number)
				}
				for _, src := range sources(text, number, float) {
					checkScanned(t, c, src, table.encode)
				}
			}
		}
	})
}

// checkNumber: a whole number is read exactly, also as a text.
func checkNumber(t *testing.T, c *sqlColumn, number int64) {
	for _, src := range []any{number, strconv.FormatInt(number, 10)} {
		if cell := (sqlCell{column: c}); cell.Scan(src) != nil || cell.value != number {
			t.Fatalf("%s column %q, %#v: read as %#v", c.Type, c.Name, src, cell.value)
		}
	}
}

// checkScanned reads one value of a driver.
func checkScanned(t *testing.T, c *sqlColumn, src any, encode func(*sqlColumn, any) (any, error)) {
	t.Helper()
	cell := sqlCell{column: c}
	if err := cell.Scan(src); err != nil {
		if cell.value != nil && c.untyped || len(err.Error()) > 700 {
			t.Fatalf("%s column %q, %#v: refused, with %#v and an error of %d bytes", c.Type, c.Name, src, cell.value, len(err.Error()))
		}
		return
	}
	value := cell.value
	if raw, ok := src.([]byte); ok {
		src = string(raw)
	}
	if _, ok := c.decode(src); !ok {
		if !c.untyped || !reflect.DeepEqual(value, src) {
			t.Fatalf("%s column %q, %#v: %#v was made of what it cannot hold", c.Type, c.Name, src, value)
		}
		return
	}
	stored, err := c.storable(value)
	if err != nil || !reflect.DeepEqual(stored, value) {
		t.Fatalf("%s column %q, %#v: %#v is not what a row holds, that is %#v, %v", c.Type, c.Name, src, value, stored, err)
	}
	written, err := appendJSON(nil, value)
	if err != nil || !json.Valid(written) {
		t.Fatalf("%s column %q, %#v: %#v is %q in JSON, %v", c.Type, c.Name, src, value, written, err)
	}
	if at, ok := value.(time.Time); ok && at.Year() < 275760 && at.Year() > -271821 {
		if again, ok := parseDate(strings.Trim(string(written), `"`)); !ok || again != value {
			t.Fatalf("%s column %q, %#v: %v is %s in JSON, which is read as %v", c.Type, c.Name, src, value, written, again)
		}
	}
	checkComesBack(t, c, value, encode)
}

// checkComesBack writes a value that was read, unless the database has no place for it.
func checkComesBack(t *testing.T, c *sqlColumn, value any, encode func(*sqlColumn, any) (any, error)) {
	t.Helper()
	text, isText := value.(string)
	number, isWhole := value.(int64)
	switch {
	case value == nil:
		return
	case isText && !utf8.ValidString(text): // which JSON cannot hold
		return
	case isWhole && c.kind == sqlFloat && int64(float64(number)) != number: // which no column of fractions has
		return
	}
	argument, err := encode(c, value)
	if err != nil {
		return
	}
	again := sqlCell{column: c}
	if err := again.Scan(argument); err != nil || !reflect.DeepEqual(again.value, value) {
		t.Fatalf("%s column %q: %#v was written as %#v and read as %#v, %v", c.Type, c.Name, value, argument, again.value, err)
	}
}

// FuzzDate reads dates as rows, clients and entries of a secondary storage have them:
// one that is accepted can be written, and what was written is the same date to this
// package and to encoding/json.
func FuzzDate(f *testing.F) {
	for _, text := range []string{
		"2026-11-23T08:43:48.330999999+14:00", "2026-11-23", "2026-11-23T08:43Z", "2026-11-23 08:43:48", "2026-11-23T08:43:48,33Z",
		"9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59", "+010000-02-29T23:59:59.001Z", "-271821-04-20", "-000000-01-01",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, ok := parseDate(text)
		if !ok {
			return
		}
		at := value.(time.Time)
		if at.Location() != time.UTC || at.Nanosecond()%1e6 != 0 {
			t.Fatalf("%q is %v, which is not what stores have", text, at)
		}
		digits := 4
		if strings.ContainsAny(text[:1], "+-") {
			digits = 7
		}
		if year, err := strconv.Atoi(text[:digits]); err != nil || at.Year() < year-1 || at.Year() > year+1 {
			t.Fatalf("%q is %v", text, at)
		}
		written := appendJSONDate(nil, at)
		again, ok := parseDate(strings.Trim(string(written), `"`))
		if !ok || again != value {
			t.Fatalf("%q was written as %s and read as %v", text, written, again)
		}
		var standard time.Time
		if at.Year() < 0 || at.Year() > 9999 { // which encoding/json does not know
			return
		}
		if err := json.Unmarshal(written, &standard); err != nil || !standard.Equal(at) {
			t.Fatalf("%q was written as %s, which encoding/json reads as %v, %v", text, written, standard, err)
		}
	})
}
