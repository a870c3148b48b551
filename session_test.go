package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestGetSessionBody(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	r := ann.get("/get-session").ok(t)
	form := regexp.MustCompile(`^\{"session":\{"expiresAt":"[^"]{24}","token":"\w{32}","createdAt":"[^"]{24}","updatedAt":"[^"]{24}","ipAddress":"192.0.2.1","userAgent":"","userId":"\w{32}","id":"\w{32}"\},"user":\{"name":"ann","email":"ann@example.com","emailVerified":false,"image":null,"createdAt":"[^"]{24}","updatedAt":"[^"]{24}","id":"\w{32}"\}\}$`)
	if !form.MatchString(r.body) {
		t.Errorf("body %s", r.body)
	}
	if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Pragma") != "no-cache" {
		t.Errorf("headers %v", r.Header)
	}
	if r := w.browser().get("/get-session").ok(t); r.body != "null" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("without session %s %v", r.body, r.Header)
	}
	ann.post("/get-session", "").fails(t, 405, ErrMethodNotAllowedDeferSessionRequired)
}

// TestSessionRefresh walks a session through its life, in virtual time.
func TestSessionRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ann := w.as("ann")
		start := time.Now()
		expiry := func() time.Time {
			data, err := w.Session(&http.Request{Header: ann.headers()})
			if err != nil || data == nil {
				t.Fatal(data, err)
			}
			return data.Session.ExpiresAt
		}
		time.Sleep(23 * time.Hour)
		if r := ann.get("/get-session"); len(r.Header["Set-Cookie"]) != 0 || !expiry().Equal(start.Add(7*24*time.Hour)) {
			t.Errorf("before updateAge: cookies %v, expires %v", r.Header["Set-Cookie"], expiry())
		}
		time.Sleep(time.Hour)
		if ann.get("/get-session?disableRefresh=false"); !expiry().Equal(start.Add(7 * 24 * time.Hour)) {
			t.Error("any non-empty disableRefresh keeps the session from being prolonged")
		}
		r := ann.get("/get-session")
		if !strings.Contains(r.cookie("better-auth.session_token"), "Max-Age=604800") || !expiry().Equal(time.Now().Add(7*24*time.Hour)) {
			t.Errorf("at updateAge: cookies %v, expires %v", r.Header["Set-Cookie"], expiry())
		}
		time.Sleep(7*24*time.Hour + time.Millisecond)
		if data, err := w.Session(&http.Request{Header: ann.headers()}); data != nil || err != nil {
			t.Errorf("Session accepts an expired one: %v, %v", data, err)
		}
		r = ann.get("/get-session")
		if r.body != "null" || r.cookie("better-auth.session_token") != "better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax" {
			t.Errorf("expired: %s %v", r.body, r.Header["Set-Cookie"])
		}
		if n := count(t, w, w.core.sessions.table); n != 0 {
			t.Errorf("%d expired rows were left", n)
		}
	})
}

func TestSessionOptions(t *testing.T) {
	for _, tt := range []struct {
		name      string
		options   SessionOptions
		after     time.Duration
		refreshed bool
	}{
		{"refreshed whenever it is read", SessionOptions{RefreshAlways: true}, time.Second, true},
		{"never refreshed", SessionOptions{NeverRefresh: true}, 48 * time.Hour, false},
		{"own times", SessionOptions{ExpiresIn: time.Hour, UpdateAge: time.Minute}, time.Minute, true},
		{"own times, too early", SessionOptions{ExpiresIn: time.Hour, UpdateAge: time.Minute}, 59 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ann := newWorld(t, func(c *Config) { c.Session = tt.options }).as("ann")
				time.Sleep(tt.after)
				r := ann.get("/get-session").ok(t)
				if got := r.cookie("better-auth.session_token") != ""; got != tt.refreshed || r.body == "null" {
					t.Errorf("refreshed: %v, %s", got, r.body)
				}
			})
		})
	}
}

