package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	testSecret = "better-auth-test-secret-0123456789"
	testOrigin = "http://localhost:3000"
	testBase   = testOrigin + "/api/auth"
)

// world is an instance with a mailbox and a log that tests can look into.
type world struct {
	*Auth
	t     *testing.T
	store *MemoryStore
	mails []Mail
	log   bytes.Buffer
}

// plainHasher keeps tests that are not about hashing fast.
type plainHasher struct{}

func (plainHasher) Hash(_ context.Context, password string) (string, error) {
	return "plain:" + password, nil
}

func (plainHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == "plain:"+password, nil
}

// newWorld makes an instance with every optional flow switched on, changed by
// edit.
func newWorld(t *testing.T, edit ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, store: NewMemoryStore()}
	mail := func(_ context.Context, m Mail) error {
		w.mails = append(w.mails, m)
		return nil
	}
	config := Config{
		BaseURL: testOrigin, Secret: testSecret, Store: w.store,
		EmailPassword:     EmailPassword{Enabled: true, SendResetPassword: mail},
		EmailVerification: EmailVerification{Send: mail},
		User: UserOptions{
			ChangeEmail: ChangeEmail{Enabled: true},
			Delete:      DeleteUser{Enabled: true},
		},
		Passwords: Passwords{Hasher: plainHasher{}},
		RateLimit: RateLimit{Disabled: true},
		Logger:    slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	for _, e := range edit {
		e(&config)
	}
	a, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	w.Auth = a
	return w
}

// browser keeps cookies between requests, as browsers do.
type browser struct {
	*world
	cookies map[string]string
	header  http.Header // sent with every request
}

func (w *world) browser() *browser {
	return &browser{w, map[string]string{}, http.Header{"Origin": {testOrigin}}}
}

// reply is a response that was read.
type reply struct {
	*http.Response
	body string
}

func (b *browser) post(path string, body any) reply {
	b.t.Helper()
	text, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		text = string(raw)
	}
	r := httptest.NewRequest(http.MethodPost, testBase+path, strings.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	return b.do(r)
}

func (b *browser) get(path string) reply {
	b.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, testBase+path, nil))
}

// follow opens a link from a mail.
func (b *browser) follow(link string) reply {
	b.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, link, nil))
}

func (b *browser) do(r *http.Request) reply {
	b.t.Helper()
	for key, values := range b.header {
		r.Header[key] = values
	}
	if len(b.cookies) > 0 {
		r.Header.Set("Cookie", b.cookieHeader())
	}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, r)
	b.keep(rec.Result().Cookies())
	return reply{rec.Result(), rec.Body.String()}
}

func (b *browser) cookieHeader() string {
	var pairs []string
	for name, value := range b.cookies {
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "; ")
}

func (b *browser) keep(cookies []*http.Cookie) {
	for _, c := range cookies {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c.Value
	}
}

// headers are those of a request of this browser, for direct calls.
func (b *browser) headers() http.Header {
	return http.Header{"Cookie": {b.cookieHeader()}, "User-Agent": {"test"}}
}

// as signs a browser up as somebody and returns it.
func (w *world) as(name string) *browser {
	w.t.Helper()
	b := w.browser()
	b.post("/sign-up/email", credentials(name)).ok(w.t)
	return b
}

func credentials(name string) map[string]any {
	return map[string]any{"name": name, "email": name + "@example.com", "password": "password of " + name}
}

// signIn signs a new browser in as somebody who has signed up.
func (w *world) signIn(name string) *browser {
	w.t.Helper()
	b := w.browser()
	b.post("/sign-in/email", credentials(name)).ok(w.t)
	return b
}

func (r reply) ok(t *testing.T) reply {
	t.Helper()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", r.StatusCode, r.body)
	}
	return r
}

// fails checks status and code; without a code the body must be empty.
func (r reply) fails(t *testing.T, status int, code Code) reply {
	t.Helper()
	var got struct{ Code Code }
	if r.body != "" {
		if err := json.Unmarshal([]byte(r.body), &got); err != nil {
			t.Fatalf("body %q: %v", r.body, err)
		}
	}
	if r.StatusCode != status || got.Code != code {
		t.Errorf("answer %d %s, want %d %s", r.StatusCode, r.body, status, code)
	}
	return r
}

// field returns a member of the JSON body, by dotted path.
func (r reply) field(t *testing.T, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	for key := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("no %s in %s", path, r.body)
		}
		v = object[key]
	}
	return v
}

