package auth

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// documentedWorld is an instance with every plugin and additional columns.
func documentedWorld(t *testing.T, configure ...func(*Config)) *world {
	return newWorld(t, append([]func(*Config){func(c *Config) {
		c.User.Fields = []Column{
			{Name: "nick", Type: TypeString},
			{Name: "age", Type: TypeNumber, Optional: true},
			{Name: "plan", Type: TypeString, ServerOnly: true, Optional: true},
			{Name: "ssn", Type: TypeString, Hidden: true, Optional: true},
			{Name: "tags", Type: TypeStrings, Default: func() any { return []string{} }},
		}
		c.Session.Fields = []Column{{Name: "theme", Type: TypeString, Optional: true}}
		c.RateLimit.Disabled = false
		c.Plugins = []Plugin{
			&Bearer{}, &JWT{}, &TwoFactor{}, &Username{}, &EmailOTP{},
			&MagicLink{Send: func(context.Context, MagicLinkMail) error { return nil }}, &MultiSession{}, &OneTimeToken{}, &OpenAPI{},
		}
	}}, configure...)...)
}

// A parsedDocument is what a reader finds in a document.
type parsedDocument struct {
	OpenAPI    string
	Info       map[string]string
	Servers    []map[string]string
	Tags       []struct{ Name string }
	Paths      map[string]map[string]*parsedOperation
	Components struct {
		Schemas         map[string]parsedSchema
		Responses       map[string]parsedResponse
		SecuritySchemes map[string]map[string]string
	}

	text string
}

type parsedOperation struct {
	Tags        []string
	Summary     string
	Description string
	OperationID string
	Servers     []map[string]string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
	}
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema parsedSchema }
	}
	Responses map[string]parsedResponse
}

type parsedResponse struct {
	Ref     string `json:"$ref"`
	Headers map[string]any
	Content map[string]struct{ Schema parsedSchema }
}

type parsedSchema struct {
	Ref          string `json:"$ref"`
	Type         any
	Properties   map[string]parsedSchema
	Required     []string
	Enum         []string
	AllOf, AnyOf []parsedSchema
	ReadOnly     bool
}

func parseDocument(t *testing.T, d *OpenAPIDocument) (doc parsedDocument) {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	doc.text = string(text)
	return doc
}

func (d *parsedDocument) operation(t *testing.T, method, path string) *parsedOperation {
	t.Helper()
	op := d.Paths[path][method]
	if op == nil {
		t.Fatalf("there is no %s %s", method, path)
	}
	return op
}

// response returns what a reference stands for.
func (d *parsedDocument) response(op *parsedOperation, status string) (parsedResponse, bool) {
	response, ok := op.Responses[status]
	if response.Ref != "" {
		response, ok = d.Components.Responses[strings.TrimPrefix(response.Ref, "#/components/responses/")]
	}
	return response, ok
}

// codes returns those of the errors with a status, "" for none at all.
func (d *parsedDocument) codes(op *parsedOperation, status string) string {
	response, _ := d.response(op, status)
	schema := response.Content[mediaJSON].Schema
	if len(schema.AllOf) < 2 {
		return ""
	}
	return strings.Join(schema.AllOf[1].Properties["code"].Enum, " ")
}

// TestOpenAPIHasEveryOperation: every endpoint that has a URL is there with all of its
// methods, but for those of the plugin that shows them.
func TestOpenAPIHasEveryOperation(t *testing.T) {
	w := documentedWorld(t)
	doc := parseDocument(t, w.OpenAPI())
	found, want := 0, 0
	for _, item := range doc.Paths {
		found += len(item)
	}
	for _, op := range w.API.Operations() {
		if op.Path() == "" || op.untyped().group == "open-api" {
			continue
		}
		for _, method := range op.Methods() {
			want++
			doc.operation(t, strings.ToLower(method), openAPIPath(op.Path()))
		}
	}
	if found != want {
		t.Errorf("there are %d operations, want %d", found, want)
	}
}

