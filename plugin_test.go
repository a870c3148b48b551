package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A trace is what hooks have written down.
type trace struct{ lines []string }

func (l *trace) hook(name string) Hook {
	return func(x *Exchange) error {
		l.lines = append(l.lines, name)
		return nil
	}
}

func (l *trace) take() string {
	lines := l.lines
	l.lines = nil
	return strings.Join(lines, " ")
}

type textInput struct {
	Text string `json:"text" check:"nonempty"`
}

type textOutput struct {
	Text string `json:"text"`
}

// repeatText answers with what it gets.
func repeatText(_ context.Context, in textInput) (*textOutput, error) {
	return &textOutput{in.Text}, nil
}

// TestPluginHookOrder: the application's, those of the plugins in their order, the
// endpoint's own.
func TestPluginHookOrder(t *testing.T) {
	var l trace
	around := func(name string) Extension {
		return Extension{
			Before: []RouteHook{{Run: l.hook(name + "1")}, {Run: l.hook(name + "2"), Paths: []string{"/echo"}}},
			After:  []RouteHook{{Run: l.hook("after-" + name + "1")}, {Run: l.hook("after-" + name + "2")}},
		}
	}
	own := NewEndpoint("POST", "/echo", repeatText)
	b := around("b")
	b.Endpoints = []PluginEndpoint{{Name: "echo", Endpoint: own}}
	w := newWorld(t, func(c *Config) {
		c.Hooks = Hooks{Before: l.hook("app"), After: l.hook("after-app")}
		c.Plugins = []Plugin{grafted("a", around("a")), grafted("b", b)}
	})
	own.Before(func(context.Context, *textInput) error { return l.hook("own")(nil) })
	own.After(func(context.Context, *textInput, **textOutput) error { return l.hook("after-own")(nil) })
	const all, after = "app a1 a2 b1 b2 own", " after-app after-a1 after-a2 after-b1 after-b2"
	w.browser().post("/echo", `{"text":"x"}`).ok(t)
	if got := l.take(); got != all+after+" after-own" {
		t.Errorf("HTTP: %s", got)
	}
	if _, err := own.Call(t.Context(), textInput{"x"}); err != nil || l.take() != all+after+" after-own" {
		t.Errorf("Call: %v", err)
	}
	w.browser().post("/echo", `{}`).fails(t, 400, ErrValidation)
	if got := l.take(); got != all+after {
		t.Errorf("invalid input: %s", got)
	}
	w.browser().get("/ok").ok(t)
	if got := l.take(); got != "app a1 b1"+after {
		t.Errorf("core: %s", got)
	}
	w.browser().get("/nothing")
	w.browser().post("/echo", "{")
	if got := l.take(); got != "" {
		t.Errorf("no endpoint, no body: %s", got)
	}
}

// TestPluginHookPaths: hooks are for endpoints as they are declared, wherever those
// are mounted.
func TestPluginHookPaths(t *testing.T) {
	var l trace
	on := func(paths ...string) RouteHook {
		return RouteHook{Paths: paths, Run: l.hook(strings.Join(paths, ","))}
	}
	inside := NewEndpoint("POST", "", reply200)
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{grafted("p", Extension{
			Endpoints: []PluginEndpoint{{Name: "inside", Endpoint: inside}},
			Before:    []RouteHook{on(), on("/callback/:id"), on("/callback/acme"), on("/*/email"), on("/**"), on("/ok", "/error"), on("/sign-up/*")},
		})}
	})
	for _, test := range []struct{ path, want string }{
		{"/ok", " /** /ok,/error"},
		{"/callback/acme?state=x", " /callback/:id /**"},
		{"/error?error=x", " /** /ok,/error"},
		{"/get-session", " /**"},
	} {
		if w.browser().get(test.path); l.take() != test.want {
			t.Errorf("%s: want %q", test.path, test.want)
		}
	}
	if w.browser().post("/sign-up/email", "{}"); l.take() != " /*/email /** /sign-up/*" {
		t.Error("globs")
	}
	if _, err := inside.Call(t.Context(), Empty{}); err != nil || l.take() != "" {
		t.Error("a server-only endpoint has hooks without paths only")
	}
	mux := http.NewServeMux()
	mux.Handle("/elsewhere", w.API.OK)
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/elsewhere", nil))
	if got := l.take(); got != " /** /ok,/error" {
		t.Errorf("mounted by itself: %q", got)
	}
}