// TestForgottenSession: without "remember me" a session lives for a day, in
// cookies that the browser drops, and is not prolonged.
func TestForgottenSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.as("ann")
		b := w.browser()
		body := credentials("ann")
		body["rememberMe"] = false
		r := b.post("/sign-in/email", body).ok(t)
		if got := r.Header["Set-Cookie"]; len(got) != 2 || strings.Contains(strings.Join(got, ""), "Max-Age") ||
			got[1] != "better-auth.dont_remember=true.0PQ7F7kOmfakzh3AtxOYojAGqa0h%2Fh7eN%2Bp7DqYCIDc%3D; Path=/; HttpOnly; SameSite=Lax" {
			t.Errorf("cookies %q", got)
		}
		time.Sleep(23 * time.Hour)
		if r := b.get("/get-session"); r.body == "null" || len(r.Header["Set-Cookie"]) != 0 {
			t.Errorf("%s %v", r.body, r.Header["Set-Cookie"])
		}
		// signing in again, remembered, takes the mark back
		if r := b.post("/sign-in/email", credentials("ann")); r.cookie("better-auth.dont_remember") != "better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax" {
			t.Errorf("cookies %q", r.Header["Set-Cookie"])
		}
	})
}

func TestDeferredRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Session.DeferRefresh = true })
		ann := w.as("ann")
		if r := ann.get("/get-session"); r.field(t, "needsRefresh") != false {
			t.Errorf("at first: %s", r.body)
		}
		time.Sleep(25 * time.Hour)
		if r := ann.get("/get-session"); r.field(t, "needsRefresh") != true || len(r.Header["Set-Cookie"]) != 0 {
			t.Errorf("GET: %s %v", r.body, r.Header["Set-Cookie"])
		}
		if r := ann.post("/get-session", "").ok(t); strings.Contains(r.body, "needsRefresh") || r.cookie("better-auth.session_token") == "" {
			t.Errorf("POST: %s %v", r.body, r.Header["Set-Cookie"])
		}
		time.Sleep(25 * time.Hour)
		rec := serve(w.RequireSession(http.NotFoundHandler()), "GET", "/", "", "Cookie", ann.cookieHeader())
		if !strings.Contains(rec.Header().Get("Set-Cookie"), "Max-Age=604800") {
			t.Errorf("RequireSession does not prolong: %v", rec.Header())
		}
		time.Sleep(8 * 24 * time.Hour)
		if ann.get("/get-session"); count(t, w, w.core.sessions.table) != 1 {
			t.Error("a GET deleted the expired row")
		}
	})
}

// TestConcurrentRevocation: a session that is revoked while it is being
// refreshed is gone.
func TestConcurrentRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ann := w.as("ann")
		w.core.sessions.hooks.BeforeUpdate = func(ctx context.Context, _ map[string]any) error {
			_, err := w.core.sessions.delete(ctx, Where("userId", currentUser(t, ann)))
			return err
		}
		time.Sleep(25 * time.Hour)
		r := ann.get("/get-session").fails(t, 401, ErrFailedToGetSession)
		if len(ann.cookies) != 0 {
			t.Errorf("cookies left: %v after %v", ann.cookies, r.Header["Set-Cookie"])
		}
	})
}

func currentUser(t *testing.T, b *browser) string {
	t.Helper()
	data, err := b.Session(&http.Request{Header: b.headers()})
	if err != nil || data == nil {
		t.Fatal(data, err)
	}
	return data.User.ID
}

func TestFreshSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ann := w.as("ann")
		ann.get("/list-sessions").ok(t)
		time.Sleep(24 * time.Hour)
		ann.get("/get-session").ok(t) // refreshes, which does not make fresh
		ann.get("/list-sessions").fails(t, 403, ErrSessionNotFresh)
		ann.post("/unlink-account", `{"accountId":"x"}`).fails(t, 403, ErrSessionNotFresh)
		ann.post("/delete-user", `{}`).fails(t, 400, ErrSessionExpired)
		ann.post("/delete-user", `{"password":"password of ann"}`).ok(t)
	})
	lax := newWorld(t, func(c *Config) { c.Session.AlwaysFresh, c.Session.FreshAge = true, time.Nanosecond })
	lax.as("ann").get("/list-sessions").ok(t)
}