// cookie returns the Set-Cookie line for a name, empty if there is none.
func (r reply) cookie(name string) string {
	for _, line := range r.Header["Set-Cookie"] {
		if strings.HasPrefix(line, name+"=") {
			return line
		}
	}
	return ""
}

// lastMail returns the newest mail.
func (w *world) lastMail() Mail {
	w.t.Helper()
	if len(w.mails) == 0 {
		w.t.Fatal("no mail was sent")
	}
	return w.mails[len(w.mails)-1]
}

func (b *browser) signedIn() bool {
	b.t.Helper()
	return b.get("/get-session").ok(b.t).body != "null"
}

func TestNewReportsAllMistakesAtOnce(t *testing.T) {
	_, err := New(Config{
		BaseURL: "ftp://example.com", Secret: "short",
		TrustedOrigins: []string{"https://exa mple.com"},
		Cookies:        Cookies{AlwaysSecure: true, NeverSecure: true, Prefix: "bad prefix"},
		Session:        SessionOptions{ExpiresIn: -1, Fields: []Column{{Name: "token"}}},
		DisabledPaths:  []string{"ok"},
		ClientAddress:  ClientAddress{TrustedProxies: []string{"nowhere"}},
		EmailPassword:  EmailPassword{MinLength: 9, MaxLength: 8},
	})
	for _, want := range []string{"BaseURL", "Secret", "Store", "exa mple", "AlwaysSecure", "bad prefix", "ExpiresIn", "session", "DisabledPaths", "nowhere", "EmailPassword"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %s", err, want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	for _, tt := range []struct{ baseURL, basePath, request, reason string }{
		{"http://h", "", "/api/auth/ok", "the default path"},
		{"http://h/", "", "/api/auth/ok", "a slash is no path"},
		{"http://h/auth", "/x", "/auth/ok", "a path in the URL goes before BasePath"},
		{"http://h", "/", "/ok", "no base path"},
		{"http://h", "/v1/auth/", "/v1/auth/ok", "a trailing slash is dropped"},
	} {
		w := newWorld(t, func(c *Config) { c.BaseURL, c.BasePath = tt.baseURL, tt.basePath })
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest("GET", tt.request, nil))
		if rec.Body.String() != `{"ok":true}` {
			t.Errorf("%s: GET %s answers %d", tt.reason, tt.request, rec.Code)
		}
	}
}

func TestBaseURLMistakes(t *testing.T) {
	for _, c := range []Config{{BaseURL: "http://h?"}, {BaseURL: "http://u@h"}, {BaseURL: "http://h", BasePath: "/my auth"}, {BaseURL: "http://h", BasePath: "/käse"}, {BaseURL: "http://h", BasePath: "auth"}, {BaseURL: "http://h/a%2Fb"}} {
		if u, err := c.base(); err == nil {
			t.Errorf("%+v gives %v", c.BaseURL+c.BasePath, u)
		}
	}
}

// TestUnknownPathsShareACount: inventing paths does not help a client to more
// requests.
func TestUnknownPathsShareACount(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.RateLimit = RateLimit{Max: 5} })
	for i := range 6 {
		if r := w.browser().get("/" + strings.Repeat("x", i+1)); r.StatusCode != map[bool]int{true: 404, false: 429}[i < 5] {
			t.Errorf("request %d: %d", i+1, r.StatusCode)
		}
	}
	w = newWorld(t, func(c *Config) { c.RateLimit, c.ClientAddress.Disabled = RateLimit{Max: 1}, true })
	for range 3 {
		w.browser().get("/ok").ok(t) // nobody can be told apart
	}
}

func TestRouting(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.DisabledPaths = []string{"/sign-out"} })
	for _, tt := range []struct {
		method, path string
		status       int
		body, reason string
	}{
		{"GET", "/ok", 200, `{"ok":true}`, "a route"},
		{"GET", "/ok?x=1", 200, `{"ok":true}`, "a query is no part of the path"},
		{"GET", "/unknown", 404, "", "no route"},
		{"POST", "/ok", 404, "", "there is no 405"},
		{"HEAD", "/ok", 404, "", "HEAD is no GET"},
		{"OPTIONS", "/ok", 404, "", "CORS is not our business"},
		{"GET", "//ok", 404, "", "GHSA-x732: doubled slashes are no route"},
		{"GET", "/ok/", 404, "", "a trailing slash is another path"},
		{"GET", "/%6Fk", 404, "", "paths are compared as sent"},
		{"GET", "", 404, "", "the base path itself"},
		{"GET", "/reset-password/", 404, "", "an empty parameter"},
		{"POST", "/set-password", 404, "", "a server-only endpoint has no URL"},
		{"POST", "/sign-out", 404, "Not Found", "a disabled path"},
		{"POST", "/sign-out///", 404, "Not Found", "a disabled path with slashes"},
	} {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest(tt.method, testBase+tt.path, nil))
		if rec.Code != tt.status || rec.Body.String() != tt.body {
			t.Errorf("%s: %s %s answers %d %q", tt.reason, tt.method, tt.path, rec.Code, rec.Body)
		}
		if ct := rec.Header().Get("Content-Type"); rec.Code == 404 && tt.body == "" && ct != "" {
			t.Errorf("%s: a 404 has Content-Type %q", tt.reason, ct)
		}
	}
}