// TestPluginHookBefore: what a hook before an endpoint does, over HTTP and in a Call.
func TestPluginHookBefore(t *testing.T) {
	var l trace
	var act func(x *Exchange) error
	own := NewEndpoint("POST", "/echo", repeatText)
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{grafted("p", Extension{
			Endpoints: []PluginEndpoint{{Name: "echo", Endpoint: own}},
			Before:    []RouteHook{{Run: func(x *Exchange) error { x.Header().Set("X-Queued", "1"); return act(x) }}, {Run: l.hook("later")}},
			After:     []RouteHook{{Run: l.hook("after")}},
		})}
	})
	refusal := &APIError{Status: 418, Code: "TEAPOT", Header: http.Header{"X-Own": {"1"}}}
	for _, test := range []struct {
		name   string
		act    func(x *Exchange) error
		status int
		body   string
		header string // of those that are set
		ran    string
	}{
		{"nothing", func(*Exchange) error { return nil }, 200, `{"text":"x"}`, "X-Queued", "later after"},
		{"edits", func(x *Exchange) error { x.Input().(*textInput).Text += "y"; return nil }, 200, `{"text":"xy"}`, "X-Queued", "later after"},
		{"spoils", func(x *Exchange) error { x.Input().(*textInput).Text = ""; return nil }, 400, "", "X-Queued", "later after"},
		{"answers", func(x *Exchange) error { x.Answer(&textOutput{"instead"}); return nil }, 200, `{"text":"instead"}`, "X-Queued", ""},
		{"refuses", func(*Exchange) error { return refusal }, 418, `{"code":"TEAPOT"}`, "X-Own", ""},
		{"refuses by a code", func(*Exchange) error { return ErrUserNotFound }, 400, "", "", ""},
		{"redirects", func(x *Exchange) error { return x.Redirect("/there") }, 302, "", "Location", ""},
		{"fails", func(*Exchange) error { return errSecret }, 500, "", "", ""},
		{"panics", func(*Exchange) error { panic(errSecret) }, 500, "", "X-Queued", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			act = test.act
			got := w.browser().post("/echo", `{"text":"x"}`)
			if got.StatusCode != test.status || test.body != "" && got.body != test.body || strings.Contains(got.body, "secret") {
				t.Errorf("HTTP %d %s", got.StatusCode, got.body)
			}
			for _, name := range []string{"X-Queued", "X-Own", "Location"} {
				if (got.Header.Get(name) != "") != (name == test.header) {
					t.Errorf("header %s: %q", name, got.Header.Get(name))
				}
			}
			if ran := l.take(); ran != test.ran {
				t.Errorf("HTTP ran %q", ran)
			}
			out, err := own.Call(t.Context(), textInput{"x"})
			if (err == nil) != (test.status == 200) || (out == nil) != (err != nil) || l.take() != test.ran {
				t.Errorf("Call: %v, %v", out, err)
			}
			if api := apiError(err); api != nil && api.Status != test.status || api == nil && test.status == 418 {
				t.Errorf("Call: %v", err)
			}
		})
	}
}

