package auth

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// A message is a request value in the parts of an HTTP request: the opposite of what
// a binding does.
type message struct {
	path   string // escaped
	query  string // encoded
	header http.Header
	body   []byte // a JSON object
}

// Reasons why the value of a field cannot be sent. No error contains the value, which
// may be a secret.
var (
	errGoOnly   = errors.New("only Go code in the process of the server can set it")
	errNotText  = errors.New("it is not valid UTF-8")
	errNoString = errors.New("its value is no text")
	errNoPath   = errors.New("its value has no place in a path")
	errNoHeader = errors.New("its value has no place in a header")
	errTwice    = errors.New("a field of its own has this name")
)

// compose takes a request value apart. Optional fields without a value are left out.
//
// Errors: what no HTTP request could carry to the server's binding.
func (op *operation) compose(input any) (*message, error) {
	m := &message{header: make(http.Header)}
	if op.path == "" {
		return nil, fmt.Errorf("auth: %s has no URL: only the process of the server can call it", op.label())
	}
	in := reflect.ValueOf(input).Elem()
	err := op.composeTexts(m, in)
	if err == nil {
		m.body, err = op.binding.appendBody(nil, in)
	}
	if err == nil {
		err = op.binding.nothingLocal(in)
	}
	if err == nil {
		m.path, err = op.composePath(in)
	}
	if err != nil {
		return nil, fmt.Errorf("auth: %s cannot be sent: %w", op.label(), err)
	}
	return m, nil
}

// methodFor returns the first method that can carry a message.
func (op *operation) methodFor(m *message) (string, error) {
	for _, method := range op.methods {
		if string(m.body) == "{}" || carriesBody(method) {
			return method, nil
		}
	}
	return "", fmt.Errorf("auth: %s cannot be sent: %s has no body for the fields that are tagged json", op.label(), op.methods[0])
}

func carriesBody(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// bodyOf returns the body to send, nil for none.
func (op *operation) bodyOf(method string, m *message) []byte {
	if op.ignoreBody || !carriesBody(method) {
		return nil
	}
	return m.body
}

// nothingLocal refuses values that would be lost on the way.
func (b *binding) nothingLocal(in reflect.Value) error {
	if in.Kind() != reflect.Struct {
		if in.IsZero() {
			return nil
		}
		return fmt.Errorf("%v has no fields", in.Type())
	}
	for i := range b.local {
		if v := fieldOf(in, b.local[i].Index); v.IsValid() && !v.IsZero() {
			return fmt.Errorf("field %s: %w", b.local[i].Name, errGoOnly)
		}
	}
	return nil
}

// fieldOf returns a field, which is invalid inside of an embedded struct that is not
// there.
func fieldOf(in reflect.Value, index []int) reflect.Value {
	v, err := in.FieldByIndexErr(index)
	if err != nil {
		return reflect.Value{}
	}
	return v
}

// absent reports whether an optional field has no value.
func (f *field) absent(v reflect.Value) bool {
	if !v.IsValid() {
		return true
	}
	if f.required {
		return false
	}
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok && v.Kind() != reflect.Pointer {
		return z.IsZero()
	}
	return v.IsZero()
}

// appendBody appends the JSON object of the fields that come from a body.
func (b *binding) appendBody(dst []byte, in reflect.Value) (_ []byte, err error) {
	dst = append(dst, '{')
	for i := range b.fields {
		f := &b.fields[i]
		if f.source != "body" {
			continue
		}
		v := fieldOf(in, f.index)
		if f.absent(v) {
			continue
		}
		if dst, err = appendSendable(appendJSONName(dst, f.name), v); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.name, err)
		}
	}
	if b.rest != nil {
		if dst, err = b.appendRest(dst, fieldOf(in, b.rest)); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// appendRest appends the members of the inline field.
func (b *binding) appendRest(dst []byte, rest reflect.Value) (_ []byte, err error) {
	if !rest.IsValid() {
		return dst, nil
	}
	members, _ := rest.Interface().(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if b.names(name) {
			return nil, fmt.Errorf("member %q: %w", name, errTwice)
		}
		if text, err := appendMarshal(nil, members[name]); err == nil && isMended(text) || !utf8.ValidString(name) {
			return nil, fmt.Errorf("member %q: %w", name, errNotText)
		}
		if dst, err = appendJSON(appendJSONName(dst, name), members[name]); err != nil {
			return nil, fmt.Errorf("member %q: %w", name, err)
		}
	}
	return dst, nil
}

func appendJSONName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(appendJSONString(dst, name), ':')
}

// appendSendable appends the JSON of a field. Text that encoding/json would silently
// change is refused.
func appendSendable(dst []byte, v reflect.Value) ([]byte, error) {
	start := len(dst)
	dst, err := appendMarshal(dst, v.Addr().Interface())
	if err == nil && isMended(dst[start:]) {
		err = errNotText
	}
	return dst, err
}

// isMended reports whether encoding/json has replaced what is no UTF-8: it alone
// writes the replacement character as an escape.
func isMended(text []byte) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '\\' {
			if strings.HasPrefix(string(text[i:min(i+6, len(text))]), `\ufffd`) {
				return true
			}
			i++
		}
	}
	return false
}

// composePath fills in the parameters of the path.
func (op *operation) composePath(in reflect.Value) (string, error) {
	segments := strings.Split(op.path, "/")
	for i, segment := range segments {
		name, ok := strings.CutPrefix(segment, ":")
		if !ok {
			continue
		}
		text, err := op.pathText(in, name)
		if err == nil {
			segments[i], err = op.pipeline.remote.segment(text)
		}
		if err != nil {
			return "", fmt.Errorf("field %s: %w", name, err)
		}
	}
	return strings.Join(segments, "/"), nil
}

func (op *operation) pathText(in reflect.Value, name string) (string, error) {
	for i := range op.binding.fields {
		f := &op.binding.fields[i]
		if f.source != "path" || f.name != name {
			continue
		}
		texts, err := f.texts(fieldOf(in, f.index))
		if err == nil && len(texts) != 1 {
			err = errNoPath
		}
		return strings.Join(texts, ""), err
	}
	return "", errNoPath
}

// segment encodes a parameter of a path. Below the base path, where paths are compared
// as they are sent, one that needs an escape would arrive as another one. http.ServeMux
// looks for empty segments and dots in what it has decoded, and redirects.
func (r *remote) segment(text string) (string, error) {
	escaped := url.PathEscape(text)
	if escaped != text && !r.escape {
		return "", errNoPath
	}
	for part := range strings.SplitSeq(text, "/") {
		if part == "" || part == "." || part == ".." {
			return "", errNoPath
		}
	}
	return escaped, nil
}
