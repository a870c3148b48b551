package auth

import (
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An openAPIWriter turns operations into parts of a document. The floors above give it
// what they know beyond an operation's own types.
type openAPIWriter struct {
	schemas
	doc    *openAPI
	ids    map[string]bool   // operation ids that are taken
	shapes map[string]string // paths by what they are without the names of parameters

	// security are the ways to be known, none: this floor knows of no credentials.
	security []openAPISecurity

	// body may add members to the body of an operation.
	body func(op *operation, schema *jsonSchema)

	// answers returns what else an operation may answer with status 200.
	answers func(op *operation) []reflect.Type

	// cookies reports whether an operation may set some.
	cookies func(op *operation, method string) bool

	// refusals returns the errors that a request can have before it reaches an operation.
	refusals func(op *operation, method string) map[int][]Code
}

func newOpenAPIWriter(d *OpenAPIDocument) *openAPIWriter {
	w := &openAPIWriter{
		schemas: schemas{names: make(map[schemaKey]string)},
		doc:     &openAPI{OpenAPI: openAPIVersion, Info: openAPIInfo{d.Title, d.Description, d.Version}},
		ids:     make(map[string]bool),
		shapes:  make(map[string]string),
	}
	for _, url := range d.Servers {
		w.doc.Servers = append(w.doc.Servers, openAPIServer{url})
	}
	w.components.set(errorComponent, errorSchema())
	return w
}

// add describes an operation, once for each of its methods. Servers say where it is if
// that is not where the others are. Errors: an operation is there already.
func (w *openAPIWriter) add(op *operation, servers ...openAPIServer) error {
	path := w.path(op)
	item, _ := w.doc.Paths.get(path)
	for _, method := range op.methods {
		key := strings.ToLower(method)
		if !slices.Contains(openAPIMethods, key) {
			continue
		}
		if _, taken := item.get(key); taken {
			return fmt.Errorf("auth: OpenAPI: there are two endpoints %s %s", method, op.path)
		}
		described := w.operation(op, method)
		described.Servers = servers
		renameParameters(described.Parameters, pathParams(op.path), openAPIParams(path))
		item.set(key, described)
	}
	if len(item) > 0 {
		w.doc.Paths.set(path, item)
	}
	return nil
}

// openAPIMethods are those that a path can have (section 4.8.9).
var openAPIMethods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// path returns the path of an operation with the parameters named as in a path that
// differs in nothing else: there must not be two (section 4.8.8).
func (w *openAPIWriter) path(op *operation) string {
	path := openAPIPath(op.path)
	shape := openAPIParam.ReplaceAllString(path, "{}")
	if known, ok := w.shapes[shape]; ok {
		return known
	}
	w.shapes[shape] = path
	return path
}

var openAPIParam = regexp.MustCompile(`\{([^}]*)\}`)

func openAPIParams(path string) (names []string) {
	for _, match := range openAPIParam.FindAllStringSubmatch(path, -1) {
		names = append(names, match[1])
	}
	return names
}

// renameParameters gives parameters of a path other names, which no client ever sees.
func renameParameters(params []openAPIParameter, from, to []string) {
	for i := range params {
		if at := slices.Index(from, params[i].Name); params[i].In == "path" && at >= 0 {
			params[i].Name = to[at]
		}
	}
}

// openAPIPath writes parameters as {name}.
func openAPIPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

func (w *openAPIWriter) operation(op *operation, method string) *openAPIOperation {
	return &openAPIOperation{
		Tags:        []string{w.tag(op)},
		Summary:     op.description.Summary,
		Description: op.description.Details,
		OperationID: w.id(op, method),
		Security:    w.securityOf(op),
		Parameters:  w.parameters(op),
		RequestBody: w.requestBody(op, method),
		Responses:   w.responses(op, method),
	}
}

// tag returns the group of an operation, which the document lists from now on.
func (w *openAPIWriter) tag(op *operation) string {
	name := op.description.Tag
	switch {
	case name != "":
	case op.group != "":
		name = capitalized(op.group)
	default:
		name = defaultTag
	}
	if !slices.Contains(w.doc.Tags, openAPITag{Name: name}) {
		w.doc.Tags = append(w.doc.Tags, openAPITag{Name: name})
	}
	return name
}

// capitalized is a name with a capital in front.
func capitalized(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first)) + name[size:]
}

// id returns an id that no other operation has: the name, with the method behind it
// where the name is taken.
func (w *openAPIWriter) id(op *operation, method string) string {
	suffix := capitalized(strings.ToLower(method))
	name := op.name
	if name == "" {
		name, suffix = nameOfPath(method, op.path), ""
	}
	id := name
	for n := 1; w.ids[id]; n++ {
		id = name + suffix
		if suffix == "" || n > 1 {
			id += strconv.Itoa(max(n, 2))
		}
	}
	w.ids[id] = true
	return id
}