// TestPluginHookAfter: hooks after an endpoint see how it ended, replace that and
// change headers; no result leaves beside an error.
func TestPluginHookAfter(t *testing.T) {
	own := NewEndpoint("POST", "/echo", func(ctx context.Context, in textInput) (*textOutput, error) {
		switch in.Text {
		case "refuse":
			return &textOutput{"lost"}, &APIError{Status: 409, Code: "NO", Header: http.Header{"X-Endpoint": {"1"}}}
		case "redirect":
			return nil, ExchangeFrom(ctx).Redirect("/there")
		case "fail":
			return nil, errSecret
		}
		return &textOutput{in.Text}, nil
	})
	var first, second Hook
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{
			grafted("a", Extension{Endpoints: []PluginEndpoint{{Name: "echo", Endpoint: own}}, After: []RouteHook{{Run: func(x *Exchange) error { return first(x) }}}}),
			grafted("b", Extension{After: []RouteHook{{Run: func(x *Exchange) error { return second(x) }}}}),
		}
	})
	nothing := func(*Exchange) error { return nil }
	answers := func(x *Exchange) error { x.Answer(&textOutput{"instead"}); return nil }
	refuses := func(*Exchange) error {
		return &APIError{Status: 403, Code: "HOOK", Header: http.Header{"X-Hook": {"1"}, "Set-Cookie": {"hook=1"}}}
	}
	for _, test := range []struct {
		name, text    string
		first, second Hook
		status        int
		body          string
		seen          string // by the second hook
		headers       string
	}{
		{"success", "x", nothing, nothing, 200, `{"text":"x"}`, "<nil> x false", ""},
		{"answer", "x", answers, nothing, 200, `{"text":"instead"}`, "<nil> x true", ""},
		{"refusal", "x", refuses, nothing, 403, `{"code":"HOOK"}`, "HOOK  false", "X-Hook"},
		{"refusal of what was answered", "x", answers, refuses, 403, `{"code":"HOOK"}`, "<nil> x true", "X-Hook"},
		{"answer to a refusal", "x", refuses, answers, 403, `{"text":"instead"}`, "HOOK  false", "X-Hook"},
		{"redirect", "x", func(x *Exchange) error { return x.Redirect("/else") }, nothing, 302, "", " (302)  false", "Location"},
		{"failure", "x", func(*Exchange) error { return errSecret }, nothing, 500, "", "", ""},
		{"panic", "x", func(*Exchange) error { panic(errSecret) }, nothing, 500, "", "", ""},
		{"error", "refuse", nothing, nothing, 409, `{"code":"NO"}`, "NO  false", "X-Endpoint"},
		{"answer to an error", "refuse", answers, nothing, 409, `{"text":"instead"}`, "NO  true", "X-Endpoint"},
		{"refusal of an error", "refuse", refuses, nothing, 409, `{"code":"HOOK"}`, "HOOK  false", "X-Endpoint X-Hook"},
		{"refusal of a redirect", "redirect", refuses, nothing, 403, `{"code":"HOOK"}`, "HOOK  false", "X-Hook"},
		{"internal error", "fail", answers, refuses, 500, "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen := ""
			first, second = test.first, func(x *Exchange) error {
				failure, text := "<nil>", ""
				if api := apiError(x.Failure()); api != nil {
					failure = string(api.Code)
					if api.Code == "" {
						failure = fmt.Sprintf(" (%d)", api.Status)
					}
				}
				if out := *x.Output().(**textOutput); out != nil {
					text = out.Text
				}
				_, answered := x.Answered()
				seen = fmt.Sprint(failure, " ", text, " ", answered)
				return test.second(x)
			}
			got := w.browser().post("/echo", textInput{test.text})
			if got.StatusCode != test.status || got.body != test.body || seen != test.seen {
				t.Errorf("HTTP %d %s, seen %q", got.StatusCode, got.body, seen)
			}
			for _, name := range []string{"X-Hook", "X-Endpoint", "Location"} {
				if n := len(got.Header.Values(name)); (n == 1) != slices.Contains(strings.Fields(test.headers), name) {
					t.Errorf("%s is there %d times", name, n)
				}
			}
			if n := len(got.Header["Set-Cookie"]); (n == 1) != strings.Contains(test.headers, "X-Hook") || n > 1 {
				t.Errorf("cookies %v", got.Header["Set-Cookie"])
			}
			var status int
			out, err := own.Call(t.Context(), textInput{test.text}, ReturnStatus(&status))
			if (err == nil) != (test.status == 200) || (out != nil) != (err == nil) || status != test.status {
				t.Errorf("Call: %v, %v, status %d", out, err, status)
			}
		})
	}
}

