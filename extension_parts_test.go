package auth

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestPluginDatabaseHooks: those of plugins in their order, then the application's,
// which see what the plugins changed. Who refuses keeps the others from being asked.
func TestPluginDatabaseHooks(t *testing.T) {
	var l trace
	around := func(name string) DatabaseHooks {
		tell := func(what string) { l.lines = append(l.lines, name+what) }
		return DatabaseHooks{User: EntityHooks[User]{
			BeforeCreate: func(_ context.Context, u *User) error {
				tell("+")
				u.Fields["seen"] = text(u.Fields["seen"]) + name
				if u.Name == "not "+name {
					return ErrAborted
				}
				return nil
			},
			AfterCreate: func(context.Context, *User) { tell("created") },
			BeforeUpdate: func(_ context.Context, changes map[string]any) error {
				tell("~")
				changes["seen"] = text(changes["seen"]) + name
				return nil
			},
			AfterUpdate:  func(context.Context, *User) { tell("updated") },
			BeforeDelete: func(context.Context, *User) error { tell("-"); return nil },
			AfterDelete:  func(context.Context, *User) { tell("deleted") },
		}}
	}
	w := newWorld(t, func(c *Config) {
		c.DatabaseHooks = around("app")
		c.Plugins = []Plugin{
			grafted("a", Extension{DatabaseHooks: around("a"), Columns: map[string][]Column{"user": {{Name: "seen", Type: TypeString, Optional: true}}}}),
			grafted("b", Extension{DatabaseHooks: around("b")}),
		}
	})
	ann := w.as("ann")
	if got := l.take(); got != "a+ b+ app+ acreated bcreated appcreated" {
		t.Errorf("creation: %s", got)
	}
	if got := ann.get("/get-session").field(t, "user.seen"); got != "abapp" {
		t.Errorf("made %v", got)
	}
	ann.post("/update-user", `{"name":"Ann","seen":"x"}`).ok(t)
	if got := l.take(); got != "a~ b~ app~ aupdated bupdated appupdated" || ann.get("/get-session").field(t, "user.seen") != "xabapp" {
		t.Errorf("update: %s", got)
	}
	ann.post("/delete-user", credentials("ann")).ok(t)
	if got := l.take(); got != "a- b- app- adeleted bdeleted appdeleted" {
		t.Errorf("deletion: %s", got)
	}
	body := credentials("bob")
	body["name"] = "not b"
	if got := w.browser().post("/sign-up/email", body); got.StatusCode != http.StatusBadRequest || l.take() != "a+ b+" {
		t.Errorf("refusal: %d %s", got.StatusCode, got.body)
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// TestPluginColumns: columns of plugins have the rules of those of the application,
// and stand in front of them.
func TestPluginColumns(t *testing.T) {
	short := func(v any) error {
		if len(text(v)) > 3 {
			return errors.New("too long")
		}
		return nil
	}
	w := newWorld(t, func(c *Config) {
		c.User.Fields = []Column{{Name: "own", Type: TypeString, Optional: true}}
		c.Plugins = []Plugin{grafted("p", Extension{Columns: map[string][]Column{
			"user": {
				{Name: "needed", Type: TypeString},
				{Name: "rank", Type: TypeNumber, ServerOnly: true, Default: func() any { return 1 }},
				{Name: "badge", Type: TypeString, ServerOnly: true, Optional: true},
				{Name: "note", Type: TypeString, Hidden: true, Optional: true},
				{Name: "handle", Type: TypeString, Unique: true, Optional: true, Transform: func(v any) any { return strings.ToUpper(text(v)) }},
				{Name: "code", Type: TypeString, Optional: true, Validate: short},
			},
			"session": {
				{Name: "device", Type: TypeString, Optional: true},
				{Name: "secret", Type: TypeString, Hidden: true, Optional: true, Default: func() any { return "s" }},
			},
		}})}
	})
	join := func(name string, more map[string]any) reply {
		body := credentials(name)
		for key, value := range more {
			body[key] = value
		}
		return w.browser().post("/sign-up/email", body)
	}
	got := join("ann", map[string]any{"needed": "x", "rank": 9, "note": "hidden", "handle": "ann", "own": "o"}).ok(t)
	if !strings.Contains(got.body, `"needed":"x","rank":1,"badge":null,"handle":"ANN","code":null,"own":"o","id":`) {
		t.Errorf("sign-up: %s", got.body)
	}
	join("bob", nil).fails(t, 400, ErrMissingField)
	join("bob", map[string]any{"needed": "x", "badge": "gold"}).fails(t, 400, ErrFieldNotAllowed)
	join("bob", map[string]any{"needed": "x", "code": "long"}).fails(t, 400, ErrValidation)
	join("bob", map[string]any{"needed": "x", "handle": "Ann"}).fails(t, 422, ErrFailedToCreateUser)
	ann := w.signIn("ann")
	ann.post("/update-session", `{"device":"loom"}`).ok(t)
	if got := ann.get("/get-session").ok(t); got.field(t, "session.device") != "loom" || strings.Contains(got.body, "secret") || strings.Contains(got.body, "hidden") {
		t.Errorf("get-session: %s", got.body)
	}
	user, err := w.core.userByEmail(t.Context(), "ann@example.com")
	if err != nil || user.Fields["note"] != "hidden" {
		t.Errorf("stored %v, %v", user, err)
	}
}

type teamRow struct {
	ID     string         `db:"id"`
	Name   string         `db:"name"`
	Fields map[string]any `db:",extra"`
}

type memberRow struct {
	ID      string    `db:"id"`
	TeamID  string    `db:"teamId"`
	UserID  string    `db:"userId"`
	Visits  int64     `db:"visits"`
	Expires time.Time `db:"expiresAt"`
}

func newTeams() (teams *Records[teamRow], members *Records[memberRow]) {
	return NewRecords[teamRow](&Table{Name: "team", Columns: []Column{{Name: "name", Type: TypeString, Unique: true}}}),
		NewRecords[memberRow](&Table{Name: "member", Expires: "expiresAt", Columns: []Column{
			{Name: "teamId", Type: TypeString, References: "team"},
			{Name: "userId", Type: TypeString, References: "user", Index: true},
			{Name: "visits", Type: TypeNumber},
			{Name: "expiresAt", Type: TypeDate},
		}})
}

// TestPluginTables: a plugin's rows are found, changed and counted, and go with what
// they reference; another plugin may add columns.
func TestPluginTables(t *testing.T) {
	teams, members := newTeams()
	w := newWorld(t, func(c *Config) {
		owner := grafted("teams", Extension{Tables: []PluginTable{teams, members}})
		c.Plugins = []Plugin{owner, grafted("colors", Extension{Columns: map[string][]Column{"team": {{Name: "color", Type: TypeString, Optional: true, Default: func() any { return "red" }}}}})}
	})
	ctx := t.Context()
	ann := w.as("ann").get("/get-session").field(t, "user.id").(string)
	team := &teamRow{Name: "one"}
	if err := teams.Insert(ctx, team); err != nil || team.ID == "" {
		t.Fatal(team, err)
	}
	if err := teams.Insert(ctx, &teamRow{Name: "one"}); !errors.Is(err, ErrConflict) {
		t.Errorf("a taken name: %v", err)
	}
	if found, err := teams.First(ctx, Where("name", "one")); err != nil || found.Fields["color"] != "red" {
		t.Errorf("found %+v, %v", found, err)
	}
	if found, err := teams.First(ctx, Where("name", "two")); found != nil || err != nil {
		t.Errorf("found %+v, %v", found, err)
	}
	if n, err := teams.Update(ctx, map[string]any{"color": "blue"}, Where("id", team.ID)); n != 1 || err != nil {
		t.Errorf("updated %d, %v", n, err)
	}
	later := time.Now().Add(time.Hour)
	for _, visits := range []int64{2, 1} {
		if err := members.Insert(ctx, &memberRow{TeamID: team.ID, UserID: ann, Visits: visits, Expires: later}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := members.Find(ctx, Query{Where: []Condition{Where("userId", ann)}, Order: []Order{{Column: "visits"}}, Limit: 1})
	if err != nil || len(list) != 1 || list[0].Visits != 1 {
		t.Errorf("found %v, %v", list, err)
	}
	counted, err := members.Increment(ctx, map[string]int64{"visits": 1}, map[string]any{"expiresAt": later.Add(time.Hour)}, Where("id", list[0].ID), Condition{Column: "visits", Op: "<", Value: 2})
	if err != nil || counted == nil || counted.Visits != 2 {
		t.Errorf("counted %+v, %v", counted, err)
	}
	if again, err := members.Increment(ctx, map[string]int64{"visits": 1}, nil, Where("id", list[0].ID), Condition{Column: "visits", Op: "<", Value: 2}); again != nil || err != nil {
		t.Errorf("beyond the guard: %+v, %v", again, err)
	}
	if err := w.Transaction(ctx, func(ctx context.Context) error {
		if err := teams.Insert(ctx, &teamRow{Name: "two"}); err != nil {
			return err
		}
		return errSecret
	}); !errors.Is(err, errSecret) {
		t.Error(err)
	}
	if list, err := teams.Find(ctx, Query{}); len(list) != 1 || err != nil {
		t.Errorf("a failed transaction leaves %v, %v", list, err)
	}
	if gone, err := teams.Consume(ctx, Where("name", "one")); gone == nil || gone.Fields["color"] != "blue" || err != nil {
		t.Errorf("consumed %+v, %v", gone, err)
	}
	if gone, err := teams.Consume(ctx, Where("name", "one")); gone != nil || err != nil {
		t.Errorf("consumed twice: %+v, %v", gone, err)
	}
	if n, err := members.Delete(ctx, Where("userId", ann)); n != 0 || err != nil {
		t.Errorf("%d members of a team that is gone, %v", n, err)
	}
}

// TestPluginTablesOfOneInstance: two instances with tables of one name do not meet.
func TestPluginTablesOfOneInstance(t *testing.T) {
	first, second := textTable("note"), textTable("note")
	newWorld(t, func(c *Config) { c.Plugins = []Plugin{grafted("p", Extension{Tables: []PluginTable{first}})} })
	newWorld(t, func(c *Config) { c.Plugins = []Plugin{grafted("p", Extension{Tables: []PluginTable{second}})} })
	if err := first.Insert(t.Context(), &textEntry{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if list, err := second.Find(t.Context(), Query{}); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

// unreachable is a database that nobody can reach.
type unreachable struct{}

func (unreachable) Connect(context.Context) (driver.Conn, error) { return nil, errSecret }

func (unreachable) Driver() driver.Driver { return nil }

// TestPluginSchema: the statements have the plugins' tables and columns, each table
// behind those it references.
func TestPluginSchema(t *testing.T) {
	teams, members := newTeams()
	db := sql.OpenDB(unreachable{})
	t.Cleanup(func() { _ = db.Close() })
	a, err := New(Config{
		BaseURL: testOrigin, Secret: testSecret, Store: NewSQLStore(db, SQLite),
		Plugins: []Plugin{grafted("teams", Extension{
			Tables: []PluginTable{teams, members}, Columns: map[string][]Column{"user": {{Name: "plan", Type: TypeString, Optional: true}}},
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	schema := a.Schema()
	at := -1
	for _, want := range []string{`"user"`, `"plan"`, `"team"`, `"member"`, `"visits"`} {
		next := strings.Index(schema, want)
		if next <= at {
			t.Errorf("%s is at %d of %s", want, next, schema)
		}
		at = next
	}
}

// TestPluginRateRules: a plugin's rule replaces the built-in one, the first plugin's
// counts, and the application's replaces it.
func TestPluginRateRules(t *testing.T) {
	rule := func(max int) RateRule { return RateRule{Window: time.Minute, Max: max} }
	w := newWorld(t, func(c *Config) {
		c.RateLimit = RateLimit{Rules: map[string]RateRule{"/error": rule(4)}}
		c.Plugins = []Plugin{
			grafted("a", Extension{RateRules: map[string]RateRule{"/sign-in/**": rule(5), "/ok": rule(2)}}),
			grafted("b", Extension{RateRules: map[string]RateRule{"/ok": rule(9), "/error": rule(1), "/sign-up/email": {Unlimited: true}}}),
		}
	})
	for _, test := range []struct {
		method, path string
		allowed      int
	}{
		{"POST", "/sign-in/email", 5}, {"GET", "/ok", 2}, {"GET", "/error?error=x", 4}, {"POST", "/sign-up/email", 20},
	} {
		for i := range test.allowed + 1 {
			r := httptest.NewRequest(test.method, testBase+test.path, strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/json")
			limited := w.browser().do(r).StatusCode == http.StatusTooManyRequests
			if limited != (i == test.allowed && test.allowed < 20) {
				t.Errorf("request %d of %s: limited %v", i+1, test.path, limited)
			}
		}
	}
}

// TestPluginTrustedOrigins: they are trusted as those of the application.
func TestPluginTrustedOrigins(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.TrustedOrigins = []string{"https://app.example"}
		c.Plugins = []Plugin{grafted("p", Extension{TrustedOrigins: []string{"https://*.plugin.example"}})}
	})
	ann := w.as("ann")
	for origin, status := range map[string]int{"https://a.plugin.example": 200, "https://app.example": 200, "https://evil.example": 403} {
		ann.header.Set("Origin", origin)
		if got := ann.post("/update-user", `{"name":"x"}`); got.StatusCode != status {
			t.Errorf("%s: %d", origin, got.StatusCode)
		}
	}
}

// TestPluginIntercept: it sees every request that the limit has let pass, before its
// body, and no Call.
func TestPluginIntercept(t *testing.T) {
	var seen []string
	var verdict error
	own := at("POST", "/own")
	w := newWorld(t, func(c *Config) {
		c.DisabledPaths = []string{"/error"}
		c.RateLimit = RateLimit{Rules: map[string]RateRule{"/get-session": {Window: time.Minute, Max: 1}}}
		c.Plugins = []Plugin{
			grafted("a", Extension{Endpoints: []PluginEndpoint{{Name: "own", Endpoint: own}}, Intercept: func(r *http.Request, op Operation) error {
				name := "none"
				if op != nil {
					name = op.Name()
				}
				seen = append(seen, r.Method+" "+name)
				if errors.Is(verdict, errSecret) && r.Header.Get("X-Panic") != "" {
					panic(verdict)
				}
				return verdict
			}}),
			grafted("b", Extension{Intercept: func(*http.Request, Operation) error {
				seen = append(seen, "second")
				return nil
			}}),
		}
	})
	take := func() string {
		text := strings.Join(seen, ", ")
		seen = nil
		return text
	}
	b := w.browser()
	b.get("/ok").ok(t)
	b.post("/own", "{}").ok(t)
	b.get("/nothing")
	if got := take(); got != "GET ok, second, POST own, second, GET none, second" {
		t.Errorf("seen %s", got)
	}
	b.get("/error")
	b.get("/get-session")
	if b.get("/get-session"); take() != "GET getSession, second" {
		t.Error("disabled paths and requests over the limit are seen")
	}
	if _, err := w.API.OK.Call(t.Context(), Empty{}, WithRequest(httptest.NewRequest("GET", "/", nil))); err != nil || take() != "" {
		t.Errorf("a Call is seen: %v", err)
	}
	rec := httptest.NewRecorder()
	own.ServeHTTP(rec, httptest.NewRequest("POST", "/anywhere", strings.NewReader("{")))
	if got := take(); got != "POST own, second" {
		t.Errorf("mounted by itself: %s", got)
	}
	for _, test := range []struct {
		verdict error
		status  int
		body    string
	}{
		{NewError(418, "TEAPOT", "No"), 418, `{"message":"No","code":"TEAPOT"}`},
		{ErrUserNotFound, 400, `{"message":"User not found","code":"USER_NOT_FOUND"}`},
		{errSecret, 500, ""},
	} {
		verdict = test.verdict
		for _, path := range []string{"/own", "/nothing"} {
			if got := b.post(path, "{"); got.StatusCode != test.status || got.body != test.body || take() == "" {
				t.Errorf("%v: %d %s", test.verdict, got.StatusCode, got.body)
			}
		}
	}
	b.header.Set("X-Panic", "1")
	if got := b.post("/own", "{}"); got.StatusCode != 500 || got.body != "" {
		t.Errorf("a panic: %d %s", got.StatusCode, got.body)
	}
}

// TestPluginSessionToken: a session may come elsewhere than in its cookie, wherever
// sessions are read, but not for hooks before an endpoint.
func TestPluginSessionToken(t *testing.T) {
	find := func(key string) func(h http.Header) string {
		return func(h http.Header) string { return h.Get(key) }
	}
	before := ""
	w := newWorld(t, func(c *Config) {
		c.Hooks.Before = func(x *Exchange) error { before = x.RequestHeader("Cookie"); return nil }
		c.Plugins = []Plugin{
			grafted("a", Extension{SessionToken: find("X-Token")}), grafted("b", Extension{SessionToken: find("X-Other")}),
		}
	})
	ann := w.as("ann").get("/get-session").field(t, "session.token").(string)
	bob := w.as("bob")
	token := bob.get("/get-session").field(t, "session.token").(string)
	for _, test := range []struct {
		name   string
		header http.Header
		want   string
	}{
		{"nothing", http.Header{}, ""},
		{"the first plugin", http.Header{"X-Token": {ann}}, "ann"},
		{"the second plugin", http.Header{"X-Other": {token}}, "bob"},
		{"both: the first", http.Header{"X-Token": {ann}, "X-Other": {token}}, "ann"},
		{"in place of a cookie", http.Header{"X-Token": {ann}, "Cookie": {"a=b; " + bob.cookieHeader()}}, "ann"},
		{"unknown", http.Header{"X-Token": {"unknown"}}, ""},
	} {
		r := httptest.NewRequest("GET", testBase+"/get-session", nil)
		r.Header = test.header.Clone()
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		data, err := w.Session(r)
		called, callErr := w.API.GetSession.Call(t.Context(), GetSessionRequest{}, WithHeaders(test.header))
		guarded := ""
		w.RequireSession(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			guarded = SessionFromContext(r.Context()).User.Name
		})).ServeHTTP(httptest.NewRecorder(), r)
		name := func(data *SessionData) string {
			if data == nil {
				return ""
			}
			return data.User.Name
		}
		if err != nil || callErr != nil || name(data) != test.want || name(called) != test.want || guarded != test.want || strings.Contains(rec.Body.String(), `"name":"`) != (test.want != "") {
			t.Errorf("%s: %s; Session %q, Call %q, RequireSession %q; %v %v", test.name, rec.Body, name(data), name(called), guarded, err, callErr)
		}
		if before != test.header.Get("Cookie") {
			t.Errorf("%s: a hook before sees the cookie %q", test.name, before)
		}
	}
}

// A puzzle is the answer of a Challenge.
type puzzle struct {
	Puzzle string `json:"puzzle"`
}

func (*puzzle) Error() string { return "a puzzle is to be solved" }

// TestPluginChallenge: somebody who has proven one factor gets the plugin's answer and
// nothing of a session.
func TestPluginChallenge(t *testing.T) {
	var asked []SignIn
	var answer func(ctx context.Context) (any, error)
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{
			grafted("a", Extension{Challenge: func(ctx context.Context, in *SignIn) (any, error) {
				asked = append(asked, *in)
				return answer(ctx)
			}}),
			grafted("b", Extension{Challenge: func(context.Context, *SignIn) (any, error) {
				asked = append(asked, SignIn{})
				return nil, nil
			}}),
		}
	})
	nothing := func(context.Context) (any, error) { return nil, nil }
	answer = nothing
	w.as("ann")
	if len(asked) != 0 {
		t.Errorf("asked at a sign-up: %v", asked)
	}
	w.signIn("ann")
	if len(asked) != 2 || asked[0].User.Name != "ann" || asked[0].Method != "email" || asked[0].Password == nil || asked[0].DontRemember || asked[0].Redirects {
		t.Errorf("asked %+v", asked)
	}
	sessions := count(t, w, w.core.sessions.table)
	asked, answer = nil, func(ctx context.Context) (any, error) {
		ExchangeFrom(ctx).Header().Set("X-Puzzle", "1")
		return &puzzle{"1+1"}, nil
	}
	got := w.browser().post("/sign-in/email", credentials("ann")).ok(t)
	if got.body != `{"puzzle":"1+1"}` || len(got.Header["Set-Cookie"]) != 0 || got.Header.Get("X-Puzzle") == "" || len(asked) != 1 {
		t.Errorf("HTTP: %s %v", got.body, got.Header)
	}
	in := SignInEmailRequest{Email: "ann@example.com", Password: "password of ann"}
	out, err := w.API.SignInEmail.Call(t.Context(), in)
	if solve := new(puzzle); out != nil || !errors.As(err, &solve) || solve.Puzzle != "1+1" {
		t.Errorf("Call: %v, %v", out, err)
	}
	var resp *http.Response
	if _, err := w.API.SignInEmail.Call(t.Context(), in, AsResponse(&resp)); err != nil || resp.StatusCode != 200 {
		t.Errorf("AsResponse: %v, %v", resp, err)
	} else if body, _ := io.ReadAll(resp.Body); string(body) != `{"puzzle":"1+1"}` {
		t.Errorf("AsResponse: %s", body)
	}
	if out, err := w.API.SignInEmail.CallJSON(t.Context(), []byte(`{"email":"ann@example.com","password":"password of ann"}`)); err != nil || string(out) != `{"puzzle":"1+1"}` {
		t.Errorf("CallJSON: %s, %v", out, err)
	}
	answer = func(context.Context) (any, error) { return map[string]any{"no": "error"}, nil }
	if out, err := w.API.SignInEmail.Call(t.Context(), in); out != nil || err == nil {
		t.Errorf("an answer that is no error: %v, %v", out, err)
	}
	answer = func(ctx context.Context) (any, error) { return nil, ExchangeFrom(ctx).Redirect("/puzzle") }
	if got := w.browser().post("/sign-in/email", credentials("ann")); got.StatusCode != http.StatusFound || got.Header.Get("Location") != "/puzzle" {
		t.Errorf("redirect: %d", got.StatusCode)
	}
	answer = func(context.Context) (any, error) { return nil, errSecret }
	w.browser().post("/sign-in/email", credentials("ann")).fails(t, 500, "")
	asked = nil
	w.browser().post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": "wrong"}).fails(t, 401, ErrInvalidEmailOrPassword)
	if n := count(t, w, w.core.sessions.table); n != sessions || len(asked) != 0 {
		t.Errorf("%d sessions of %d; asked after a wrong password: %v", n, sessions, asked)
	}
}

// TestPluginSessionSeal: a plugin may make the cached copy of sessions.
func TestPluginSessionSeal(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Session.CookieCache.Enabled = true
		c.Plugins = []Plugin{grafted("p", Extension{SessionSeal: plainSeal{}})}
	})
	ann := w.as("ann")
	if value := ann.cookies["better-auth.session_data"]; !strings.Contains(value, "%22session%22") {
		t.Errorf("the copy is %q", value)
	}
	if _, err := w.store.Select(t.Context(), Query{Table: w.core.sessions.table}); err != nil {
		t.Fatal(err)
	}
	w.signIn("ann").post("/revoke-other-sessions", "{}").ok(t)
	if !ann.signedIn() {
		t.Error("the copy does not count")
	}
}

// TestPluginDefaults: what the application has set stays, later plugins see what
// earlier ones have given.
func TestPluginDefaults(t *testing.T) {
	var seen Config
	w := newWorld(t, func(c *Config) {
		c.AppName, c.EmailPassword.MaxLength = "Acme", 20
		c.Plugins = []Plugin{
			grafted("a", Extension{Defaults: func(c *Config) {
				setDefault(&c.AppName, "Other")
				setDefault(&c.EmailPassword.MinLength, 12)
				setDefault(&c.EmailPassword.MaxLength, 99)
			}}),
			&graft{id: "b", extend: func(s *Services) (*Extension, error) {
				seen = s.Config()
				return nil, nil
			}},
		}
	})
	if seen.AppName != "Acme" || seen.EmailPassword.MinLength != 12 || seen.EmailPassword.MaxLength != 20 || seen.Session.ExpiresIn == 0 {
		t.Errorf("seen %+v", seen.EmailPassword)
	}
	for password, status := range map[string]int{"eleven char": 400, "twelve chars": 200, "more than twenty chars": 400} {
		body := credentials("ann")
		body["password"] = password
		if got := w.browser().post("/sign-up/email", body); got.StatusCode != status {
			t.Errorf("%q: %d", password, got.StatusCode)
		}
	}
}