// nameOfPath makes a name for an operation that has none: getItemsId for GET /items/:id.
func nameOfPath(method, path string) string {
	name := strings.ToLower(method)
	notAllowed := func(r rune) bool { return !strings.ContainsRune(alphanumericASCII, r) }
	for word := range strings.FieldsFuncSeq(path, notAllowed) {
		name += capitalized(word)
	}
	return name
}

const alphanumericASCII = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// securityOf returns what the caller has to show, empty if it is nothing.
func (w *openAPIWriter) securityOf(op *operation) []openAPISecurity {
	switch op.asksFor() {
	case authenticationRequired:
		return append([]openAPISecurity{}, w.security...)
	case authenticationOptional:
		return append(append([]openAPISecurity{}, w.security...), openAPISecurity{})
	}
	return []openAPISecurity{}
}

// asksFor returns whether the operation or a check before it asks who calls.
func (op *operation) asksFor() authentication {
	asked := op.authentication
	for _, check := range op.use {
		asked = max(asked, check.authentication)
	}
	return asked
}

// ignoredHeaders are no parameters in a document (section 4.8.12.2.1).
var ignoredHeaders = []string{"Accept", "Content-Type", "Authorization"}

// parameters returns those of the path, the query and the headers, in the order of the
// request type. Parameters of the path that no field has come last.
func (w *openAPIWriter) parameters(op *operation) (params []openAPIParameter) {
	missing := pathParams(op.path)
	for i := range op.binding.fields {
		f := &op.binding.fields[i]
		switch {
		case f.source == "body", f.source == "header" && slices.Contains(ignoredHeaders, http.CanonicalHeaderKey(f.name)):
			continue
		case f.source == "path":
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == f.name })
		}
		params = append(params, openAPIParameter{
			Name: f.name, In: f.source, Required: f.required || f.source == "path", Schema: w.parameter(op, f),
		})
	}
	for _, name := range missing {
		params = append(params, openAPIParameter{Name: name, In: "path", Required: true, Schema: schemaOf("string")})
	}
	return params
}

// pathParams returns the names of the parameters in a path.
func pathParams(path string) (names []string) {
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			names = append(names, name)
		}
	}
	return names
}

// parameter returns the schema of what is sent as text.
func (w *openAPIWriter) parameter(op *operation, f *field) *jsonSchema {
	if f.truthy {
		return &jsonSchema{Type: jsonTypes{"boolean"}, Const: true} // "false" would set it too
	}
	return constrained(w.sent(op, f), f.check)
}

// sent returns the schema of a field of a request.
func (w *openAPIWriter) sent(op *operation, f *field) *jsonSchema {
	w.input = true
	defer func() { w.input = false }()
	return w.of(op.in.FieldByIndex(f.index).Type)
}

// requestBody returns nil if nothing of a body is looked at.
func (w *openAPIWriter) requestBody(op *operation, method string) *openAPIBody {
	if !takesBody(op, method) {
		return nil
	}
	schema := w.bodySchema(op)
	if w.body != nil {
		w.body(op, schema)
	}
	body := &openAPIBody{Required: !op.bodyOptional}
	body.Content.set(mediaJSON, openAPIMedia{schema})
	if op.form {
		body.Content.set(mediaForm, openAPIMedia{schema})
	}
	return body
}

func takesBody(op *operation, method string) bool {
	return method != http.MethodGet && method != http.MethodHead && !op.ignoreBody && (op.binding.hasBody || op.queryInBody)
}

func (w *openAPIWriter) bodySchema(op *operation) *jsonSchema {
	if override := w.overrides[op.in]; override != nil {
		return override(&w.schemas)
	}
	schema := schemaOf("object")
	for i := range op.binding.fields {
		f := &op.binding.fields[i]
		if f.source != "body" && !(op.queryInBody && f.source == "query") {
			continue
		}
		property := w.sent(op, f)
		if f.nullable {
			property = property.nullable()
		}
		property = constrained(property, f.check)
		if f.required {
			schema.require(f.name, property)
		} else {
			schema.allow(f.name, property)
		}
	}
	if op.binding.rest != nil {
		schema.AdditionalProperties = true
	}
	return schema
}

// finish returns the document with the components that it has come to need.
func (w *openAPIWriter) finish() *openAPI {
	w.doc.Components.Schemas = w.components
	return w.doc
}