// TestOpenAPIHoldsTogether: ids are unique, tags and schemes are declared, paths have
// the parameters that are described, and references lead somewhere.
func TestOpenAPIHoldsTogether(t *testing.T) {
	w := documentedWorld(t)
	doc := parseDocument(t, w.OpenAPI(ownEndpoints()...))
	var tags, ids []string
	for _, tag := range doc.Tags {
		tags = append(tags, tag.Name)
	}
	if len(tags) < 8 || tags[0] != "Default" || !slices.Contains(tags, "Two-factor") {
		t.Errorf("tags %q", tags)
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			what := method + " " + path
			if op.OperationID == "" || slices.Contains(ids, op.OperationID) {
				t.Errorf("%s: operation id %q", what, op.OperationID)
			}
			ids = append(ids, op.OperationID)
			if len(op.Tags) != 1 || !slices.Contains(tags, op.Tags[0]) {
				t.Errorf("%s: tags %q", what, op.Tags)
			}
			var params []string
			for _, p := range op.Parameters {
				if p.In == "path" {
					params = append(params, p.Name)
				}
			}
			slices.Sort(params)
			if declared := openAPIParams(path); !slices.Equal(slices.Sorted(slices.Values(declared)), params) {
				t.Errorf("%s: parameters %q", what, params)
			}
			for _, way := range op.Security {
				for scheme := range way {
					if doc.Components.SecuritySchemes[scheme] == nil {
						t.Errorf("%s: scheme %q", what, scheme)
					}
				}
			}
			if _, ok := doc.response(op, "500"); !ok || len(op.Responses) < 2 {
				t.Errorf("%s: responses %v", what, op.Responses)
			}
		}
	}
	var whole any
	if err := json.Unmarshal([]byte(doc.text), &whole); err != nil {
		t.Fatal(err)
	}
	refs := 0
	for ref := range strings.SplitSeq(doc.text, `"$ref":"`) {
		ref, _, _ = strings.Cut(ref, `"`)
		if !strings.HasPrefix(ref, "#/") {
			continue
		}
		refs++
		at := whole
		for name := range strings.SplitSeq(ref[2:], "/") {
			object, _ := at.(map[string]any)
			at = object[name]
		}
		if at == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	}
	if refs < 100 {
		t.Errorf("%d references", refs)
	}
}

// TestOpenAPIOfAnInstance: what an instance is called, where it is, and how its callers
// are known.
func TestOpenAPIOfAnInstance(t *testing.T) {
	for _, c := range []struct {
		why             string
		configure       func(c *Config)
		server, cookie  string
		bearer, limited bool
	}{
		{"plain", func(c *Config) { c.RateLimit.Disabled = true }, testBase, "better-auth.session_token", false, false},
		{"https, a prefix", func(c *Config) {
			c.BaseURL, c.BasePath, c.Cookies.Prefix, c.RateLimit.Disabled = "https://example.com", "/in", "acme", false
		}, "https://example.com/in", "__Secure-acme.session_token", false, true},
		{"several hosts", func(c *Config) {
			c.BaseURL, c.DynamicBaseURL = "", DynamicBaseURL{AllowedHosts: []string{"*.example.com"}}
		}, "/api/auth", "__Secure-better-auth.session_token", false, false},
		{"bearer tokens", func(c *Config) { c.Plugins = []Plugin{&Bearer{}} }, testBase, "better-auth.session_token", true, false},
		{"signed ones", func(c *Config) { c.Plugins = []Plugin{&Bearer{RequireSignature: true}} }, testBase, "better-auth.session_token", true, false},
		{"tokens elsewhere", func(c *Config) {
			c.Plugins = []Plugin{grafted("own", Extension{SessionToken: func(h http.Header) string { return h.Get("X-Token") }})}
		}, testBase, "better-auth.session_token", false, false},
	} {
		w := newWorld(t, c.configure)
		d := w.OpenAPI()
		d.Description = "What we have."
		doc := parseDocument(t, d)
		if doc.OpenAPI != "3.1.1" || doc.Info["title"] != "Better Auth" || doc.Info["version"] != "1.0.0" || doc.Info["description"] != "What we have." {
			t.Errorf("%s: %s %v", c.why, doc.OpenAPI, doc.Info)
		}
		if len(doc.Servers) != 1 || doc.Servers[0]["url"] != c.server {
			t.Errorf("%s: servers %v", c.why, doc.Servers)
		}
		schemes := doc.Components.SecuritySchemes
		if got := schemes["apiKeyCookie"]; got["name"] != c.cookie || got["type"] != "apiKey" || got["in"] != "cookie" {
			t.Errorf("%s: cookie %v", c.why, got)
		}
		if got := schemes["bearerAuth"]; (got["scheme"] == "bearer") != c.bearer {
			t.Errorf("%s: bearer %v", c.why, got)
		}
		ways := 1
		if c.bearer {
			ways++
		}
		for path, want := range map[string]int{"/ok": 0, "/list-sessions": ways, "/account-info": ways, "/get-session": ways + 1} {
			if got := doc.operation(t, "get", path).Security; len(got) != want {
				t.Errorf("%s: %s asks for %v", c.why, path, got)
			}
		}
		for status, want := range map[string]bool{"429": c.limited, "421": c.server == "/api/auth"} {
			if _, ok := doc.operation(t, "get", "/ok").Responses[status]; ok != want {
				t.Errorf("%s: GET /ok may answer %s: %v", c.why, status, ok)
			}
		}
	}
}

