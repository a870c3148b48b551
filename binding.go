package auth

import (
	"encoding"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A binding says where the fields of a request type come from. It is made once
// per endpoint from the struct's tags:
//
//	json:"name"    a member of the body
//	query:"name"   a query parameter
//	path:"name"    a parameter of the path
//	header:"Name"  a request header
//
// A field is required unless its tag has omitempty or omitzero. The tag
// check:"email", check:"nonempty" or check:"oneof=a|b" adds a constraint, check:"nonnull"
// refuses null. A field of type map[string]any tagged json:",inline" collects the body's
// other members.
type binding struct {
	fields   []field
	rest     []int                 // the inline field, nil if there is none
	local    []reflect.StructField // those that nothing of an HTTP request fills
	hasBody  bool
	checked  bool // some field has a constraint
	validate bool // *Req has a Validate method
}

type field struct {
	name     string
	source   string // "body", "query", "path" or "header"
	index    []int
	kind     fieldKind
	required bool
	nullable bool
	truthy   bool // a query flag that any non-empty value sets, as in JavaScript
	check    string
}

// fieldKind is how a field is decoded, in the words of validation messages.
type fieldKind string

const (
	fieldString  fieldKind = "string"
	fieldBoolean fieldKind = "boolean"
	fieldNumber  fieldKind = "number"
	fieldObject  fieldKind = "object"
	fieldRecord  fieldKind = "record"
	fieldArray   fieldKind = "array"
	fieldAny     fieldKind = "any"
)

// An issue is one thing that is wrong with what the client sent.
type issue struct {
	field *field // nil: all of the body or query
	where string // "body", "query", …
	text  string
	path  string // inside of the field: ".token", ".0"
}

func (f *field) issue(text string) issue { return issue{field: f, where: f.source, text: text} }

func (i issue) String() string {
	if i.field == nil {
		return "[" + i.where + "] " + i.text
	}
	return "[" + i.where + "." + i.field.name + i.path + "] " + i.text
}

func expected(kind fieldKind, received jsonKind) string {
	return fmt.Sprintf("Invalid input: expected %s, received %s", kind, received)
}

func newBinding(req reflect.Type) *binding {
	b := &binding{validate: reflect.PointerTo(req).Implements(reflect.TypeFor[validator]())}
	if req.Kind() != reflect.Struct {
		return b
	}
	for _, sf := range reflect.VisibleFields(req) {
		if sf.IsExported() && !sf.Anonymous {
			b.add(sf)
		}
	}
	return b
}

// has reports whether a field comes from some part of a request under a name.
func (b *binding) has(source, name string) bool {
	return slices.ContainsFunc(b.fields, func(f field) bool { return f.source == source && f.name == name })
}

type validator interface{ Validate() error }

func (b *binding) add(sf reflect.StructField) {
	for _, source := range []string{"json", "query", "path", "header"} {
		tag, ok := sf.Tag.Lookup(source)
		if !ok || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" && options == "inline" {
			b.rest, b.hasBody = sf.Index, true
			return
		}
		b.fields = append(b.fields, newField(sf, source, name, options))
		b.hasBody = b.hasBody || source == "json"
		b.checked = b.checked || sf.Tag.Get("check") != "" && sf.Tag.Get("check") != checkNonnull
		return
	}
	b.local = append(b.local, sf)
}

func newField(sf reflect.StructField, source, name, options string) field {
	if name == "" {
		name = sf.Name
	}
	f := field{
		name: name, source: source, index: sf.Index, kind: kindOfField(sf.Type),
		required: !strings.Contains(options, "omit"),
		truthy:   strings.Contains(options, "truthy"),
		check:    sf.Tag.Get("check"),
	}
	switch sf.Type.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		f.nullable = f.required && f.check != checkNonnull
	}
	if source == "json" {
		f.source = "body"
	}
	return f
}