func TestListAndRevoke(t *testing.T) {
	w := newWorld(t)
	first, bob := w.as("ann"), w.as("bob")
	second, third := w.signIn("ann"), w.signIn("ann")
	tokenOf := func(b *browser) string { return b.get("/get-session").field(t, "session.token").(string) }

	r := first.get("/list-sessions").ok(t)
	if n := strings.Count(r.body, `"token":`); n != 3 {
		t.Errorf("%d sessions: %s", n, r.body)
	}
	first.post("/revoke-session", map[string]string{"token": tokenOf(bob)}).ok(t)
	if !bob.signedIn() {
		t.Error("ann revoked bob's session")
	}
	if r := first.post("/revoke-session", map[string]string{"token": tokenOf(second)}).ok(t); len(r.Header["Set-Cookie"]) != 0 || r.body != `{"status":true}` {
		t.Errorf("%s %v", r.body, r.Header)
	}
	if second.signedIn() || !third.signedIn() {
		t.Error("the wrong session was revoked")
	}
	first.post("/revoke-other-sessions", "{}").ok(t)
	if !first.signedIn() || third.signedIn() {
		t.Error("revoke-other-sessions")
	}
	if first.post("/revoke-session", map[string]string{"token": tokenOf(first)}).ok(t); len(first.cookies) != 0 {
		t.Errorf("revoking the own session leaves the cookies %v", first.cookies)
	}
	fourth, fifth := w.signIn("ann"), w.signIn("ann")
	if fourth.post("/revoke-sessions", "").ok(t); fourth.signedIn() || fifth.signedIn() || len(fourth.cookies) != 0 {
		t.Error("revoke-sessions")
	}
	if !bob.signedIn() {
		t.Error("bob was signed out")
	}
}

// TestNoSilentLimit: the original stops at 100 rows in these places.
func TestNoSilentLimit(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	for range 150 {
		if _, err := w.core.createSession(t.Context(), currentUser(t, ann), false, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(ann.get("/list-sessions").body, `"token":`); n != 151 {
		t.Errorf("%d sessions listed", n)
	}
	ann.post("/revoke-other-sessions", "{}").ok(t)
	if n := count(t, w, w.core.sessions.table); n != 1 {
		t.Errorf("%d sessions survived", n)
	}
}

func TestUpdateSession(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Session.Fields = []Column{
			{Name: "theme", Type: TypeString, Default: func() any { return "light" }},
			{Name: "level", Type: TypeNumber, ServerOnly: true, Optional: true, Nullable: true},
			{Name: "trace", Type: TypeString, Hidden: true, Optional: true, Nullable: true},
		}
	})
	ann := w.as("ann")
	if r := ann.get("/get-session"); r.field(t, "session.theme") != "light" {
		t.Errorf("default: %s", r.body)
	}
	r := ann.post("/update-session", `{"theme":"dark","trace":"x","userId":"other","expiresAt":"2099-01-01T00:00:00.000Z"}`).ok(t)
	if r.field(t, "session.theme") != "dark" || strings.Contains(r.body, "trace") || r.field(t, "session.userId") == "other" || r.cookie("better-auth.session_token") == "" {
		t.Errorf("%s %v", r.body, r.Header)
	}
	if got := ann.get("/get-session"); got.field(t, "session.theme") != "dark" || got.field(t, "session.expiresAt") != r.field(t, "session.expiresAt") {
		t.Errorf("%s", got.body)
	}
	ann.post("/update-session", `{"level":2}`).fails(t, 400, ErrFieldNotAllowed)
	ann.post("/update-session", `{"theme":2}`).fails(t, 400, ErrValidation)
	ann.post("/update-session", `{"userId":"x"}`).fails(t, 400, "")
	ann.post("/update-session", `[]`).fails(t, 400, ErrValidation)
	w.browser().post("/update-session", `[]`).fails(t, 400, ErrValidation)
	w.browser().post("/update-session", `{}`).fails(t, 401, ErrUnauthorized)
}

// countingStore counts what reaches the store.
type countingStore struct {
	Store
	selects, writes int
}

func (s *countingStore) Select(ctx context.Context, q Query) ([]Row, error) {
	s.selects++
	return s.Store.Select(ctx, q)
}

func (s *countingStore) Update(ctx context.Context, t *Table, set map[string]any, where ...Condition) (int64, error) {
	s.writes++
	return s.Store.Update(ctx, t, set, where...)
}