// TestOpenAPIColumns: additional columns are in the bodies that take them and in what
// clients see.
func TestOpenAPIColumns(t *testing.T) {
	doc := parseDocument(t, documentedWorld(t).OpenAPI())
	body := func(path string) parsedSchema {
		return doc.operation(t, "post", path).RequestBody.Content[mediaJSON].Schema
	}
	for _, c := range []struct {
		why, name       string
		where           parsedSchema
		there, required bool
	}{
		{"a column that must have a value", "nick", body("/sign-up/email"), true, true},
		{"it has one already", "nick", body("/update-user"), true, false},
		{"an optional one", "age", body("/sign-up/email"), true, false},
		{"one with a default", "tags", body("/sign-up/email"), true, false},
		{"one of the server", "plan", body("/sign-up/email"), false, false},
		{"one of the server", "plan", body("/update-user"), false, false},
		{"a hidden one can be set", "ssn", body("/sign-up/email"), true, false},
		{"one of a plugin", "username", body("/sign-up/email"), true, false},
		{"one of a plugin's server side", "twoFactorEnabled", body("/update-user"), false, false},
		{"one of sessions", "theme", body("/update-session"), true, false},
		{"users have what they must have", "nick", doc.Components.Schemas["User"], true, true},
		{"it is there, perhaps as null", "age", doc.Components.Schemas["User"], true, true},
		{"clients see it", "plan", doc.Components.Schemas["User"], true, true},
		{"clients never see it", "ssn", doc.Components.Schemas["User"], false, false},
		{"clients never see it", "password", doc.Components.Schemas["Account"], false, false},
		{"sessions may have it", "theme", doc.Components.Schemas["Session"], true, false},
		{"a plugin's table", "verified", doc.Components.Schemas["TwoFactor"], true, true},
		{"a plugin's secret", "secret", doc.Components.Schemas["TwoFactor"], false, false},
	} {
		_, there := c.where.Properties[c.name]
		if there != c.there || slices.Contains(c.where.Required, c.name) != c.required {
			t.Errorf("%s: %s is there: %v, required: %q", c.why, c.name, there, c.where.Required)
		}
	}
	if user := doc.Components.Schemas["User"].Properties; !user["plan"].ReadOnly || user["nick"].ReadOnly || !user["id"].ReadOnly {
		t.Errorf("read-only: %+v", user)
	}
}