// TestExposedHeaders: the list of headers that scripts may read grows, whoever adds
// to it.
func TestExposedHeaders(t *testing.T) {
	own := NewEndpoint("POST", "/echo", func(ctx context.Context, in textInput) (Empty, error) {
		ExchangeFrom(ctx).SetExposed("X-A", "1")
		ExchangeFrom(ctx).SetExposed("x-a", "2")
		if in.Text == "refuse" {
			return Empty{}, &APIError{Status: 409, Header: http.Header{"X-C": {"1"}, "Access-Control-Expose-Headers": {"X-C, x-b,"}}}
		}
		return Empty{}, nil
	})
	hook := RouteHook{Run: func(x *Exchange) error { x.SetExposed("X-B", "1"); return nil }}
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{grafted("p", Extension{Endpoints: []PluginEndpoint{{Name: "echo", Endpoint: own}}, Before: []RouteHook{hook}, After: []RouteHook{hook}})}
	})
	for text, want := range map[string]string{"x": "X-B, X-A", "refuse": "X-B, X-A, X-C"} {
		got := w.browser().post("/echo", textInput{text})
		if list := got.Header["Access-Control-Expose-Headers"]; len(list) != 1 || list[0] != want || got.Header.Get("X-A") != "2" {
			t.Errorf("%s: %q", text, list)
		}
	}
}

// TestPluginEndpointOptions: what is declared of an endpoint stands in front of it.
func TestPluginEndpointOptions(t *testing.T) {
	type query struct {
		Next string `query:"next,omitempty"`
	}
	w := newWorld(t, func(c *Config) {
		c.Plugins = []Plugin{grafted("p", Extension{Endpoints: []PluginEndpoint{
			{Name: "plain", Endpoint: NewEndpoint("POST", "/plain", repeatText)},
			{Name: "form", Endpoint: NewEndpoint("POST", "/form", repeatText), AcceptForms: true},
			{Name: "bodyless", Endpoint: NewEndpoint("POST", "/bodyless", reply200), OptionalBody: true},
			{Name: "guarded", Endpoint: NewEndpoint("POST", "/guarded", repeatText), FormGuard: true},
			{Name: "next", Endpoint: NewEndpoint("GET", "/next", func(_ context.Context, in query) (string, error) { return in.Next, nil }), RedirectQuery: []string{"next"}},
			{Name: "secret", Endpoint: at("GET", "/secret"), NoStore: true},
			{Name: "headers", Endpoint: at("GET", "/headers"), NeedHeaders: true},
		}})}
	})
	send := func(path, contentType, body string, header ...string) reply {
		r := httptest.NewRequest("POST", testBase+path, strings.NewReader(body))
		if body == "" {
			r = httptest.NewRequest("POST", testBase+path, nil)
		}
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		b := w.browser()
		b.header = http.Header{}
		for i := 0; i < len(header); i += 2 {
			b.header.Set(header[i], header[i+1])
		}
		return b.do(r)
	}
	const form, asJSON = "application/x-www-form-urlencoded", "application/json"
	send("/plain", form, "text=x").fails(t, 415, "UNSUPPORTED_MEDIA_TYPE")
	send("/form", form, "text=x").ok(t)
	send("/form", asJSON, `{"text":"x"}`).ok(t)
	send("/plain", "", "").fails(t, 400, ErrValidation)
	send("/bodyless", "", "").ok(t)
	evil := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", "https://evil.example"}
	send("/plain", asJSON, `{"text":"x"}`, evil...).ok(t)
	if got := send("/guarded", asJSON, `{"text":"x"}`, evil...); got.StatusCode != http.StatusForbidden {
		t.Errorf("a guarded endpoint answers a form elsewhere with %d", got.StatusCode)
	}
	send("/guarded", asJSON, `{"text":"x"}`, "Origin", testOrigin).ok(t)
	w.browser().get("/next?next=/home").ok(t)
	w.browser().get("/next").ok(t)
	w.browser().get("/next?next=https://evil.example").fails(t, 403, "INVALID_CALLBACK_URL")
	if out, err := w.API.Operation("next").CallJSON(t.Context(), []byte(`{"next":"https://evil.example"}`)); err != nil || string(out) != `"https://evil.example"` {
		t.Errorf("a Call is no browser: %s, %v", out, err)
	}
	if got := w.browser().get("/secret").ok(t); got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", got.Header)
	}
	w.browser().get("/headers").ok(t)
	headers := w.API.Operation("headers")
	if _, err := headers.CallJSON(t.Context(), nil); !errors.Is(err, ErrValidation) {
		t.Errorf("without headers: %v", err)
	}
	if _, err := headers.CallJSON(t.Context(), nil, WithHeaders(http.Header{})); err != nil {
		t.Errorf("with headers: %v", err)
	}
}