func TestOneRoundTrip(t *testing.T) {
	store := &countingStore{Store: NewMemoryStore()}
	w := newWorld(t, func(c *Config) { c.Store = store })
	ann := w.as("ann")
	for name, read := range map[string]func(){
		"get-session": func() { ann.get("/get-session").ok(t) },
		"Session":     func() { currentUser(t, ann) },
		"RequireSession": func() {
			serve(w.RequireSession(http.NotFoundHandler()), "GET", "/", "", "Cookie", ann.cookieHeader())
		},
	} {
		store.selects, store.writes = 0, 0
		if read(); store.selects != 1 || store.writes != 0 {
			t.Errorf("%s: %d selects, %d writes", name, store.selects, store.writes)
		}
	}
}

func TestCookieCache(t *testing.T) {
	for _, strategy := range []CacheStrategy{CacheCompact, CacheJWT, CacheJWE} {
		t.Run(string(strategy), func(t *testing.T) { testCookieCache(t, strategy) })
	}
}

func testCookieCache(t *testing.T, strategy CacheStrategy) {
	synctest.Test(t, func(t *testing.T) {
		store := &countingStore{Store: NewMemoryStore()}
		w := newWorld(t, func(c *Config) {
			c.Store, c.Session.CookieCache = store, CookieCache{Enabled: true, Strategy: strategy}
		})
		ann := w.as("ann")
		if ann.cookies["better-auth.session_data"] == "" {
			t.Fatalf("cookies %v", ann.cookies)
		}
		store.selects = 0
		stored := ann.get("/get-session?disableCookieCache=false") // any non-empty value
		if store.selects != 1 {
			t.Errorf("disableCookieCache: %d selects", store.selects)
		}
		cached := ann.get("/get-session").ok(t)
		if store.selects != 1 || cached.body != stored.body {
			t.Errorf("%d selects\n%s\n%s", store.selects, cached.body, stored.body)
		}
		other := w.signIn("ann")
		other.post("/revoke-other-sessions", "{}").ok(t)
		if !ann.signedIn() {
			t.Error("a cached session stays readable for a while")
		}
		ann.post("/verify-password", `{"password":"password of ann"}`).fails(t, 401, ErrUnauthorized)
		ann.get("/delete-user/callback?token=x").fails(t, 404, ErrFailedToGetUserInfo)
		ann.post("/get-access-token", `{"accountId":"x"}`).fails(t, 401, "")
		time.Sleep(5*time.Minute + time.Millisecond)
		if r := other.get("/get-session").ok(t); r.cookie("better-auth.session_data") == "" || r.body == "null" {
			t.Errorf("an old copy is renewed: %s %v", r.body, r.Header["Set-Cookie"])
		}
	})
}

// TestCookieCacheVersionFunc: a change of the function's answer sends the reader to
// the store, once.
func TestCookieCacheVersionFunc(t *testing.T) {
	store, version := &countingStore{Store: NewMemoryStore()}, "1"
	ann := newWorld(t, func(c *Config) {
		c.Store = store
		c.Session.CookieCache = CookieCache{Enabled: true, VersionFunc: func(_ *Session, user *User) string { return user.Name + version }}
	}).as("ann")
	for i, want := range []int{0, 1, 0} {
		if store.selects = 0; i == 1 {
			version = "2"
		}
		if ann.get("/get-session").ok(t); store.selects != want {
			t.Errorf("read %d: %d selects, want %d", i, store.selects, want)
		}
	}
}

// TestCookieCacheForgotten: the copy of a session that is not to be remembered ends
// early, a compact one the earliest.
func TestCookieCacheForgotten(t *testing.T) {
	for strategy, lifetime := range map[CacheStrategy]time.Duration{CacheCompact: time.Minute, CacheJWT: 5 * time.Minute, CacheJWE: 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			store := &countingStore{Store: NewMemoryStore()}
			w := newWorld(t, func(c *Config) {
				c.Store, c.Session.CookieCache = store, CookieCache{Enabled: true, Strategy: strategy, MaxAge: time.Hour}
			})
			ann := w.as("ann")
			ann.post("/sign-in/email", `{"email":"ann@example.com","password":"password of ann","rememberMe":false}`).ok(t)
			store.selects = 0
			time.Sleep(lifetime - time.Second)
			ann.get("/get-session").ok(t)
			if store.selects != 0 {
				t.Errorf("%s: %d selects before the end", strategy, store.selects)
			}
			time.Sleep(2 * time.Second)
			if ann.get("/get-session").ok(t); store.selects != 1 {
				t.Errorf("%s: %d selects after the end", strategy, store.selects)
			}
		})
	}
}