// TestOpenAPITables: the schemas of entities have the members that their JSON has.
func TestOpenAPITables(t *testing.T) {
	w := documentedWorld(t)
	who := w.browser()
	who.post("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"password of ann","nick":"a"}`).ok(t)
	doc := parseDocument(t, w.OpenAPI())
	var data map[string]map[string]any
	if err := json.Unmarshal([]byte(who.get("/get-session").body), &data); err != nil {
		t.Fatal(err)
	}
	for component, object := range map[string]map[string]any{"User": data["user"], "Session": data["session"]} {
		schema := doc.Components.Schemas[component]
		if len(object) != len(schema.Properties) {
			t.Errorf("%s has %d members, described are %d", component, len(object), len(schema.Properties))
		}
		for name := range object {
			optional := name == "theme" // where there is no database it may be absent
			if _, ok := schema.Properties[name]; !ok || slices.Contains(schema.Required, name) == optional {
				t.Errorf("%s has %s, which is not described", component, name)
			}
		}
	}
}

// TestOpenAPIErrors: which errors an operation has, and which codes.
func TestOpenAPIErrors(t *testing.T) {
	described := NewEndpoint("POST", "/described", func(context.Context, struct {
		Token string `json:"token"`
	}) (Empty, error) {
		return Empty{}, nil
	}).Describe(Description{Redirects: true, Errors: map[int][]Code{400: {ErrInvalidToken, ""}, 404: nil, 503: {ErrServiceOverloaded}}})
	w := newWorld(t, func(c *Config) {
		c.RateLimit.Disabled = false
		c.Plugins = []Plugin{grafted("own", Extension{Endpoints: []PluginEndpoint{
			{Name: "read", Endpoint: at("GET", "/read"), Session: SessionRequired},
			{Name: "write", Endpoint: at("POST", "/write"), Session: SessionStored},
			{Name: "described", Endpoint: described, Session: SessionFresh, FormGuard: true},
		}})}
	})
	doc := parseDocument(t, w.OpenAPI())
	for _, c := range []struct {
		method, path string
		statuses     string
		codes        map[string]string
	}{
		{"get", "/ok", "200 429 500", nil},
		{"get", "/read", "200 401 429 500", map[string]string{"401": "UNAUTHORIZED"}},
		{"post", "/write", "200 401 403 429 500", map[string]string{"403": "INVALID_ORIGIN MISSING_OR_NULL_ORIGIN"}},
		{"post", "/described", "302 400 401 403 404 413 415 429 500 503", map[string]string{
			"400": "BAD_REQUEST INVALID_TOKEN VALIDATION_ERROR", "401": "UNAUTHORIZED", "404": "",
			"403": "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED INVALID_ORIGIN MISSING_OR_NULL_ORIGIN SESSION_NOT_FRESH",
			"413": "PAYLOAD_TOO_LARGE", "415": "UNSUPPORTED_MEDIA_TYPE", "503": "SERVICE_OVERLOADED",
		}},
	} {
		op := doc.operation(t, c.method, c.path)
		if got := strings.Join(slices.Sorted(maps.Keys(op.Responses)), " "); got != c.statuses {
			t.Errorf("%s %s answers %s, want %s", c.method, c.path, got, c.statuses)
		}
		for status, want := range c.codes {
			if got := doc.codes(op, status); got != want {
				t.Errorf("%s %s, %s: codes %q, want %q", c.method, c.path, status, got, want)
			}
		}
	}
	op := doc.operation(t, "post", "/described")
	for status, header := range map[string]string{"302": "Location", "429": "X-Retry-After", "503": "Retry-After"} {
		if response, _ := doc.response(op, status); response.Headers[header] == nil {
			t.Errorf("%s has no %s", status, header)
		}
	}
	if response, _ := doc.response(op, "302"); response.Headers["Set-Cookie"] == nil {
		t.Error("a redirect sets no cookies")
	}
	if response, _ := doc.response(doc.operation(t, "get", "/ok"), "200"); response.Headers["Set-Cookie"] != nil {
		t.Error("GET /ok sets cookies")
	}
}

// openAPIAnswer is what a plugin answers in place of a result.
type openAPIAnswer struct {
	Wait bool `json:"wait"`
}

func (*openAPIAnswer) Error() string { return "wait" }

func TestOpenAPIAnswers(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{grafted("own", Extension{Answers: []RouteAnswer{{Paths: []string{"/sign-in/*"}, Value: &openAPIAnswer{}}}})}
	})
	doc := parseDocument(t, w.OpenAPI())
	for path, want := range map[string]string{
		"/sign-in/email": "#/components/schemas/SignInEmailResponse #/components/schemas/openAPIAnswer",
		"/sign-up/email": "",
	} {
		var refs []string
		for _, schema := range doc.operation(t, "post", path).Responses["200"].Content[mediaJSON].Schema.AnyOf {
			refs = append(refs, schema.Ref)
		}
		if got := strings.Join(refs, " "); got != want {
			t.Errorf("%s answers %s, want %s", path, got, want)
		}
	}
}

type ownRequest struct {
	ID     string   `path:"id"`
	Page   int      `query:"page,omitempty"`
	Sort   []string `query:"sort,omitempty"`
	Tenant string   `header:"X-Tenant"`
	Ignore string   `header:"authorization,omitempty"`
}

