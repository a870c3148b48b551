package auth

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

//go:embed plugin_openapi.html
var openAPISource string

var openAPITemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("reference").Parse(openAPISource))
})

// An openAPIPage is a page with its Content-Security-Policy.
type openAPIPage struct {
	html   []byte
	policy string
}

var (
	openAPIStyle  = regexp.MustCompile(`(?s)<style[^>]*>(.*?)</style>`)
	openAPIScript = regexp.MustCompile(`(?s)<script(?: nonce="[^"]*")?>(.*?)</script>`)
)

// newOpenAPIPage finds the only style and the only script that a browser is to believe.
func newOpenAPIPage(html []byte) (page openAPIPage, err error) {
	style, script := openAPIStyle.FindSubmatch(html), openAPIScript.FindSubmatch(html)
	if style == nil || script == nil {
		return page, errNoOpenAPIStyle
	}
	return openAPIPage{html, "default-src 'none'; style-src " + sourceHash(style[1]) + "; script-src " + sourceHash(script[1]) +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}, nil
}

// sourceHash names a text by its hash (CSP Level 3 section 2.3.1).
func sourceHash(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// openAPIShown is a document as far as the page shows it.
type openAPIShown struct {
	Info struct {
		Title, Description, Version string
	}
	Servers    []struct{ URL string }
	Tags       []struct{ Name, Description string }
	Paths      openAPIMembers[openAPIMembers[*shownOperation]]
	Components struct {
		Schemas         openAPIMembers[*shownSchema]
		Responses       map[string]shownResponse
		SecuritySchemes openAPIMembers[struct{ Type, In, Name, Scheme, Description string }]
	}
}

type shownOperation struct {
	Tags        []string
	Summary     string
	Description string
	OperationID string
	Servers     []struct{ URL string }
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   *shownSchema
	}
	RequestBody *struct {
		Required bool
		Content  openAPIMembers[shownMedia]
	}
	Responses openAPIMembers[shownResponse]

	Method, Path string `json:"-"`
}

type shownMedia struct{ Schema *shownSchema }

type shownResponse struct {
	Ref         string `json:"$ref"`
	Description string
	Headers     openAPIMembers[struct {
		Ref         string `json:"$ref"`
		Description string
	}]
	Content openAPIMembers[shownMedia]
}

type shownSchema struct {
	Ref                  string `json:"$ref"`
	Type                 json.RawMessage
	Format               string
	Description          string
	Const                json.RawMessage
	Enum                 []json.RawMessage
	MinLength            int
	Items                *shownSchema
	Properties           openAPIMembers[*shownSchema]
	Required             []string
	AdditionalProperties json.RawMessage
	AllOf, AnyOf         []*shownSchema
	ReadOnly             bool
}

// Name is that of the component that the schema refers to.
func (s *shownSchema) Name() string { return strings.TrimPrefix(s.Ref, "#/components/schemas/") }

// Kind is the type in a few words.
func (s *shownSchema) Kind() string {
	kind := strings.NewReplacer(`"`, "", "[", "", "]", "", ",", " or ").Replace(string(s.Type))
	if kind == "" && len(s.AllOf)+len(s.AnyOf) == 0 && s.Ref == "" {
		return "anything"
	}
	if s.Format != "" {
		kind += ", " + s.Format
	}
	return kind
}

// Requires reports whether a property has to be there.
func (s *shownSchema) Requires(name string) bool { return slices.Contains(s.Required, name) }

// Words are the constraints.
func (s *shownSchema) Words() (words []string) {
	if len(s.Const) > 0 {
		words = append(words, string(s.Const))
	}
	for _, value := range s.Enum {
		words = append(words, strings.Trim(string(value), `"`))
	}
	return words
}

// openAPIMembers are those of a JSON object in their order.
type openAPIMembers[V any] []openAPIMember[V]

type openAPIMember[V any] struct {
	Name  string
	Value V
}

// UnmarshalJSON reads an object.
func (o *openAPIMembers[V]) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var m openAPIMember[V]
		m.Name, _ = name.(string)
		if err := decoder.Decode(&m.Value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}

// openAPIView is what the template gets.
type openAPIView struct {
	openAPIShown
	Groups       []openAPIGroup
	Document     template.JS
	Theme, Nonce string
}

type openAPIGroup struct {
	Name, Description string
	Operations        []*shownOperation
}

// view groups the operations by their tags and takes references to responses for what
// they stand for.
func (d *openAPIShown) view(text []byte, theme, nonce string) *openAPIView {
	groups := make(map[string][]*shownOperation)
	for _, item := range d.Paths {
		for _, method := range item.Value {
			op := method.Value
			op.Method, op.Path = strings.ToUpper(method.Name), item.Name
			for i, r := range op.Responses {
				if r.Value.Ref != "" {
					op.Responses[i].Value = d.Components.Responses[strings.TrimPrefix(r.Value.Ref, "#/components/responses/")]
				}
			}
			for _, tag := range op.Tags {
				groups[tag] = append(groups[tag], op)
			}
		}
	}
	view := &openAPIView{openAPIShown: *d, Theme: theme, Nonce: nonce}
	for _, tag := range d.Tags {
		view.Groups = append(view.Groups, openAPIGroup{tag.Name, tag.Description, groups[tag.Name]})
	}
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, text)
	view.Document = template.JS(escaped.String()) // what could end the element is escaped
	return view
}

// Ways names the schemes by which a caller is known.
func (op *shownOperation) Ways() (ways []string) {
	for _, way := range op.Security {
		names := slices.Sorted(maps.Keys(way))
		if len(names) == 0 {
			names = []string{"nothing"}
		}
		ways = append(ways, strings.Join(names, " and "))
	}
	return ways
}