func TestCookieCacheIsNotBelieved(t *testing.T) {
	seal := func(w *world, object string) string {
		return compactSeal{newSigner(testSecret)}.seal([]byte(object), time.Now().Add(time.Hour))
	}
	for _, tt := range []struct {
		name string
		copy func(w *world, own, foreign string) string
	}{
		{"no base64", func(*world, string, string) string { return "!!!" }},
		{"no JSON", func(*world, string, string) string { return base64.RawURLEncoding.EncodeToString([]byte("{}")) }},
		{"a changed byte", func(_ *world, own, _ string) string { return "A" + own[1:] }},
		{"another session's copy", func(_ *world, _, foreign string) string { return foreign }},
		{"another secret", func(w *world, own, _ string) string {
			object, expires, _ := compactSeal{newSigner(testSecret)}.open(own)
			return compactSeal{newSigner(strings.Repeat("x", 32))}.seal(object, expires)
		}},
		{"an expired copy", func(w *world, own, _ string) string {
			object, _, _ := compactSeal{newSigner(testSecret)}.open(own)
			return compactSeal{newSigner(testSecret)}.seal(object, time.Now().Add(-time.Second))
		}},
		{"another version", func(w *world, own, _ string) string {
			object, _, _ := compactSeal{newSigner(testSecret)}.open(own)
			return seal(w, strings.Replace(string(object), `"version":"1"`, `"version":"2"`, 1))
		}},
		{"a session that has expired", func(w *world, own, _ string) string {
			object, _, _ := compactSeal{newSigner(testSecret)}.open(own)
			return seal(w, regexp.MustCompile(`"expiresAt":"[^"]*"`).ReplaceAllString(string(object), `"expiresAt":"2020-01-01T00:00:00.000Z"`))
		}},
		{"no user", func(w *world, _, _ string) string { return seal(w, `{"session":{},"version":"1"}`) }},
		{"wrong types", func(w *world, _, _ string) string { return seal(w, `{"session":{"token":5},"user":{},"version":"1"}`) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := &countingStore{Store: NewMemoryStore()}
			w := newWorld(t, func(c *Config) { c.Store, c.Session.CookieCache.Enabled = store, true })
			ann, bob := w.as("ann"), w.as("bob")
			ann.cookies["better-auth.session_data"] = tt.copy(w, ann.cookies["better-auth.session_data"], bob.cookies["better-auth.session_data"])
			store.selects = 0
			r := ann.get("/get-session").ok(t)
			if store.selects != 1 || r.field(t, "user.name") != "ann" {
				t.Errorf("%d selects: %s", store.selects, r.body)
			}
		})
	}
}

// TestCookieCacheKeepsTypes: additional columns have the same types and order
// whether the copy or the store answers.
func TestCookieCacheKeepsTypes(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Session.CookieCache.Enabled = true
		c.User.Fields = []Column{
			{Name: "zeta", Type: TypeNumber, Default: func() any { return 7 }},
			{Name: "born", Type: TypeDate, Default: func() any { return time.Unix(0, 0) }},
			{Name: "tags", Type: TypeStrings, Default: func() any { return []string{"a"} }},
			{Name: "alpha", Type: TypeString, Optional: true},
		}
	})
	ann := w.as("ann")
	call := func(in GetSessionRequest) *SessionData {
		data, err := w.API.GetSession.Call(t.Context(), in, WithHeaders(ann.headers()))
		if err != nil || data == nil {
			t.Fatal(data, err)
		}
		return data
	}
	stored, copied := call(GetSessionRequest{DisableCookieCache: true}), call(GetSessionRequest{})
	if !reflect.DeepEqual(stored.User.Fields, copied.User.Fields) || copied.User.Fields["born"] != time.Unix(0, 0).UTC() {
		t.Errorf("fields %v and %v", stored.User.Fields, copied.User.Fields)
	}
	a, b := ann.get("/get-session?disableCookieCache=1").body, ann.get("/get-session").body
	if a != b {
		t.Errorf("bodies\n%s\n%s", a, b)
	}
}