func ownEndpoints() []Operation {
	return []Operation{
		NewEndpoint("GET", "/items/:id", func(context.Context, ownRequest) (Raw, error) { return Raw{}, nil }),
		at("DELETE", "/items/:item"),
		NewEndpoint("PUT", "/items", func(context.Context, struct {
			Name string         `json:"name" check:"nonempty"`
			Rest map[string]any `json:",inline"`
		}) (*SessionData, error) {
			return nil, nil
		}).Describe(Description{Summary: "Put", Details: "Puts *it*.", Tag: "Items"}),
		at("PUT", "/items/"),
		at("QUERY", "/items"), // no method of OpenAPI 3.1
		NewEndpoint("GET", "/secret", reply200).Describe(Description{Hidden: true}),
	}
}

// TestOpenAPIOwnEndpoints: they are served at the origin, not below the base path.
func TestOpenAPIOwnEndpoints(t *testing.T) {
	for _, c := range []struct {
		doc    *OpenAPIDocument
		server string
	}{
		{documentedWorld(t).OpenAPI(ownEndpoints()...), testOrigin},
		{newWorld(t, func(c *Config) {
			c.BaseURL, c.DynamicBaseURL = "", DynamicBaseURL{AllowedHosts: []string{"*.example.com"}}
		}).OpenAPI(ownEndpoints()...), "/"},
		{NewOpenAPI(ownEndpoints()...), ""},
	} {
		doc := parseDocument(t, c.doc)
		if item := doc.Paths["/items/{item}"]; item != nil || len(doc.Paths["/items/{id}"]) != 2 {
			t.Error("one path has two names")
		}
		if doc.Paths["/secret"] != nil || len(doc.Paths["/items"]) != 1 {
			t.Errorf("paths %v", doc.Paths)
		}
		get, del, put := doc.operation(t, "get", "/items/{id}"), doc.operation(t, "delete", "/items/{id}"), doc.operation(t, "put", "/items")
		for id, op := range map[string]*parsedOperation{
			"getItemsId": get, "deleteItemsItem": del, "putItems": put, "putItems2": doc.operation(t, "put", "/items/"),
		} {
			if server := ""; op.OperationID != id || len(op.Security) != 0 {
				t.Errorf("operation %+v, want %s", op, id)
			} else if len(op.Servers) == 1 {
				if server = op.Servers[0]["url"]; server != c.server {
					t.Errorf("%s is at %q, want %q", id, server, c.server)
				}
			} else if c.server != "" {
				t.Errorf("%s is at %v", id, op.Servers)
			}
		}
		var params []string
		for _, p := range get.Parameters {
			name := p.In + ":" + p.Name
			if p.Required {
				name += "!"
			}
			params = append(params, name)
		}
		if got := strings.Join(params, " "); got != "path:id! query:page query:sort header:X-Tenant!" {
			t.Errorf("parameters %s", got)
		}
		if put.Summary != "Put" || put.Description != "Puts *it*." || put.Tags[0] != "Items" || get.Tags[0] != "Default" {
			t.Errorf("put %+v", put)
		}
		if _, ok := get.Responses["200"].Content["*/*"]; !ok || get.RequestBody != nil || !put.RequestBody.Required {
			t.Errorf("get %+v", get)
		}
		if !strings.Contains(doc.text, `"additionalProperties":true`) || doc.Components.Schemas["User"].Properties["email"].Type != "string" {
			t.Errorf("the body of PUT or the schema of users is not there: %s", doc.text)
		}
	}
}

// TestOpenAPIWithoutSomePaths: what is disabled is not described.
func TestOpenAPIWithoutSomePaths(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.DisabledPaths = []string{"/sign-up/email"} })
	if doc := parseDocument(t, w.OpenAPI()); doc.Paths["/sign-up/email"] != nil || doc.Paths["/sign-in/email"] == nil {
		t.Error("a disabled path is there")
	}
}

// TestOpenAPIOfTwo: two endpoints with one method and one path cannot be told apart.
func TestOpenAPIOfTwo(t *testing.T) {
	d := newWorld(t).OpenAPI(at("GET", "/ok"))
	if _, err := json.Marshal(d); err == nil || !strings.Contains(err.Error(), "GET /ok") {
		t.Errorf("error %v", err)
	}
	rec := httptest.NewRecorder()
	d.ServeHTTP(rec, httptest.NewRequest("GET", "/openapi.json", nil))
	if rec.Code != 500 || rec.Body.Len() != 0 {
		t.Errorf("answer %d %s", rec.Code, rec.Body)
	}
}

