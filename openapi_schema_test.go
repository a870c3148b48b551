package auth

import (
	"context"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// The types of schemaCases.
type (
	schemaTree struct {
		Name     string        `json:"name"`
		Children []*schemaTree `json:"children,omitempty"`
	}
	schemaInner struct {
		Note *string `json:"note"`
	}
	schemaPage[T any] struct {
		Items []T `json:"items" check:"nonnull"`
	}
	schemaEmbedded struct {
		schemaInner
		Own string `json:"own"`
	}
	schemaOdd struct{}
)

func (schemaOdd) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

// schemaCases say how a Go type is described where it is a field of a result, and
// where it is one of a nested value of a request.
var schemaCases = []struct {
	why     string
	value   any
	result  string
	request string // empty: the same
}{
	{why: "text", value: struct{ A string }{}, result: `{"type":"object","properties":{"A":{"type":"string"}},"required":["A"]}`},
	{why: "a name in a tag", value: struct {
		A string `json:"a"`
	}{}, result: `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`},
	{why: "what may be left out is not required", value: struct {
		A string    `json:"a,omitempty"`
		B time.Time `json:"b,omitzero"`
	}{}, result: `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","format":"date-time"}}}`},
	{why: "what JSON does not have", value: struct {
		A string `json:"-"`
		b string
	}{}, result: `{"type":"object"}`},
	{why: "nil pointers, lists and maps of a result are null, but none is in a request", value: struct {
		A *string        `json:"a"`
		B []string       `json:"b"`
		C map[string]int `json:"c"`
	}{},
		result:  `{"type":"object","properties":{"a":{"type":["string","null"]},"b":{"type":["array","null"],"items":{"type":"string"}},"c":{"type":["object","null"],"additionalProperties":{"type":"integer"}}},"required":["a","b","c"]}`,
		request: `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"string"}},"c":{"type":"object","additionalProperties":{"type":"integer"}}},"required":["a","b","c"]}`},
	{why: "nil is left out", value: struct {
		A *string  `json:"a,omitempty"`
		B []string `json:"b,omitempty"`
	}{}, result: `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"string"}}}}`},
	{why: "the author promises that it is never nil", value: struct {
		A []string `json:"a" check:"nonnull"`
	}{}, result: `{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}},"required":["a"]}`},
	{why: "numbers", value: struct {
		A int8
		B uint
		C float32
		D json.Number
	}{}, result: `{"type":"object","properties":{"A":{"type":"integer"},"B":{"type":"integer","minimum":0},"C":{"type":"number"},"D":{"type":"number"}},"required":["A","B","C","D"]}`},
	{why: "numbers in quotation marks", value: struct {
		A int `json:"a,string"`
	}{}, result: `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`},
	{why: "bytes are base64, raw JSON is anything", value: struct {
		A []byte          `json:"a,omitempty"`
		B json.RawMessage `json:"b,omitempty"`
		C any             `json:"c"`
	}{}, result: `{"type":"object","properties":{"a":{"type":"string","contentEncoding":"base64"},"b":{},"c":{}},"required":["c"]}`},
	{why: "an array has its length", value: struct{ A [2]bool }{}, result: `{"type":"object","properties":{"A":{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":2}},"required":["A"]}`},
	{why: "an array of bytes is no text", value: struct{ A [2]byte }{}, result: `{"type":"object","properties":{"A":{"type":"array","items":{"type":"integer","minimum":0},"minItems":2,"maxItems":2}},"required":["A"]}`},
	{why: "dates", value: struct {
		A time.Time
		B DateTime
		C *DateTime `json:",omitempty"`
	}{}, result: `{"type":"object","properties":{"A":{"type":"string","format":"date-time"},"B":{"type":"string","format":"date-time"},"C":{"type":"string","format":"date-time"}},"required":["A","B"]}`},
	{why: "types that write a text", value: struct{ A netip.Addr }{}, result: `{"type":"object","properties":{"A":{"type":"string"}},"required":["A"]}`},
	{why: "types that write JSON of their own", value: struct{ A schemaOdd }{}, result: `{"type":"object","properties":{"A":{}},"required":["A"]}`},
	{why: "absent, null or a value", value: struct {
		A Optional[int] `json:"a,omitzero"`
	}{}, result: `{"type":"object","properties":{"a":{"type":["integer","null"]}}}`},
	{why: "checks", value: struct {
		A string `json:"a" check:"email"`
		B string `json:"b" check:"nonempty"`
		C string `json:"c" check:"oneof=x|y"`
	}{}, result: `{"type":"object","properties":{"a":{"type":"string","format":"email"},"b":{"type":"string","minLength":1},"c":{"type":"string","enum":["x","y"]}},"required":["a","b","c"]}`},
	{why: "fields of an embedded struct are one's own", value: schemaEmbedded{},
		result:  `{"$ref":"#/components/schemas/schemaEmbedded"} schemaEmbedded={"type":"object","properties":{"note":{"type":["string","null"]},"own":{"type":"string"}},"required":["note","own"]}`,
		request: `{"$ref":"#/components/schemas/schemaEmbeddedInput"} schemaEmbeddedInput={"type":"object","properties":{"note":{"type":"string"},"own":{"type":"string"}},"required":["note","own"]}`},
	{why: "a type may contain itself", value: schemaTree{},
		result: `{"$ref":"#/components/schemas/schemaTree"} schemaTree={"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/components/schemas/schemaTree"}}},"required":["name"]}`},
	{why: "a reference that may be null", value: struct{ A *schemaTree }{},
		result:  `{"type":"object","properties":{"A":{"anyOf":[{"$ref":"#/components/schemas/schemaTree"},{"type":"null"}]}},"required":["A"]} schemaTree={"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/components/schemas/schemaTree"}}},"required":["name"]}`,
		request: `{"type":"object","properties":{"A":{"$ref":"#/components/schemas/schemaTree"}},"required":["A"]} schemaTree={"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/components/schemas/schemaTree"}}},"required":["name"]}`},
	{why: "a generic type has the name of its argument", value: schemaPage[schemaTree]{},
		result: `{"$ref":"#/components/schemas/schemaPage_schemaTree"} schemaPage_schemaTree={"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/schemaTree"}}},"required":["items"]} schemaTree={"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/components/schemas/schemaTree"}}},"required":["name"]}`},
	{why: "what no JSON can be made of", value: struct{ A func() }{}, result: `{"type":"object","properties":{"A":{}},"required":["A"]}`},
}

func TestSchemasOfTypes(t *testing.T) {
	for _, c := range schemaCases {
		if got := describedType(t, c.value, false); got != c.result {
			t.Errorf("%s:\n got %s\nwant %s", c.why, got, c.result)
		}
		want := c.request
		if want == "" {
			want = c.result
		}
		if got := describedType(t, c.value, true); got != want {
			t.Errorf("%s, in a request:\n got %s\nwant %s", c.why, got, want)
		}
	}
}

// describedType returns the schema of a type and the components that it refers to.
func describedType(t *testing.T, value any, input bool) string {
	t.Helper()
	s := &schemas{names: make(map[schemaKey]string), input: input}
	text, err := appendMarshal(nil, s.of(reflect.TypeOf(value)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.components {
		text = append(text, " "+c.name+"="...)
		if text, err = appendMarshal(text, c.value); err != nil {
			t.Fatal(err)
		}
	}
	return string(text)
}

// TestSchemasAgreeWithBinding: what a document says of null and of what is missing is
// what decoding does.
func TestSchemasAgreeWithBinding(t *testing.T) {
	type request struct {
		Text     string           `json:"text"`
		Pointer  *string          `json:"pointer"`
		Never    *string          `json:"never" check:"nonnull"`
		Left     *string          `json:"left,omitempty"`
		List     []string         `json:"list"`
		Maybe    Optional[string] `json:"maybe,omitzero"`
		Nested   schemaInner      `json:"nested"`
		Anything any              `json:"anything"`
	}
	e := NewEndpoint("POST", "/x", func(context.Context, request) (Empty, error) { return Empty{}, nil })
	w := newOpenAPIWriter(&OpenAPIDocument{})
	schema := w.bodySchema(e.operation)
	full := map[string]any{
		"text": "a", "pointer": "a", "never": "a", "left": "a", "list": []string{}, "maybe": "a",
		"nested": map[string]any{"note": "a"}, "anything": 1,
	}
	accepted := func(change func(body map[string]any)) bool {
		body := make(map[string]any)
		for name, value := range full {
			body[name] = value
		}
		change(body)
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.CallJSON(t.Context(), text)
		return err == nil
	}
	if !accepted(func(map[string]any) {}) {
		t.Fatal("the full body is refused")
	}
	for name := range full {
		property, _ := schema.Properties.get(name)
		null := property.acceptsAll()
		for _, kind := range property.Type {
			null = null || kind == "null"
		}
		if got := accepted(func(body map[string]any) { body[name] = nil }); got != null {
			t.Errorf("%s: null is accepted: %v, the document says %v", name, got, null)
		}
		required := false
		for _, other := range schema.Required {
			required = required || other == name
		}
		if got := accepted(func(body map[string]any) { delete(body, name) }); got == required {
			t.Errorf("%s may be missing: %v, the document says that it is required: %v", name, got, required)
		}
	}
}

// TestComponentNames: types that are called the same have schemas of their own.
func TestComponentNames(t *testing.T) {
	s := &schemas{names: make(map[schemaKey]string)}
	s.components.set("Location", schemaOf("string"))
	ref := s.of(reflect.TypeFor[struct {
		A time.Location
		B struct{ C *Table }
	}]())
	a, _ := ref.Properties.get("A")
	if a.Ref != "#/components/schemas/time.Location" {
		t.Errorf("reference %q", a.Ref)
	}
	for name, want := range map[string]string{
		"Page": "Page", "Page[github.com/x/y.Item]": "Page_Item", "Pair[int,main.Ä]": "Pair_int__",
	} {
		if got := componentName(name); got != want {
			t.Errorf("%s is called %s, want %s", name, got, want)
		}
	}
}