// TestCookieCacheLowersAddresses: rows that another program wrote may have capitals,
// which only the store shows.
func TestCookieCacheLowersAddresses(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Session.CookieCache.Enabled = true })
	ann := w.as("ann")
	_, err := w.store.Update(t.Context(), w.core.users.table, map[string]any{"email": "Ann@Example.com"}, Condition{Column: "email", Value: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{"/get-session?disableCookieCache=1", "Ann@Example.com"}, // and writes the copy
		{"/get-session", "ann@example.com"},
	} {
		if got := ann.get(c.path).ok(t).field(t, "user.email"); got != c.want {
			t.Errorf("%s: %v", c.path, got)
		}
	}
}

// TestLargeCookieCache: what does not fit into one cookie travels in chunks,
// and chunks that are not needed any more are expired.
func TestLargeCookieCache(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Session.CookieCache.Enabled = true })
	ann := w.as("ann")
	ann.post("/update-user", map[string]string{"name": strings.Repeat("n", 6000)}).ok(t)
	if ann.cookies["better-auth.session_data.0"] == "" || ann.cookies["better-auth.session_data.2"] == "" || ann.cookies["better-auth.session_data"] != "" {
		t.Fatalf("cookies %v", ann.cookies)
	}
	w.core.sessions.store = nil // a cached read must not need it
	if r := ann.get("/get-session").ok(t); len(r.field(t, "user.name").(string)) != 6000 {
		t.Errorf("body of %d bytes", len(r.body))
	}
	w.core.sessions.store = w.store
	ann.post("/update-user", `{"name":"short"}`).ok(t)
	if ann.cookies["better-auth.session_data"] == "" || ann.cookies["better-auth.session_data.0"] != "" {
		t.Errorf("cookies %v", ann.cookies)
	}
}

func TestCookieCacheSwitchedOff(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	ann.cookies["better-auth.session_data.0"] = "leftover"
	if ann.get("/get-session").ok(t); ann.cookies["better-auth.session_data.0"] != "" {
		t.Error("a leftover copy was not expired")
	}
}

func TestCookieNames(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"https", func(c *Config) { c.BaseURL = "https://example.com" }, `__Secure-better-auth.session_token=V; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax`},
		{"forced", func(c *Config) { c.Cookies.AlwaysSecure = true }, `__Secure-better-auth.session_token=V; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax`},
		{"never", func(c *Config) { c.BaseURL, c.Cookies.NeverSecure = "https://example.com", true }, `better-auth.session_token=V; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax`},
		{"prefix", func(c *Config) { c.Cookies.Prefix = "app" }, `app.session_token=V; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax`},
		{"name", func(c *Config) { c.Cookies.SessionToken.Name = "sid" }, `sid=V; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax`},
		{"subdomains", func(c *Config) { c.BaseURL, c.Cookies.CrossSubDomain = "https://auth.example.com", true }, `__Secure-better-auth.session_token=V; Max-Age=604800; Domain=auth.example.com; Path=/; HttpOnly; Secure; SameSite=Lax`},
		{"domain", func(c *Config) { c.Cookies.CrossSubDomain, c.Cookies.Domain = true, ".example.com" }, `better-auth.session_token=V; Max-Age=604800; Domain=.example.com; Path=/; HttpOnly; SameSite=Lax`},
		{"attributes", func(c *Config) {
			c.Cookies.Default = CookieAttributes{SameSite: http.SameSiteNoneMode, Partitioned: true}
			c.Cookies.SessionToken.Path = "/app"
		}, `better-auth.session_token=V; Max-Age=604800; Path=/app; HttpOnly; Secure; SameSite=None; Partitioned`},
		{"lifetime", func(c *Config) { c.Session.ExpiresIn = time.Hour }, `better-auth.session_token=V; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax`},
	} {
		w := newWorld(t, tt.edit)
		var header http.Header
		_, err := w.API.SignUpEmail.Call(t.Context(), SignUpEmailRequest{Name: "A", Email: "a@example.com", Password: "password"}, ReturnHeaders(&header))
		got := regexp.MustCompile(`=[^;]+`).ReplaceAllString(strings.SplitN(header.Get("Set-Cookie"), ";", 2)[0], "=V") + ";" + strings.SplitN(header.Get("Set-Cookie"), ";", 2)[1]
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if _, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Session: SessionOptions{ExpiresIn: 401 * 24 * time.Hour}}); err == nil {
		t.Error("a cookie of more than 400 days was configured")
	}
}

