package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A graft is a plugin that adds what a test says.
type graft struct {
	id     string
	s      *Services
	extend func(s *Services) (*Extension, error)
}

func (p *graft) ID() string { return p.id }

func (p *graft) Extend(s *Services) (*Extension, error) {
	p.s = s
	return p.extend(s)
}

// grafted adds an extension.
func grafted(id string, added Extension) *graft {
	return &graft{id: id, extend: func(*Services) (*Extension, error) { return &added, nil }}
}

// mistaken returns the error of New with plugins, which must be one.
func mistaken(t *testing.T, plugins ...Plugin) string {
	t.Helper()
	_, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: plugins})
	if err == nil {
		t.Fatal("New accepts the plugins")
	}
	return err.Error()
}

func reply200(context.Context, Empty) (Empty, error) { return Empty{}, nil }

func at(method, path string) Operation { return NewEndpoint(method, path, reply200) }

// textEntry is a row with nothing but a text.
type textEntry struct {
	ID   string `db:"id"`
	Text string `db:"text"`
}

func textTable(name string) *Records[textEntry] {
	return NewRecords[textEntry](&Table{Name: name, Columns: []Column{{Name: "text", Type: TypeString}}})
}

// TestPluginMistakes: whatever is wrong with an extension, New says what and whose.
func TestPluginMistakes(t *testing.T) {
	one := func(e PluginEndpoint) Extension { return Extension{Endpoints: []PluginEndpoint{e}} }
	hook := func(x *Exchange) error { return nil }
	type inQuery struct {
		CallbackURL string `query:"callbackURL"`
	}
	type inPath struct {
		ID string `path:"id"`
	}
	type inBody struct {
		Text string `json:"text"`
	}
	redirects := NewEndpoint("GET", "/go", func(context.Context, inQuery) (Empty, error) { return Empty{}, nil })
	for _, test := range []struct {
		name  string
		added Extension
		want  string
	}{
		{"endpoint without a name", one(PluginEndpoint{Endpoint: at("GET", "/a")}), `endpoint "": it has no Name`},
		{"endpoint that is nil", one(PluginEndpoint{Name: "a"}), "there is no Endpoint"},
		{"endpoint that is a nil pointer", one(PluginEndpoint{Name: "a", Endpoint: (*Endpoint[Empty, Empty])(nil)}), "there is no Endpoint"},
		{"name of the core", one(PluginEndpoint{Name: "signOut", Endpoint: at("POST", "/a")}), `there is another endpoint "signOut"`},
		{"path of the core", one(PluginEndpoint{Name: "a", Endpoint: at("POST", "/sign-out")}), `endpoint "a": POST /sign-out is taken by endpoint "signOut"`},
		{"path of the core with a parameter", one(PluginEndpoint{Name: "a", Endpoint: at("POST", "/callback/:provider")}), `is taken by endpoint "callbackOAuth" at /callback/:id`},
		{"two of the same path", Extension{Endpoints: []PluginEndpoint{{Name: "a", Endpoint: at("GET", "/a")}, {Name: "b", Endpoint: at("GET", "/a")}}}, `endpoint "b": GET /a is taken by endpoint "a"`},
		{"two that a request could mean", Extension{Endpoints: []PluginEndpoint{{Name: "a", Endpoint: at("GET", "/a/:x/c")}, {Name: "b", Endpoint: at("GET", "/a/b/:y")}}}, `endpoint "b": GET /a/b/:y is taken by endpoint "a" at /a/:x/c`},
		{"two of one name", Extension{Endpoints: []PluginEndpoint{{Name: "a", Endpoint: at("GET", "/a")}, {Name: "a", Endpoint: at("GET", "/b")}}}, `there is another endpoint "a"`},
		{"one endpoint twice", Extension{Endpoints: []PluginEndpoint{{Name: "a", Endpoint: redirects}, {Name: "b", Endpoint: redirects}}}, `endpoints "a" and "b" are one and the same`},
		{"path without a slash", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "a")}), `the path "a" does not begin with a slash`},
		{"path that ends with a slash", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "/a/")}), `the path "/a/" is no plain one`},
		{"path with a doubled slash", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "/a//b")}), "is no plain one"},
		{"path with dots", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "/a/../b")}), "is no plain one"},
		{"path in the way of ServeMux", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "/a/{id}")}), "parameters are written :name"},
		{"path with a query", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "/a?b=c")}), "is no plain one"},
		{"path with a parameter twice", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "/a/:x/:x")}), "has a parameter without a name, or one twice"},
		{"path with a parameter without a name", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "/a/:")}), "has a parameter without a name"},
		{"field of a parameter that the path lacks", one(PluginEndpoint{Name: "a", Endpoint: NewEndpoint("GET", "/a/:key", func(context.Context, inPath) (Empty, error) { return Empty{}, nil })}), `the path "/a/:key" has no :id`},
		{"field of the body of a GET", one(PluginEndpoint{Name: "a", Endpoint: NewEndpoint("GET", "/a", func(context.Context, inBody) (Empty, error) { return Empty{}, nil })}), "GET has no body"},
		{"method in small letters", one(PluginEndpoint{Name: "a", Endpoint: at("get", "/a")}), `the method "get" is not one in capitals`},
		{"no method", one(PluginEndpoint{Name: "a", Endpoint: at("", "/a")}), `the method "" is not one in capitals`},
		{"unknown level of sessions", one(PluginEndpoint{Name: "a", Endpoint: at("GET", "/a"), Session: 9}), "its Session, 9, is no SessionLevel"},
		{"checked parameter that is none", one(PluginEndpoint{Name: "a", Endpoint: redirects, RedirectQuery: []string{"callbackUrl"}}), `no field of the request is tagged query:"callbackUrl"`},

		{"hook without a function", Extension{Before: []RouteHook{{Paths: []string{"/ok"}}}}, `a hook of Before for ["/ok"] has no Run`},
		{"hook after without a function", Extension{After: []RouteHook{{}}}, "a hook of After for [] has no Run"},
		{"hook for no path", Extension{Before: []RouteHook{{Paths: []string{"ok"}, Run: hook}}}, `a hook of Before is for the path "ok"`},
		{"hook for an empty path", Extension{After: []RouteHook{{Paths: []string{""}, Run: hook}}}, `a hook of After is for the path ""`},

		{"columns of no table", Extension{Columns: map[string][]Column{"users": {{Name: "a", Type: TypeString}}}}, `it adds columns to table "users": there is none, or it can have no more`},
		{"columns of a table of the core", Extension{Columns: map[string][]Column{"account": {{Name: "a", Type: TypeString}}}}, `table "account"`},
		{"column of the core", Extension{Columns: map[string][]Column{"user": {{Name: "email", Type: TypeString}}}}, "plugin p adds the column user.email, which is one of the core"},
		{"column twice", Extension{Columns: map[string][]Column{"session": {{Name: "a", Type: TypeString}, {Name: "a", Type: TypeString}}}}, "plugin p adds the column session.a, which is one of plugin p"},
		{"column of no type", Extension{Columns: map[string][]Column{"user": {{Name: "a", Optional: true}}}}, `table "user", column "a": unknown type ""`},
		{"column that keeps everybody out", Extension{Columns: map[string][]Column{"user": {{Name: "a", Type: TypeString, ServerOnly: true}}}}, `nobody could sign up: column "a"`},
		{"reference to no table", Extension{Columns: map[string][]Column{"user": {{Name: "a", Type: TypeString, Optional: true, References: "team"}}}}, `column user.a references table "team"`},

		{"nil table", Extension{Tables: []PluginTable{nil}}, "one of its tables is nil"},
		{"nil records", Extension{Tables: []PluginTable{(*Records[textEntry])(nil)}}, "one of its tables is nil"},
		{"records of a nil table", Extension{Tables: []PluginTable{NewRecords[textEntry](nil)}}, "one of its tables is nil"},
		{"table of the core", Extension{Tables: []PluginTable{textTable("user")}}, `there is a table "user" already`},
		{"table of the core that is not in use", Extension{Tables: []PluginTable{textTable("rateLimit")}}, `there is a table "rateLimit" already`},
		{"table twice", Extension{Tables: []PluginTable{textTable("a"), textTable("a")}}, `there is a table "a" already`},
		{"table without a name", Extension{Tables: []PluginTable{textTable("")}}, "a table has no name"},
		{"field without a column", Extension{Tables: []PluginTable{NewRecords[textEntry](&Table{Name: "a"})}}, `table "a" has no column "text"`},
		{"column without a field", Extension{Tables: []PluginTable{textTable("a")}, Columns: map[string][]Column{"a": {{Name: "more", Type: TypeString}}}}, `no field for column "more"`},
		{"reference to a later table", Extension{Tables: []PluginTable{
			NewRecords[textEntry](&Table{Name: "a", Columns: []Column{{Name: "text", Type: TypeString, References: "b"}}}), textTable("b"),
		}}, `column a.text references table "b", which is not there or comes later`},

		{"rule for no path", Extension{RateRules: map[string]RateRule{"a": {}}}, `rate limit rule "a"`},
		{"rule that is negative", Extension{RateRules: map[string]RateRule{"/a": {Window: -time.Second}}}, `rate limit rule "/a"`},
		{"origin that is none", Extension{TrustedOrigins: []string{"https://a b"}}, `trusted origin "https://a b"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mistaken(t, grafted("p", test.added))
			if !strings.Contains(got, test.want) {
				t.Errorf("%s\nwant %s", got, test.want)
			}
			if !strings.Contains(got, "plugin p") && !strings.Contains(got, `column "a"`) && !strings.Contains(got, "references") {
				t.Errorf("nobody is named: %s", got)
			}
			if n := strings.Count(got, test.want); n != 1 {
				t.Errorf("said %d times: %s", n, got)
			}
		})
	}
}

// A rested plugin has an endpoint that it makes only once.
type rested struct{ Rest *Endpoint[Empty, Empty] }

func (rested) ID() string { return "rested" }

func (p *rested) Extend(*Services) (*Extension, error) {
	if p.Rest == nil {
		p.Rest = NewEndpoint("GET", "/rest", reply200)
	}
	return &Extension{Endpoints: []PluginEndpoint{{Name: "rest", Endpoint: p.Rest}}}, nil
}

// A flag is a plugin that is no struct.
type flag string

func (f flag) ID() string                         { return string(f) }
func (flag) Extend(*Services) (*Extension, error) { return nil, nil }

// TestPluginsThatAreNone: what stands in Config.Plugins is one plugin each, of one
// instance.
func TestPluginsThatAreNone(t *testing.T) {
	seal := grafted("a", Extension{SessionSeal: plainSeal{}})
	for _, test := range []struct {
		name    string
		plugins []Plugin
		want    string
	}{
		{"nil", []Plugin{flag("a"), nil}, "auth: Config.Plugins[1] is nil"},
		{"nil pointer", []Plugin{(*graft)(nil)}, "auth: Config.Plugins[0] is a nil *auth.graft"},
		{"no ID", []Plugin{flag("")}, "auth: Config.Plugins[0] has no ID, it is a auth.flag"},
		{"same ID", []Plugin{flag("a"), flag("b"), flag("a")}, `auth: Config.Plugins[2] is the second plugin with the ID "a"`},
		{"mistake in options", []Plugin{&graft{id: "a", extend: func(*Services) (*Extension, error) { return nil, errors.New("Issuer is missing") }}}, "auth: plugin a: Issuer is missing"},
		{"two seals", []Plugin{seal, grafted("b", Extension{SessionSeal: plainSeal{}})}, "auth: plugins a and b both have a SessionSeal"},
		{"column of another plugin", []Plugin{
			grafted("a", Extension{Columns: map[string][]Column{"user": {{Name: "x", Type: TypeString, Optional: true}}}}),
			grafted("b", Extension{Columns: map[string][]Column{"user": {{Name: "x", Type: TypeString, Optional: true}}}}),
		}, "auth: plugin b adds the column user.x, which is one of plugin a"},
		{"endpoint of another plugin", []Plugin{
			grafted("a", Extension{Endpoints: []PluginEndpoint{{Name: "x", Endpoint: at("GET", "/x/:a")}}}),
			grafted("b", Extension{Endpoints: []PluginEndpoint{{Name: "y", Endpoint: at("GET", "/x/:b")}}}),
		}, `auth: plugin b: endpoint "y": GET /x/:b is taken by endpoint "x" at /x/:a`},
		{"table of another plugin", []Plugin{
			grafted("a", Extension{Tables: []PluginTable{textTable("x")}}), grafted("b", Extension{Tables: []PluginTable{textTable("x")}}),
		}, `auth: plugin b: there is a table "x" already`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := mistaken(t, test.plugins...); !strings.Contains(got, test.want) {
				t.Errorf("%s\nwant %s", got, test.want)
			}
		})
	}
}

// plainSeal seals nothing.
type plainSeal struct{}

func (plainSeal) Seal(_ context.Context, object []byte, expiresAt time.Time) (string, error) {
	return expiresAt.UTC().Format(time.RFC3339) + string(object), nil
}

func (plainSeal) Open(_ context.Context, value string) ([]byte, time.Time, bool) {
	if len(value) < 20 {
		return nil, time.Time{}, false
	}
	expiresAt, err := time.Parse(time.RFC3339, value[:20])
	return []byte(value[20:]), expiresAt, err == nil
}

// TestPluginOfTwoInstances: a value that works for one instance cannot be given to
// another, whose store it would then write to.
func TestPluginOfTwoInstances(t *testing.T) {
	records := textTable("entry")
	for _, plugin := range []Plugin{
		grafted("services", Extension{}),
		&rested{},
		grafted("records", Extension{Tables: []PluginTable{records}}),
	} {
		broken := Config{BaseURL: testOrigin, Plugins: []Plugin{plugin}}
		if _, err := New(broken); err == nil || strings.Contains(err.Error(), "another instance") {
			t.Errorf("%s: New without a secret: %v", plugin.ID(), err)
		}
		if plugin.ID() == "records" { // were opened, though in vain
			records.schema, records.records = nil, nil
		}
		newWorld(t, func(c *Config) { c.Plugins = []Plugin{plugin} })
		if got := mistaken(t, plugin); !strings.Contains(got, "belongs to another instance already") {
			t.Errorf("%s: %s", plugin.ID(), got)
		}
	}
}

// TestPluginMistakesAreJoined: those of plugins and those of the configuration come
// together.
func TestPluginMistakesAreJoined(t *testing.T) {
	_, err := New(Config{BaseURL: "ftp://x", Secret: "short", Plugins: []Plugin{
		nil,
		&graft{id: "first", extend: func(*Services) (*Extension, error) { return nil, errors.New("no issuer") }},
		grafted("second", Extension{
			Endpoints: []PluginEndpoint{{Name: "signOut", Endpoint: at("POST", "x")}, {}},
			RateRules: map[string]RateRule{"x": {}}, Before: []RouteHook{{}},
			Columns: map[string][]Column{"nothing": {{Name: "a", Type: TypeString}}},
		}),
	}})
	for _, want := range []string{"BaseURL", "Secret", "Store", "Plugins[0]", "no issuer", "does not begin with a slash", "no Endpoint", `rule "x"`, "no Run", `table "nothing"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not mention %s", err, want)
		}
	}
}

