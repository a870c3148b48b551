package auth

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// nested returns what is wrong inside of a member that is an object or an array:
// each issue at its own path, as the original reports them.
func (f *field) nested(t reflect.Type, m *member) (issues []issue) {
	if m == nil || m.kind != kindObject && m.kind != kindArray {
		return nil
	}
	inspectValue(t, m.decoded(), "", func(path, text string) {
		issues = append(issues, issue{field: f, where: f.source, path: path, text: text})
	})
	return issues
}

// inspectValue calls report for every value that does not fit its type.
func inspectValue(t reflect.Type, value any, path string, report func(path, text string)) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind, got := kindOfField(t), kindOfDecoded(value)
	switch {
	case !(&field{kind: kind}).accepts(got):
		report(path, expected(kind, got))
	case kind == fieldObject || kind == fieldArray || kind == fieldRecord:
		inspectMembers(t, value, path, report)
	}
}

// inspectMembers is for types that decode themselves member by member.
func inspectMembers(t reflect.Type, value any, path string, report func(path, text string)) {
	switch t.Kind() {
	case reflect.Slice:
		list, _ := value.([]any)
		for i, element := range list {
			inspectValue(t.Elem(), element, path+"."+strconv.Itoa(i), report)
		}
	case reflect.Map:
		object, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			inspectValue(t.Elem(), object[name], path+"."+name, report)
		}
	case reflect.Struct:
		object, _ := value.(map[string]any)
		for _, sf := range reflect.VisibleFields(t) {
			name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
			member, there := object[name]
			if there || !strings.Contains(options, "omit") {
				inspectNamed(sf.Type, member, there, path+"."+name, report)
			}
		}
	}
}

func inspectNamed(t reflect.Type, value any, there bool, path string, report func(path, text string)) {
	if !there {
		report(path, expected(kindOfField(t), kindUndefined))
		return
	}
	inspectValue(t, value, path, report)
}

// kindOfDecoded is the kind of a value that encoding/json decoded into an any.
func kindOfDecoded(value any) jsonKind {
	switch value.(type) {
	case string:
		return kindString
	case float64:
		return kindNumber
	case bool:
		return kindBoolean
	case []any:
		return kindArray
	case map[string]any:
		return kindObject
	}
	return kindNull
}
