package auth

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// now is the current time as stores and the wire know it: UTC, whole
// milliseconds.
func now() time.Time { return storedDate(time.Now()) }

// currentTime is now as the default of a column.
func currentTime() any { return now() }

func storedDate(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// storable returns the value in the one form in which rows hold it, sharing no
// memory that the caller could change. Two equal values have equal forms, so
// that == compares scalars and maps can be keyed by them.
func (c *Column) storable(value any) (any, error) {
	value = dereference(value)
	if value == nil {
		if !c.Nullable {
			return nil, fmt.Errorf("auth: column %q must have a value: %w", c.Name, ErrInvalidValue)
		}
		return nil, nil
	}
	return c.convert(value)
}

// convert is storable for a value that is not NULL.
func (c *Column) convert(value any) (any, error) {
	if stored, ok := c.Type.convert(value); ok && stored != nil {
		return stored, nil
	}
	return nil, fmt.Errorf("auth: column %q holds a %s, not this %T: %w", c.Name, c.Type, value, ErrInvalidValue)
}

func (c ColumnType) convert(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return value, c == TypeString || c == TypeJSON
	case bool:
		return value, c == TypeBoolean || c == TypeJSON
	case time.Time:
		if c == TypeDate {
			return storedDate(v), true
		}
	case []string:
		if c == TypeStrings {
			return append([]string{}, v...), true
		}
	case []float64:
		if c == TypeNumbers {
			return append([]float64{}, v...), !slices.ContainsFunc(v, infinite)
		}
	}
	switch c {
	case TypeNumber:
		return storedNumber(value)
	case TypeJSON:
		return storedJSON(value)
	}
	return nil, false
}

// parse is convert for a value as encoding/json decodes it or as a form spells
// it: dates, numbers and booleans may be text, lists are []any.
func (c ColumnType) parse(value any) (any, bool) {
	text, isText := value.(string)
	switch {
	case isText && c == TypeDate:
		return parseDate(text)
	case isText && c == TypeNumber:
		return parseNumber(text)
	case isText && c == TypeBoolean:
		b, err := strconv.ParseBool(text)
		return b, err == nil
	case c == TypeStrings:
		return parseList[string](value)
	case c == TypeNumbers:
		return parseList[float64](value)
	}
	return c.convert(value)
}

// parseNumber reads a whole number exactly, which a float64 has no room for beyond 53
// bits.
func parseNumber(text string) (any, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, false
	}
	return storedNumber(f)
}

// parseDate accepts the date formats of ECMAScript and of HTML forms. Without
// an offset the time is UTC.
func parseDate(text string) (any, bool) {
	if len(text) > 7 && (text[0] == '+' || text[0] == '-') {
		return parseExpandedDate(text)
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime,
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return storedDate(t), true
		}
	}
	return nil, false
}

// The dates that ECMAScript has, in milliseconds since 1970.
const maxDate = 8_640_000_000_000_000

// parseExpandedDate reads a date whose year has a sign and six digits (ECMA-262,
// section 21.4.1.32.1), as the original writes those beyond four.
func parseExpandedDate(text string) (any, bool) {
	year, err := strconv.Atoi(text[:7])
	if err != nil || text[:7] == "-000000" {
		return nil, false
	}
	shift := calendarShift(year)
	value, ok := parseDate(strconv.Itoa(year-shift) + text[7:])
	if !ok {
		return nil, false
	}
	at := value.(time.Time).AddDate(shift, 0, 0)
	return at, max(at.UnixMilli(), -at.UnixMilli()) <= maxDate
}

func parseList[T any](value any) (any, bool) {
	if list, ok := value.([]T); ok {
		return list, true
	}
	items, ok := value.([]any)
	list := make([]T, len(items))
	for i := range items {
		if list[i], ok = items[i].(T); !ok {
			return nil, false
		}
	}
	return list, ok
}

// dereference follows pointers; a nil pointer, map or slice is NULL.
func dereference(value any) any {
	switch value.(type) {
	case nil, string, bool, int64, time.Time:
		return value
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() {
			return nil
		}
		if v.Kind() == reflect.Pointer {
			return dereference(v.Elem().Interface())
		}
	}
	return value
}

// storedNumber makes an int64 of every number that is one.
func storedNumber(value any) (any, bool) {
	switch v := reflect.ValueOf(value); {
	case v.CanInt():
		return v.Int(), true
	case v.CanUint():
		return int64(v.Uint()), v.Uint() <= math.MaxInt64
	case v.CanFloat():
		f := v.Float()
		if f == math.Trunc(f) && f >= -1<<63 && f < 1<<63 {
			return int64(f), true
		}
		return f, !infinite(f)
	}
	return nil, false
}

// storedJSON makes of any value the tree that encoding/json would read back.
func storedJSON(value any) (any, bool) {
	text, err := appendJSON(nil, value)
	if err != nil {
		return nil, false
	}
	var tree any
	err = json.Unmarshal(text, &tree)
	return tree, err == nil
}

// copyStored copies a value that storable made, as far as its holder could
// change it.
func copyStored(value any) any {
	switch v := value.(type) {
	case []string:
		return append([]string{}, v...)
	case []float64:
		return append([]float64{}, v...)
	case []any:
		tree := make([]any, len(v))
		for i := range v {
			tree[i] = copyStored(v[i])
		}
		return tree
	case map[string]any:
		tree := maps.Clone(v)
		for key := range tree {
			tree[key] = copyStored(tree[key])
		}
		return tree
	}
	return value
}

// storable checks a whole row and returns the copy that a store keeps.
func (t *Table) storable(row Row) (Row, error) {
	if len(row) != t.width() {
		return nil, fmt.Errorf("auth: table %q has %d columns with the id, the row has %d values", t.Name, t.width(), len(row))
	}
	stored := make(Row, len(row))
	if t.IDs == IDSerial && row[len(row)-1] == nil {
		row = append(slices.Clone(row[:len(row)-1]), "")
	}
	for i := range row {
		value, err := t.column(i).storable(row[i])
		if err != nil {
			return nil, err
		}
		stored[i] = value
	}
	return stored, t.checkID(stored.id())
}

// checkID reports an id that is not of the table's kind.
func (t *Table) checkID(id string) error {
	ok := id != ""
	switch t.IDs {
	case IDSerial:
		_, number := parseSerial(id)
		ok = number || id == ""
	case IDUUID:
		ok = isUUID(id)
	}
	if !ok {
		return fmt.Errorf("auth: %q is no id for a row of table %q: %w", id, t.Name, ErrInvalidValue)
	}
	return nil
}

// compareStored orders two values of one scalar column, NULL first.
func compareStored(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(rank(a), rank(b))
	}
	switch a := a.(type) {
	case string:
		return strings.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
	}
	return cmp.Compare(rank(a), rank(b))
}

// rank places NULL, booleans and numbers on one line. A number with a fraction
// is small enough for the float64 of any int64 to lie on its right side.
func rank(value any) float64 {
	switch v := value.(type) {
	case nil:
		return math.Inf(-1)
	case int64:
		return float64(v)
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
	}
	return 0
}

// addStored adds to a stored number; NULL stays NULL.
func addStored(value any, n int64) (any, error) {
	switch v := value.(type) {
	case int64:
		if sum := v + n; (sum > v) == (n > 0) {
			return sum, nil
		}
		return nil, errors.New("auth: a number has grown beyond 64 bits")
	case float64:
		sum, _ := storedNumber(v + float64(n))
		return sum, nil
	}
	return nil, nil
}