func kindOfField(t reflect.Type) fieldKind {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pointer := reflect.PointerTo(t)
	if t == reflect.TypeFor[time.Time]() {
		return fieldString
	}
	if pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return fieldAny
	}
	switch t.Kind() {
	case reflect.String:
		return fieldString
	case reflect.Bool:
		return fieldBoolean
	case reflect.Struct:
		return fieldObject
	case reflect.Map:
		return fieldRecord
	case reflect.Slice, reflect.Array:
		return fieldArray
	case reflect.Interface:
		return fieldAny
	}
	return fieldNumber
}

// bind fills in, a *Req, from what the client sent and returns what did not
// fit. As in the original, a body with issues is reported without looking at
// the query.
func (b *binding) bind(x *Exchange, bodyOptional bool) []issue {
	in := reflect.ValueOf(x.input).Elem()
	issues := b.bindBody(x.sent, in, bodyOptional)
	if len(issues) == 0 {
		issues = b.bindTexts(x, in)
	}
	return inspect(x, issues)
}

// bindTexts fills in the fields that are not in the body.
func (b *binding) bindTexts(x *Exchange, in reflect.Value) (issues []issue) {
	for i := range b.fields {
		f := &b.fields[i]
		if f.source == "body" {
			continue
		}
		if text := f.bindText(in.FieldByIndex(f.index), f.values(x)); text != "" {
			issues = append(issues, f.issue(text))
		}
	}
	return issues
}

// An inspector is a request type whose rules are more than a list of fields: it
// gets the issues that decoding found and returns those to report.
type inspector interface {
	inspect(x *Exchange, issues []issue) []issue
}

func inspect(x *Exchange, issues []issue) []issue {
	if i, ok := x.input.(inspector); ok {
		return i.inspect(x, issues)
	}
	return issues
}

func (b *binding) bindBody(s *sent, in reflect.Value, optional bool) []issue {
	switch {
	case !b.hasBody, optional && s.root == kindUndefined:
		return nil
	case s.root != kindObject:
		return b.wrongRoot(s.root)
	}
	return b.bindMembers(s, in, false)
}

// bindMembers fills in fields from the members of an object: those of the body,
// or all of them whatever their source. Members without a field go to the
// inline one.
func (b *binding) bindMembers(s *sent, in reflect.Value, all bool) (issues []issue) {
	if b.rest != nil {
		in.FieldByIndex(b.rest).Set(reflect.ValueOf(b.others(s)))
	}
	for i := range b.fields {
		f := &b.fields[i]
		if f.source != "body" && !all {
			continue
		}
		issues = append(issues, f.bindValue(in.FieldByIndex(f.index), s.member(f.name))...)
	}
	return issues
}

// bindAll fills in every field, whatever its source, from the members of a JSON
// object.
func (b *binding) bindAll(x *Exchange) []issue {
	if x.sent.root != kindObject {
		return []issue{{where: "body", text: expected(fieldObject, x.sent.root)}}
	}
	return inspect(x, b.bindMembers(x.sent, reflect.ValueOf(x.input).Elem(), true))
}

// wrongRoot has an issue for the named members and one for the others.
func (b *binding) wrongRoot(received jsonKind) []issue {
	var issues []issue
	for i := range b.fields {
		if b.fields[i].source == "body" {
			issues = append(issues, issue{where: "body", text: expected(fieldObject, received)})
			break
		}
	}
	if b.rest != nil {
		issues = append(issues, issue{where: "body", text: expected(fieldRecord, received)})
	}
	return issues
}

// others returns the members that no field of the request names.
func (b *binding) others(s *sent) map[string]any {
	others := make(map[string]any)
	for i := range s.members {
		m := &s.members[i]
		if b.names(string(m.name)) {
			continue
		}
		others[string(m.name)] = m.decoded()
	}
	return others
}

func (b *binding) names(member string) bool { return b.field(member) != nil }

// field returns that of a member of the body, nil if there is none.
func (b *binding) field(member string) *field {
	for i := range b.fields {
		if b.fields[i].source == "body" && b.fields[i].name == member {
			return &b.fields[i]
		}
	}
	return nil
}