func TestForgedCookies(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	valid := ann.cookies["better-auth.session_token"]
	token, _, _ := strings.Cut(valid, ".")
	for name, value := range map[string]string{
		"unsigned":         token,
		"empty signature":  token + ".",
		"other signature":  token + "." + strings.Repeat("A", 43) + "%3D",
		"other value":      "x" + valid,
		"other secret":     encodeURIComponent(newSigner(strings.Repeat("x", 32)).signCookie(token)),
		"unknown token":    encodeURIComponent(newSigner(testSecret).signCookie("unknown")),
		"empty":            "",
		"signature only":   valid[len(token):],
		"truncated":        valid[:len(valid)-4],
		"dont_remember":    encodeURIComponent(newSigner(testSecret).signCookie("true")),
		"injected newline": valid + "%0d%0aSet-Cookie: x=y",
	} {
		b := w.browser()
		b.cookies["better-auth.session_token"] = value
		if r := b.get("/get-session").ok(t); r.body != "null" {
			t.Errorf("%s: %s", name, r.body)
		}
		b.get("/list-accounts").fails(t, 401, ErrUnauthorized)
	}
}

func TestRequireSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ann := w.as("ann")
		h := w.RequireSession(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = rw.Write([]byte(SessionFromContext(r.Context()).User.Name))
		}))
		if rec := serve(h, "POST", "/me", "", "Cookie", ann.cookieHeader()); rec.Code != 200 || rec.Body.String() != "ann" || len(rec.Header()["Set-Cookie"]) != 0 {
			t.Errorf("%d %s %v", rec.Code, rec.Body, rec.Header())
		}
		if rec := serve(h, "GET", "/me", ""); rec.Code != 401 || rec.Body.String() != `{"message":"Unauthorized","code":"UNAUTHORIZED"}` {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		time.Sleep(25 * time.Hour)
		if rec := serve(h, "GET", "/me", "", "Cookie", ann.cookieHeader()); !strings.Contains(rec.Header().Get("Set-Cookie"), "Max-Age=604800") {
			t.Errorf("the refreshed cookie was not forwarded: %v", rec.Header())
		}
		private := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Cache-Control", "private")
			w.RequireSession(h).ServeHTTP(rw, r)
		})
		if rec := serve(private, "GET", "/me", "", "Cookie", ann.cookieHeader()); rec.Header().Get("Cache-Control") != "private" {
			t.Errorf("the page's own header was replaced: %v", rec.Header())
		}
		if SessionFromContext(t.Context()) != nil {
			t.Error("a session out of nowhere")
		}
	})
}

// TestStoreFailureIsNoMissingSession: who is signed in must not be told
// otherwise because the database is down.
func TestStoreFailureIsNoMissingSession(t *testing.T) {
	store := &brokenStore{Store: NewMemoryStore()}
	w := newWorld(t, func(c *Config) { c.Store = store })
	ann := w.as("ann")
	store.broken = true
	if data, err := w.Session(&http.Request{Header: ann.headers()}); data != nil || !errors.Is(err, errSecret) {
		t.Error(data, err)
	}
	rec := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/me", nil)
	r.Header = ann.headers()
	w.RequireSession(http.NotFoundHandler()).ServeHTTP(rec, r)
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret") {
		t.Errorf("RequireSession: %d %s", rec.Code, rec.Body)
	}
	for _, path := range []string{"/get-session", "/list-sessions", "/list-accounts"} {
		if r := ann.get(path); r.StatusCode != 500 || strings.Contains(r.body, "secret") || len(r.Header["Set-Cookie"]) != 0 {
			t.Errorf("%s: %d %s %v", path, r.StatusCode, r.body, r.Header)
		}
	}
	if r := w.browser().post("/sign-in/email", credentials("ann")); r.StatusCode != 500 {
		t.Errorf("sign-in: %d %s", r.StatusCode, r.body)
	}
}