// TestPluginSessionLevels: what each level accepts, over HTTP and in a Call.
func TestPluginSessionLevels(t *testing.T) {
	levels := map[string]SessionLevel{"none": SessionNone, "required": SessionRequired, "stored": SessionStored, "fresh": SessionFresh}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, w *world, ann *browser)
		status map[string]int
	}{
		{"nobody", func(_ *testing.T, _ *world, b *browser) { clear(b.cookies) }, map[string]int{"none": 200, "required": 401, "stored": 401, "fresh": 401}},
		{"a new session", func(*testing.T, *world, *browser) {}, map[string]int{"none": 200, "required": 200, "stored": 200, "fresh": 200}},
		{"a day later", func(t *testing.T, _ *world, b *browser) {
			time.Sleep(25 * time.Hour)
			b.get("/get-session").ok(t)
		}, map[string]int{"none": 200, "required": 200, "stored": 200, "fresh": 403}},
		{"revoked, with a copy", func(t *testing.T, w *world, _ *browser) {
			w.signIn("ann").post("/revoke-other-sessions", "{}").ok(t)
		}, map[string]int{"none": 200, "required": 200, "stored": 401, "fresh": 200}}, // as in the original
	} {
		for name, level := range levels {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var seen, asked *SessionData
					var p *graft
					who := NewEndpoint("GET", "/who", func(ctx context.Context, _ Empty) (_ Empty, err error) {
						seen = SessionFromContext(ctx)
						asked, err = p.s.Session(ctx, level)
						return Empty{}, err
					})
					p = grafted("p", Extension{Endpoints: []PluginEndpoint{{Name: "who", Endpoint: who, Session: level}}})
					w := newWorld(t, func(c *Config) {
						c.Plugins, c.Session.CookieCache.Enabled = []Plugin{p}, true
					})
					ann := w.as("ann")
					test.change(t, w, ann)
					if got := ann.get("/who"); got.StatusCode != test.status[name] {
						t.Errorf("HTTP %d %s", got.StatusCode, got.body)
					}
					seen, asked = nil, nil
					_, err := who.Call(t.Context(), Empty{}, WithHeaders(ann.headers()))
					if api := apiError(err); (api == nil) != (test.status[name] == 200) || api != nil && api.Status != test.status[name] {
						t.Errorf("Call: %v", err)
					}
					if err == nil && level != SessionNone && (seen == nil || seen.User.Name != "ann" || asked == nil) {
						t.Errorf("seen %v, asked %v", seen, asked)
					}
				})
			})
		}
	}
}
