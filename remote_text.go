package auth

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// composeTexts encodes the fields of the query and the headers.
func (op *operation) composeTexts(m *message, in reflect.Value) error {
	var query []string
	for i := range op.binding.fields {
		f := &op.binding.fields[i]
		if f.source != "query" && f.source != "header" {
			continue
		}
		texts, err := f.texts(fieldOf(in, f.index))
		for _, text := range texts {
			if f.source == "query" {
				query = append(query, url.QueryEscape(f.name)+"="+url.QueryEscape(text))
				continue
			}
			if !isHeaderValue(text) {
				err = errNoHeader
			}
			m.header.Add(f.name, text)
		}
		if err != nil {
			return fmt.Errorf("field %s: %w", f.name, err)
		}
	}
	m.query = strings.Join(query, "&")
	return nil
}

// isHeaderValue reports whether a text arrives as it is in a header (RFC 9110 section
// 5.5).
func isHeaderValue(text string) bool {
	return strings.Trim(text, " \t") == text && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// texts is the opposite of bindText.
func (f *field) texts(v reflect.Value) ([]string, error) {
	switch {
	case f.absent(v):
		return nil, nil
	case f.truthy:
		if !v.Bool() {
			return nil, nil
		}
		return []string{"true"}, nil
	case v.Kind() == reflect.Slice:
		texts := make([]string, v.Len())
		for i := range texts {
			text, err := textOf(v.Index(i))
			if err != nil {
				return nil, err
			}
			texts[i] = text
		}
		return texts, nil
	case v.Kind() == reflect.Pointer && v.IsNil():
		return nil, nil
	}
	text, err := textOf(v)
	return []string{text}, err
}

// textOf is the opposite of parseText.
func textOf(v reflect.Value) (text string, err error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", errNoString
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		text = v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Struct, reflect.Interface, reflect.Array, reflect.Map, reflect.Slice:
		quoted, err := appendMarshal(nil, v.Addr().Interface())
		if err != nil || json.Unmarshal(quoted, &text) != nil {
			return "", errNoString
		}
		if string(quoted) == "null" {
			return "", errNoString
		}
	default:
		raw, err := appendMarshal(nil, v.Addr().Interface())
		return string(raw), err
	}
	if !utf8.ValidString(text) {
		err = errNotText
	}
	return text, err
}
