package conformancetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/seed3b05b409/auth"
)

// A document is what this library says of itself in OpenAPI. Its schemas are
// compiled when they are first needed.
type document struct {
	root object
	base string // the path of the server

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by their JSON pointer
}

const documentURL = "http://document.test/openapi.json"

// compiled are the documents that there are, by their text: many variants have the same one.
var compiled struct {
	sync.Mutex
	of map[string]*document
}

// documentOf returns what an instance says of itself.
func documentOf(t testing.TB, a *auth.Auth) *document {
	t.Helper()
	text, err := json.Marshal(a.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	compiled.Lock()
	defer compiled.Unlock()
	d := compiled.of[string(text)]
	if d == nil {
		d = newDocument(t, text)
		if compiled.of == nil {
			compiled.of = make(map[string]*document)
		}
		compiled.of[string(text)] = d
	}
	return d
}

func newDocument(t testing.TB, text []byte) *document {
	t.Helper()
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d := &document{root: root.(object), compiler: jsonschema.NewCompiler(), schemas: make(map[string]*jsonschema.Schema)}
	d.compiler.AssertFormat()
	d.compiler.RegisterFormat(&jsonschema.Format{Name: "email", Validate: validEmail})
	if err := d.compiler.AddResource(documentURL, root); err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(d.root["servers"].([]any)[0].(object)["url"].(string))
	if err != nil {
		t.Fatal(err)
	}
	d.base = server.Path
	return d
}

// validEmail is what the library takes for an address.
func validEmail(value any) error {
	if text, ok := value.(string); ok && !auth.ValidEmail(text) {
		return errors.New("the address is none")
	}
	return nil
}

// documentOf returns the document of a variant. An instance that is broken on purpose
// may have another one.
func (v *variant) documentOf(t testing.TB, a *auth.Auth, broken *sabotage) *document {
	t.Helper()
	if broken != nil {
		return documentOf(t, a)
	}
	v.describe.Do(func() { v.document = documentOf(t, a) })
	return v.document
}

// A part is a place in a document: what is there and the JSON pointer to it (RFC
// 6901).
type part struct {
	of      *document
	pointer string
	value   any // nil: nothing is there
}

// at returns a member of a part, or an element, through a reference to a component.
func (p part) at(names ...string) part {
	for _, name := range names {
		next := part{p.of, p.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name), nil}
		switch holder := p.value.(type) {
		case object:
			next.value = holder[name]
		case []any:
			if i, err := strconv.Atoi(name); err == nil && i < len(holder) {
				next.value = holder[i]
			}
		}
		p = next.target()
	}
	return p
}

// target is the component that a reference stands for.
func (p part) target() part {
	members, _ := p.value.(object)
	reference, ok := members["$ref"].(string)
	if !ok {
		return p
	}
	return part{p.of, "", p.of.root}.at(strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
}

// each returns the elements of an array.
func (p part) each() (elements []part) {
	list, _ := p.value.([]any)
	for i := range list {
		elements = append(elements, p.at(strconv.Itoa(i)))
	}
	return elements
}

func (p part) text() string {
	text, _ := p.value.(string)
	return text
}

// find returns the operation that a request is for and the parameters in its path.
func (d *document) find(method, path string) (operation part, params map[string]string, found bool) {
	path, below := strings.CutPrefix(path, d.base)
	if !below {
		return part{}, nil, false
	}
	paths := part{d, "", d.root}.at("paths")
	if operation = paths.at(path, strings.ToLower(method)); operation.value != nil {
		return operation, nil, true
	}
	sent := strings.Split(path, "/")
	for template := range paths.value.(object) {
		if params = fill(strings.Split(template, "/"), sent); params == nil {
			continue
		}
		if operation = paths.at(template, strings.ToLower(method)); operation.value != nil {
			return operation, params, true
		}
	}
	return part{}, nil, false
}

// fill returns the parameters of a template in a path, nil if the path is no such one.
func fill(template, path []string) map[string]string {
	params := make(map[string]string)
	fits := slices.EqualFunc(template, path, func(want, got string) bool {
		name, isParam := strings.CutPrefix(want, "{")
		if isParam {
			params[strings.TrimSuffix(name, "}")] = got
		}
		return want == got || isParam && got != ""
	})
	if !fits || len(params) == 0 {
		return nil
	}
	return params
}

// operationOf returns the operation of an endpoint, for direct calls.
func (d *document) operationOf(op auth.Operation) part {
	segments := strings.Split(op.Path(), "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return part{d, "", d.root}.at("paths", strings.Join(segments, "/"), strings.ToLower(op.Methods()[0]))
}

// validate returns what a schema has to say against a value, empty if that is nothing.
func (p part) validate(value any) string {
	d := p.of
	d.mu.Lock()
	defer d.mu.Unlock()
	schema := d.schemas[p.pointer]
	if schema == nil {
		var err error
		if schema, err = d.compiler.Compile(documentURL + "#" + (&url.URL{Path: p.pointer}).EscapedPath()); err != nil {
			return err.Error()
		}
		d.schemas[p.pointer] = schema
	}
	if err := schema.Validate(value); err != nil {
		return strings.ReplaceAll(err.Error(), documentURL, "")
	}
	return ""
}

// validateText is validate for JSON.
func (p part) validateText(text []byte) string {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err.Error()
	}
	return p.validate(value)
}