// decoded returns a member as encoding/json decodes it into an any.
func (m *member) decoded() any {
	if m.kind == kindString {
		return m.text()
	}
	var v any
	if json.Unmarshal(m.value, &v) != nil {
		return nil // a number beyond float64
	}
	return v
}

// bindValue decodes one member and returns what is wrong with it or inside of it.
func (f *field) bindValue(dst reflect.Value, m *member) []issue {
	switch f.kind {
	case fieldObject, fieldArray, fieldRecord:
		if issues := f.nested(dst.Type(), m); len(issues) > 0 {
			return issues
		}
	}
	if text := f.bindMember(dst, m); text != "" {
		return []issue{f.issue(text)}
	}
	return nil
}

// bindMember decodes one member of the body and returns what is wrong with it.
func (f *field) bindMember(dst reflect.Value, m *member) string {
	switch {
	case m == nil:
		if f.required {
			return expected(f.kind, kindUndefined)
		}
		return ""
	case m.kind == kindNull && f.nullable:
		return ""
	case f.truthy:
		dst.SetBool(truthy(m.decoded()))
		return ""
	case !f.accepts(m.kind):
		return expected(f.kind, m.kind)
	case m.kind == kindString && dst.Kind() == reflect.String && f.kind == fieldString:
		dst.SetString(m.text())
		return ""
	case m.kind == kindBoolean && dst.Kind() == reflect.Bool:
		dst.SetBool(m.value[0] == 't')
		return ""
	case m.plain:
		quoted, _ := json.Marshal(m.text()) // a string always marshals
		return decodeInto(dst, quoted)
	}
	return decodeInto(dst, m.value)
}

// decodeInto decodes a value or leaves the field zero, which review takes for
// not mended.
func decodeInto(dst reflect.Value, value []byte) string {
	if json.Unmarshal(value, dst.Addr().Interface()) != nil {
		dst.SetZero()
		return "Invalid input"
	}
	return ""
}

func (f *field) accepts(kind jsonKind) bool {
	switch f.kind {
	case fieldAny:
		return true
	case fieldRecord:
		return kind == kindObject
	}
	return string(f.kind) == kind.String()
}

// values returns the text values of a field that is not in the body.
func (f *field) values(x *Exchange) []string {
	switch f.source {
	case "query":
		return x.query()[f.name]
	case "path":
		if value := x.pathValue(f.name); value != "" {
			return []string{value}
		}
		return nil
	}
	return x.headers[http.CanonicalHeaderKey(f.name)]
}

// bindText decodes the values of a query parameter, path parameter or header.
func (f *field) bindText(dst reflect.Value, values []string) string {
	switch {
	case len(values) == 0:
		if f.required {
			return expected(f.kind, kindUndefined)
		}
		return ""
	case dst.Kind() == reflect.Slice:
		list := reflect.MakeSlice(dst.Type(), len(values), len(values))
		for i, value := range values {
			if text := f.parseText(list.Index(i), value); text != "" {
				return text
			}
		}
		dst.Set(list)
		return ""
	case f.truthy:
		dst.SetBool(len(values) > 1 || values[0] != "")
		return ""
	case len(values) > 1:
		return expected(f.kind, kindArray)
	}
	return f.parseText(dst, values[0])
}

func (f *field) parseText(dst reflect.Value, text string) string {
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	var err error
	switch dst.Kind() {
	case reflect.String:
		dst.SetString(text)
		return ""
	case reflect.Bool:
		var set bool
		set, err = strconv.ParseBool(text)
		dst.SetBool(set)
	case reflect.Struct, reflect.Interface, reflect.Array, reflect.Map, reflect.Slice:
		quoted, _ := json.Marshal(text) // a string always marshals
		return decodeInto(dst, quoted)
	default:
		err = json.Unmarshal([]byte(text), dst.Addr().Interface())
	}
	if err != nil {
		dst.SetZero()
		return expected(f.kind, kindString)
	}
	return ""
}
