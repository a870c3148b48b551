package auth

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// encodeSQL returns a value of a Row as an argument of a statement. What
// databases do differently is in the encode methods of the dialects.
func encodeSQL(c *sqlColumn, value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	switch c.kind {
	case sqlSerial:
		number, ok := parseSerial(value.(string))
		if !ok {
			return nil, c.cannotHold(value)
		}
		return number, nil
	case sqlFloat:
		if n, ok := value.(int64); ok {
			return float64(n), nil
		}
	case sqlJSON:
		text, err := appendJSON(nil, value)
		return string(text), err
	}
	return value, nil
}

// cannotHold is the error for a value that the column has no place for.
func (c *Column) cannotHold(value any) error {
	return fmt.Errorf("auth: column %q: %w: %v", c.Name, ErrInvalidValue, value)
}

// A sqlCell takes a value from a driver and brings it into the form of a Row.
// Drivers differ in what they return: a time may come as text, a text as
// bytes, a boolean as a number.
type sqlCell struct {
	column *sqlColumn
	value  any
}

// Scan implements sql.Scanner.
func (c *sqlCell) Scan(src any) (err error) {
	c.value = nil
	if src == nil {
		return nil
	}
	if raw, ok := src.([]byte); ok {
		src = string(raw) // the driver may reuse its bytes
	}
	var ok bool
	if c.value, ok = c.column.decode(src); !ok && c.column.untyped {
		c.value = src
	} else if !ok {
		return fmt.Errorf("auth: column %q holds a %s, the database has the %T %.100s", c.column.Name, c.column.Type, src, fmt.Sprint(src))
	}
	return nil
}

// decode returns a driver's value, which is a string where the driver had
// bytes, as a value of a Row.
func (c *sqlColumn) decode(src any) (any, bool) {
	text, isText := src.(string)
	switch c.kind {
	case sqlSerial:
		if n, ok := src.(int64); ok {
			return strconv.FormatInt(n, 10), true
		}
		return src, isText
	case sqlInteger, sqlFloat:
		if isText {
			return c.Type.parse(text)
		}
		return storedNumber(src)
	case sqlBoolean:
		return decodeBoolean(src)
	case sqlDate:
		return c.decodeDate(src)
	case sqlJSON:
		return c.decodeJSON(text, isText)
	case sqlCatalog:
		return decodeCatalog(src)
	}
	return src, isText
}

func decodeBoolean(src any) (any, bool) {
	switch v := src.(type) {
	case bool:
		return v, true
	case int64:
		return v == 1, true
	case string:
		b, err := strconv.ParseBool(v)
		return b, err == nil
	}
	return nil, false
}

// decodeDate reads the forms in which drivers return dates: a time, the text of
// the original, or the milliseconds since 1970 that the MySQL dialect asks for,
// as a number or as text.
func (c *sqlColumn) decodeDate(src any) (any, bool) {
	switch v := src.(type) {
	case int64:
		return time.UnixMilli(v).UTC(), c.millis
	case time.Time:
		return storedDate(v), true
	case string:
		if !c.millis {
			return parseDate(v)
		}
		n, err := strconv.ParseInt(v, 10, 64)
		return time.UnixMilli(n).UTC(), err == nil
	}
	return nil, false
}

func (c *sqlColumn) decodeJSON(text string, ok bool) (any, bool) {
	if !ok {
		return nil, false
	}
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text, c.Type == TypeJSON // where JSON is text, the original stores a string as it is
	}
	if value == nil || c.Type == TypeJSON {
		return value, true
	}
	return c.Type.parse(value)
}

// isText reports whether a database can hold a string: UTF-8, for some without
// the character NUL.
func isText(text string, withNUL bool) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for i := 0; !withNUL && i < len(text); i++ {
		if text[i] == 0 {
			return false
		}
	}
	return true
}

// inInteger reports whether a number, or an id that is one, fits a column of
// whole numbers.
func (c *Column) inInteger(value any) bool {
	n, whole := value.(int64)
	if id, ok := value.(string); ok {
		n, whole = parseSerial(id)
	}
	return whole && (c.BigInt || n == int64(int32(n)))
}