// TestPluginsLeaveTheirDeclarationsAlone: what a plugin declares can be declared for
// two instances, even if another plugin adds to it in one.
func TestPluginsLeaveTheirDeclarationsAlone(t *testing.T) {
	type entry struct {
		ID     string         `db:"id"`
		Text   string         `db:"text"`
		Fields map[string]any `db:",extra"`
	}
	table := &Table{Name: "entry", Columns: make([]Column, 1, 5)}
	table.Columns[0] = Column{Name: "text", Type: TypeString}
	owner := func() Plugin { return grafted("owner", Extension{Tables: []PluginTable{NewRecords[entry](table)}}) }
	more := grafted("more", Extension{Columns: map[string][]Column{"entry": {{Name: "extra", Type: TypeString, Optional: true}}}})
	newWorld(t, func(c *Config) { c.Plugins = []Plugin{owner(), more} })
	newWorld(t, func(c *Config) { c.Plugins, c.IDs = []Plugin{owner()}, IDUUID })
	if len(table.Columns) != 1 || table.IDs != IDText || table.Columns[:2][1].Name != "" {
		t.Errorf("the declaration is %+v now", table)
	}
}

// TestPluginPathsBesideThoseOfTheCore: a path without parameters goes before one with
// some, and methods are apart.
func TestPluginPathsBesideThoseOfTheCore(t *testing.T) {
	says := func(text string) func(context.Context, Empty) (string, error) {
		return func(context.Context, Empty) (string, error) { return text, nil }
	}
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{grafted("p", Extension{Endpoints: []PluginEndpoint{
			{Name: "any", Endpoint: NewEndpoint("GET", "/x/:id", says("any"))},
			{Name: "one", Endpoint: NewEndpoint("GET", "/x/one", says("one"))},
			{Name: "post", Endpoint: NewEndpoint("POST", "/x/one", says("post"))},
			{Name: "inside", Endpoint: NewEndpoint("POST", "", says("inside"))},
			{Name: "inside2", Endpoint: NewEndpoint("POST", "", says("inside2"))},
			{Name: "getOut", Endpoint: NewEndpoint("GET", "/sign-out", says("out"))},
		}})}
	})
	b := w.browser()
	for path, want := range map[string]string{"/x/1": `"any"`, "/x/one": `"one"`, "/sign-out": `"out"`} {
		if got := b.get(path).ok(t).body; got != want {
			t.Errorf("GET %s: %s", path, got)
		}
	}
	if got := b.post("/x/one", "{}").ok(t).body; got != `"post"` {
		t.Errorf("POST: %s", got)
	}
	if got := b.post("/inside", "{}"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a server-only endpoint answers %d", got.StatusCode)
	}
	if out, err := w.API.Operation("inside").CallJSON(t.Context(), nil); string(out) != `"inside"` || err != nil {
		t.Errorf("%s, %v", out, err)
	}
}
