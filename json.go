package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendJSON appends the value as JavaScript's JSON.stringify writes it
// (contract section 3): no HTML escaping, U+2028 and U+2029 literal, dates in
// ISO-8601 with milliseconds, the keys of maps sorted. Types it does not know
// are written by encoding/json, with the same escaping.
func appendJSON(dst []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendJSONString(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		return appendJSONFloat(dst, v)
	case time.Time:
		return appendJSONDate(dst, v), nil
	case []string:
		return appendJSONList(dst, v)
	case []float64:
		return appendJSONList(dst, v)
	case []any:
		return appendJSONList(dst, v)
	case map[string]any:
		return appendJSONMap(dst, v)
	}
	return appendJSONOther(dst, value)
}

func appendJSONList[T any](dst []byte, list []T) (_ []byte, err error) {
	if list == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '[')
	for i := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendJSON(dst, list[i]); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendJSONMap(dst []byte, m map[string]any) (_ []byte, err error) {
	if m == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSONString(dst, key), ':')
		if dst, err = appendJSON(dst, m[key]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// appendJSONDate appends for example "2026-11-23T08:43:48.330Z". Years of more or
// less than four digits have a sign and six ("+010000-01-01T00:00:00.000Z").
func appendJSONDate(dst []byte, t time.Time) []byte {
	t = t.UTC()
	dst = append(dst, '"')
	if year := t.Year(); year < 0 || year > 9999 {
		text := appendDateText(nil, t.AddDate(-calendarShift(year), 0, 0))
		dst = append(fmt.Appendf(dst, "%+07d", year), text[len("2000"):]...)
		return append(dst, '"')
	}
	return append(appendDateText(dst, t), '"')
}

// appendDateText is appendJSONDate without quotes, for years of four digits.
func appendDateText(dst []byte, t time.Time) []byte {
	dst = t.AppendFormat(dst, time.RFC3339) // the one layout with a fast path
	ms := t.Nanosecond() / 1e6
	dst = append(dst[:len(dst)-1], '.', '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10))
	return append(dst, 'Z')
}

// calendarShift is how many years lie between a year and one from 2000 to 2399 with
// the same calendar, which repeats itself every 400 years.
func calendarShift(year int) int {
	shift := (year - 2000) / 400 * 400
	if year < 2000+shift {
		shift -= 400
	}
	return shift
}

// appendJSONFloat writes numbers as ECMAScript does: digits up to 1e21, then
// an exponent.
func appendJSONFloat(dst []byte, f float64) ([]byte, error) {
	if infinite(f) {
		return nil, fmt.Errorf("auth: %v has no place in JSON", f)
	}
	if f == 0 {
		return append(dst, '0'), nil
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64), nil
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-4] == 'e' && dst[n-2] == '0' { // e-07 is e-7 there
		dst = append(dst[:n-2], dst[n-1])
	}
	return dst, nil
}

// appendJSONString appends the quoted string. What is not UTF-8 becomes U+FFFD.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c, size := s[i], 1
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
		} else if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendJSONEscape(dst, c)
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// appendJSONEscape appends a byte that cannot stand for itself.
func appendJSONEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if c >= utf8.RuneSelf {
		return utf8.AppendRune(dst, utf8.RuneError)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// appendJSONOther appends what encoding/json makes of a value, without the
// escapes that it cannot be told to leave out.
func appendJSONOther(dst []byte, value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	for src := bytes.TrimSuffix(text.Bytes(), []byte("\n")); len(src) > 0; {
		n := 1
		switch {
		case bytes.HasPrefix(src, []byte(`\u2028`)), bytes.HasPrefix(src, []byte(`\u2029`)):
			dst = utf8.AppendRune(dst, '\u2028'+rune(src[5]-'8'))
			src = src[6:]
			continue
		case src[0] == '\\':
			n = 2 // so that the second of two backslashes starts nothing
		}
		dst = append(dst, src[:n]...)
		src = src[n:]
	}
	return dst, nil
}

// infinite reports what JSON has no number for.
func infinite(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) }

// DateTime is a time in the form that the wire has: UTC with milliseconds.
type DateTime struct{ time.Time }

// MarshalJSON writes the time as JavaScript's Date does.
func (t DateTime) MarshalJSON() ([]byte, error) { return appendJSON(nil, t.Time) }

// truthy is JavaScript's idea of true.
func truthy(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0 && !math.IsNaN(v)
	}
	return true
}