func TestSkipTrailingSlashes(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.SkipTrailingSlashes = true })
	w.browser().get("/ok/").ok(t)
	w.browser().get("/ok//").fails(t, 404, "")
}

func TestOperationsByName(t *testing.T) {
	w := newWorld(t)
	names := map[string]bool{}
	for _, op := range w.API.Operations() {
		if op.Name() == "" || names[op.Name()] || w.API.Operation(op.Name()) != op {
			t.Errorf("operation %q cannot be found by its name", op.Name())
		}
		names[op.Name()] = true
	}
	if w.API.Operation("nothing") != nil {
		t.Error("an unknown name finds an operation")
	}
	out, err := w.API.Operation("ok").CallJSON(t.Context(), nil)
	if err != nil || string(out) != `{"ok":true}` {
		t.Errorf("CallJSON: %s, %v", out, err)
	}
}

func TestSingleEndpointMounted(t *testing.T) {
	w := newWorld(t)
	w.as("ann")
	mux := http.NewServeMux()
	mux.Handle("POST /login", w.API.SignInEmail)
	mux.Handle("GET /reset/{token}", w.API.RequestPasswordResetCallback)
	mux.Handle("/any", w.API.SignOut)
	serve := func(method, target, body string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, testOrigin+target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		return rec
	}
	login, _ := json.Marshal(credentials("ann"))
	if rec := serve("POST", "/login", string(login)); rec.Code != 200 {
		t.Errorf("sign-in: %d %s", rec.Code, rec.Body)
	}
	if rec := serve("POST", "/login", string(login), "Origin", "https://evil.example"); rec.Code != 403 {
		t.Errorf("a foreign form: %d, the guards must come along", rec.Code)
	}
	if rec := serve("GET", "/reset/abc?callbackURL=/x", ""); rec.Header().Get("Location") != testOrigin+"/x?error=INVALID_TOKEN" {
		t.Errorf("a path parameter of ServeMux: %d %v", rec.Code, rec.Header())
	}
	if rec := serve("GET", "/reset/abc?callbackURL=https://evil.example", ""); rec.Code != 403 {
		t.Errorf("a foreign redirect: %d", rec.Code)
	}
	if rec := serve("GET", "/any", ""); rec.Code != 405 || rec.Header().Get("Allow") != "POST" {
		t.Errorf("a wrong method: %d %v", rec.Code, rec.Header())
	}
}

func TestRateLimitOnSingleEndpoint(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.RateLimit = RateLimit{} })
	for i := range 4 {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/login", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		w.API.SignInEmail.ServeHTTP(rec, r)
		if want := map[bool]int{true: 400, false: 429}[i < 3]; rec.Code != want {
			t.Errorf("request %d: %d, want %d", i+1, rec.Code, want)
		}
	}
	in := SignInEmailRequest{Email: "a@b.co", Password: "x"}
	same, other := httptest.NewRequest("POST", "/", nil), httptest.NewRequest("POST", "/", nil)
	other.RemoteAddr = "198.51.100.1:1234"
	for _, tt := range []struct {
		options []CallOption
		calls   int
		want    int
		reason  string
	}{
		{nil, 10, 401, "direct calls are not limited"},
		{[]CallOption{WithRateLimit()}, 10, 401, "nor those for nobody"},
		{[]CallOption{WithRateLimit(), WithHeaders(http.Header{"X-Forwarded-For": {"192.0.2.1"}})}, 1, 429, "headers of a proxy name the client"},
		{[]CallOption{WithRateLimit(), WithRequest(same)}, 1, 429, "a page shares the count"},
		{[]CallOption{WithRateLimit(), WithRequest(other)}, 3, 401, "other clients have their own"},
	} {
		for range tt.calls {
			if _, err := w.API.SignInEmail.Call(t.Context(), in, tt.options...); apiError(err) == nil || apiError(err).Status != tt.want {
				t.Errorf("%s: %v", tt.reason, err)
			}
		}
	}
}