// TestOpenAPIIsDeterministic: the bytes are the same for everybody who asks, whenever
// they do.
func TestOpenAPIIsDeterministic(t *testing.T) {
	w := documentedWorld(t)
	want := parseDocument(t, w.OpenAPI(ownEndpoints()...)).text
	shared := w.OpenAPI(ownEndpoints()...)
	var wg sync.WaitGroup
	for range 8 {
		for _, d := range []*OpenAPIDocument{shared, w.OpenAPI(ownEndpoints()...), documentedWorld(t).OpenAPI(ownEndpoints()...)} {
			wg.Go(func() {
				if text, err := d.MarshalJSON(); err != nil || string(text) != want {
					t.Errorf("another document: %v", err)
				}
			})
		}
	}
	wg.Wait()
}

// TestOpenAPICostsNothing: an instance that can describe itself serves other requests
// as one that cannot.
func TestOpenAPICostsNothing(t *testing.T) {
	allocations := func(w *world) float64 {
		r := httptest.NewRequest("GET", testBase+"/ok", nil)
		return fewestAllocs(func() { w.ServeHTTP(httptest.NewRecorder(), r) })
	}
	plain := newWorld(t)
	documented := newWorld(t, func(c *Config) { c.Plugins = []Plugin{&OpenAPI{}} })
	if _, err := json.Marshal(documented.OpenAPI()); err != nil {
		t.Fatal(err)
	}
	if got, want := allocations(documented), allocations(plain); got != want {
		t.Errorf("%v allocations, want %v", got, want)
	}
}

// TestOpenAPIOverHTTP serves the document to caches too.
func TestOpenAPIOverHTTP(t *testing.T) {
	d := NewOpenAPI(ownEndpoints()...)
	ask := func(method, seen string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/openapi.json", nil)
		if seen != "" {
			r.Header.Set("If-None-Match", seen)
		}
		rec := httptest.NewRecorder()
		d.ServeHTTP(rec, r)
		return rec
	}
	first := ask("GET", "")
	etag := first.Header().Get("ETag")
	if first.Code != 200 || first.Header().Get("Content-Type") != "application/json" || etag == "" || first.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("answer %d %v", first.Code, first.Header())
	}
	if text, err := d.MarshalJSON(); err != nil || first.Body.String() != string(text) {
		t.Errorf("the document is not what is served: %v", err)
	}
	for _, c := range []struct {
		method, seen string
		status       int
		body         bool
	}{{"GET", etag, 304, false}, {"GET", `"other"`, 200, true}, {"HEAD", "", 200, false}, {"POST", "", 405, false}} {
		if got := ask(c.method, c.seen); got.Code != c.status || (got.Body.Len() > 0) != c.body {
			t.Errorf("%s with %s: %d, %d bytes", c.method, c.seen, got.Code, got.Body.Len())
		}
	}
}

// TestDescribedSessionLevels: the level that a plugin's endpoint asks for is in the
// document and is enforced.
func TestDescribedSessionLevels(t *testing.T) {
	var endpoints []PluginEndpoint
	for level, path := range map[SessionLevel]string{SessionNone: "/none", SessionRequired: "/required", SessionStored: "/stored", SessionFresh: "/fresh"} {
		endpoints = append(endpoints, PluginEndpoint{
			Name: path[1:], Session: level,
			Endpoint: at("GET", path),
		})
	}
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{grafted("own", Extension{Endpoints: endpoints})}
	})
	doc := parseDocument(t, w.OpenAPI())
	for _, declared := range endpoints {
		path := declared.Endpoint.Path()
		op := doc.operation(t, "get", path)
		asks := declared.Session != SessionNone
		if got := w.browser().get(path).StatusCode == 401; got != asks || (len(op.Security) > 0) != asks {
			t.Errorf("%s asks for a session: %v, described as %v", path, got, op.Security)
		}
		if codes := doc.codes(op, "403"); (codes == string(ErrSessionNotFresh)) != (declared.Session == SessionFresh) {
			t.Errorf("%s refuses with %q", path, codes)
		}
		_, err := declared.Endpoint.CallJSON(t.Context(), nil, WithHeaders(http.Header{}))
		if errors.Is(err, ErrUnauthorized) != asks {
			t.Errorf("%s: a call without a session gives %v", path, err)
		}
	}
}
