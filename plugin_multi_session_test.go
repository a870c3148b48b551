package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func multiWorld(t *testing.T, plugin *MultiSession, edit ...func(*Config)) *world {
	t.Helper()
	return newWorld(t, append(edit, func(c *Config) { c.Plugins = append(c.Plugins, plugin) })...)
}

// alsoAs signs somebody else up in the same browser and returns the token of the new
// session.
func (b *browser) alsoAs(name string) string {
	b.t.Helper()
	return b.post("/sign-up/email", credentials(name)).ok(b.t).field(b.t, "token").(string)
}

const multiPrefix = "better-auth.session_token_multi-"

// held returns the names of the users whose sessions a browser holds, sorted.
func (b *browser) held() string {
	b.t.Helper()
	list, err := b.API.Operation("listDeviceSessions").(*Endpoint[Empty, []*SessionData]).Call(b.t.Context(), Empty{}, WithHeaders(b.headers()))
	if err != nil {
		b.t.Fatal(err)
	}
	names := []string{}
	for _, data := range list {
		names = append(names, data.User.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestMultiSession(t *testing.T) {
	w := multiWorld(t, &MultiSession{})
	b := w.browser()
	ann, bob := b.alsoAs("ann"), b.alsoAs("bob")
	for _, token := range []string{ann, bob} {
		if opened, ok := newSigner(testSecret).openCookie(b.cookies[multiPrefix+strings.ToLower(token)]); !ok || opened != token {
			t.Errorf("the cookie of %s has %q", token, opened)
		}
	}
	if names := b.held(); names != "ann bob" {
		t.Errorf("held: %s", names)
	}
	r := b.post("/multi-session/set-active", map[string]string{"sessionToken": ann}).ok(t)
	if r.field(t, "user.name") != "ann" || r.field(t, "session.token") != ann || b.get("/get-session").field(t, "user.name") != "ann" {
		t.Errorf("ann is not active: %s", r.body)
	}
	b.post("/multi-session/revoke", map[string]string{"sessionToken": ann}).ok(t)
	if b.get("/get-session").field(t, "user.name") != "bob" || b.held() != "bob" {
		t.Error("bob did not follow ann")
	}
	b.post("/multi-session/revoke", map[string]string{"sessionToken": bob}).ok(t)
	if len(b.cookies) != 0 || b.held() != "" {
		t.Errorf("left: %v", b.cookies)
	}
}

func TestMultiSessionCookie(t *testing.T) {
	tests := []struct {
		edit func(*Config)
		want string // "*" stands for the token in small letters
	}{
		{func(*Config) {}, "better-auth.session_token_multi-* 604800 / Lax"},
		{func(c *Config) { c.BaseURL = "https://localhost:3000" }, "__Secure-better-auth.session_token_multi-* 604800 / secure Lax"},
		{func(c *Config) { c.Cookies.Prefix, c.Cookies.Default.Path = "My", "/x" }, "My.session_token_multi-* 604800 /x Lax"},
		{func(c *Config) { c.Cookies.SessionToken.Name, c.Session.ExpiresIn = "sid", time.Hour }, "sid_multi-* 3600 / Lax"},
	}
	for _, test := range tests {
		w := multiWorld(t, &MultiSession{}, test.edit)
		b := w.browser()
		b.header = nil
		r := b.post("/sign-up/email", credentials("ann")).ok(t)
		cookies := r.Cookies()
		made := cookies[len(cookies)-1]
		got := fmt.Sprint(made.Name, " ", made.MaxAge, " ", made.Path)
		if made.Secure {
			got += " secure"
		}
		if made.SameSite == http.SameSiteLaxMode && made.HttpOnly {
			got += " Lax"
		}
		want := strings.Replace(test.want, "*", strings.ToLower(r.field(t, "token").(string)), 1)
		if got != want {
			t.Errorf("cookie %s, want %s", got, want)
		}
	}
}

// A session that ends with the browser leaves nothing there that does not.
func TestMultiSessionForgets(t *testing.T) {
	w := multiWorld(t, &MultiSession{})
	w.as("ann")
	in := credentials("ann")
	in["rememberMe"] = false
	for _, c := range w.browser().post("/sign-in/email", in).ok(t).Cookies() {
		if c.MaxAge != 0 {
			t.Errorf("%s stays for %d seconds", c.Name, c.MaxAge)
		}
	}
}

func TestMultiSessionMaximum(t *testing.T) {
	for maximum, want := range map[int]string{0: "u0 u1 u2 u3 u4", 1: "u0", 2: "u0 u1"} {
		b := multiWorld(t, &MultiSession{MaximumSessions: maximum}).browser()
		for i := range 7 {
			b.alsoAs(fmt.Sprint("u", i))
		}
		if names := b.held(); names != want || b.get("/get-session").field(t, "user.name") != "u6" {
			t.Errorf("maximum %d: %s", maximum, names)
		}
	}
	if _, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{&MultiSession{MaximumSessions: -1}}}); err == nil {
		t.Error("a negative maximum was accepted")
	}
}

// Of a user a browser holds one session: the newest.
func TestMultiSessionReplaces(t *testing.T) {
	w := multiWorld(t, &MultiSession{})
	b := w.browser()
	old := b.alsoAs("ann")
	b.alsoAs("bob")
	elsewhere := w.signIn("ann")
	b.post("/sign-in/email", credentials("ann")).ok(t)
	if names := b.held(); names != "ann bob" {
		t.Errorf("held: %s", names)
	}
	if data, err := w.core.sessions.byToken(t.Context(), old); data != nil || err != nil {
		t.Errorf("the old session goes on: %v, %v", data, err)
	}
	if !elsewhere.signedIn() {
		t.Error("a session of another browser ended")
	}
}

// Sessions that ended elsewhere take no room.
func TestMultiSessionRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := multiWorld(t, &MultiSession{MaximumSessions: 2})
		b := w.browser()
		revoked := b.alsoAs("ann")
		b.alsoAs("bob")
		if err := w.core.deleteSession(t.Context(), revoked); err != nil {
			t.Fatal(err)
		}
		b.alsoAs("cyd")
		if names := b.held(); names != "bob cyd" || b.cookies[multiPrefix+strings.ToLower(revoked)] != "" {
			t.Errorf("held: %s", names)
		}
		time.Sleep(8 * 24 * time.Hour)
		if names := b.held(); names != "" {
			t.Errorf("held after they expired: %s", names)
		}
		expired := b.get("/get-session")
		b.alsoAs("dan")
		if names := b.held(); names != "dan" || expired.body != "null" || len(b.cookies) != 2 {
			t.Errorf("held: %s, cookies %v", names, b.cookies)
		}
	})
}

func TestMultiSessionEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := multiWorld(t, &MultiSession{}).browser()
		token := b.alsoAs("ann")
		time.Sleep(8 * 24 * time.Hour)
		in := map[string]string{"sessionToken": token}
		r := b.post("/multi-session/set-active", in).fails(t, 401, ErrInvalidSessionToken)
		if c := r.Header.Get("Set-Cookie"); !strings.HasPrefix(c, multiPrefix+strings.ToLower(token)+"=; Max-Age=0") {
			t.Errorf("Set-Cookie %q", c)
		}
		b.post("/multi-session/set-active", in).fails(t, 401, ErrInvalidSessionToken)
		b.post("/multi-session/revoke", in).fails(t, 401, ErrUnauthorized)
	})
}

// Signing out ends the sessions of everybody in the browser, all or none.
func TestMultiSessionSignOut(t *testing.T) {
	w := multiWorld(t, &MultiSession{})
	b := w.browser()
	tokens := []string{b.alsoAs("ann"), b.alsoAs("bob"), b.alsoAs("cyd")}
	elsewhere := w.signIn("ann")
	b.post("/sign-out", "").ok(t)
	for _, token := range tokens {
		if data, err := w.core.sessions.byToken(t.Context(), token); data != nil || err != nil {
			t.Errorf("a session goes on: %v, %v", data, err)
		}
	}
	if len(b.cookies) != 0 || !elsewhere.signedIn() {
		t.Errorf("left: %v", b.cookies)
	}

	failing := errors.New("not now")
	w = multiWorld(t, &MultiSession{}, func(c *Config) {
		c.DatabaseHooks.Session.BeforeDelete = func(_ context.Context, s *Session) error {
			if user, err := w.core.users.first(t.Context(), Where("id", s.UserID)); err == nil && user != nil && user.Name == "cyd" {
				return failing
			}
			return nil
		}
	})
	b = w.browser()
	tokens = []string{b.alsoAs("ann"), b.alsoAs("cyd"), b.alsoAs("bob")}
	if r := b.post("/sign-out", ""); r.StatusCode != 500 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	for _, token := range tokens[:2] { // that of bob was the active one
		if data, err := w.core.sessions.byToken(t.Context(), token); data == nil || err != nil {
			t.Errorf("a session has ended: %v", err)
		}
	}
}

// The cookies that the plugin keeps were believed unsigned: whoever knew a token,
// or its letters, could end the session.
func TestAdvisory_GHSA_wmjr_v86c_m9jj_MultiSession(t *testing.T) {
	w := multiWorld(t, &MultiSession{MaximumSessions: 2})
	ann := w.browser()
	token := ann.alsoAs("ann")
	name := multiPrefix + strings.ToLower(token)
	eve := w.as("eve")
	mine := maps.Clone(eve.cookies)
	_, signed := eve.tokens()
	other := encodeURIComponent(newSigner("another secret, 32 bytes long ....").signCookie(token))
	for _, forged := range []string{token, token + ".", token + "." + strings.Repeat("A", 43) + "%3D", other, signed, encodeURIComponent(signed), "%", ""} {
		eve.cookies = maps.Clone(mine)
		eve.cookies[name] = forged
		in := map[string]string{"sessionToken": token}
		eve.post("/multi-session/set-active", in).fails(t, 401, ErrInvalidSessionToken)
		eve.post("/multi-session/revoke", in).fails(t, 401, ErrInvalidSessionToken)
		if names := eve.held(); names != "eve" {
			t.Errorf("%q: held %s", forged, names)
		}
		if eve.post("/sign-in/email", credentials("eve")).ok(t); eve.held() != "eve" {
			t.Errorf("%q takes room", forged)
		}
		mine = maps.Clone(eve.cookies)
		delete(mine, name)
	}
	eve.cookies[name] = token
	eve.post("/sign-out", "").ok(t)
	if !ann.signedIn() || ann.held() != "ann" {
		t.Error("eve ended the session of ann")
	}
}

// A session that was prolonged and ended in one request gets no cookie.
func TestMultiSessionOfEndedSession(t *testing.T) {
	w := multiWorld(t, &MultiSession{}, func(c *Config) { c.Session.RefreshAlways = true })
	b := w.browser()
	token := b.alsoAs("ann")
	delete(b.cookies, multiPrefix+strings.ToLower(token))
	b.post("/revoke-sessions", "").ok(t)
	if len(b.cookies) != 0 {
		t.Errorf("left: %v", b.cookies)
	}
}

// Many requests of one browser at once leave it with sessions that go on.
func TestMultiSessionConcurrently(t *testing.T) {
	plugin := &MultiSession{}
	w := multiWorld(t, plugin)
	b := w.browser()
	ann, bob := b.alsoAs("ann"), b.alsoAs("bob")
	headers := b.headers()
	var wg sync.WaitGroup
	for range 20 {
		for _, token := range []string{ann, bob} {
			wg.Go(func() {
				if _, err := plugin.SetActive.Call(t.Context(), DeviceSessionRequest{token}, WithHeaders(headers)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if list, err := plugin.List.Call(t.Context(), Empty{}, WithHeaders(headers)); err != nil || len(list) != 2 {
				t.Errorf("%d sessions, %v", len(list), err)
			}
		})
	}
	wg.Wait()
	var revoked sync.WaitGroup
	for range 20 {
		revoked.Go(func() {
			_, err := plugin.Revoke.Call(t.Context(), DeviceSessionRequest{bob}, WithHeaders(headers))
			if api := apiError(err); err != nil && (api == nil || api.Status != 401) {
				t.Error(err)
			}
		})
	}
	revoked.Wait()
	if names := b.held(); names != "ann" {
		t.Errorf("held: %s", names)
	}
}

func TestMultiSessionDoors(t *testing.T) {
	checkPluginDoors(t, doorSet{
		plugin: func() Plugin { return &MultiSession{} },
		cases: []doorCase{
			{op: "listDeviceSessions", as: "ann", want: 200},
			{op: "listDeviceSessions", as: "forged", want: 200},
			{op: "listDeviceSessions", as: "ann", broken: true, want: 500},
			{op: "setActiveSession", input: `{"sessionToken":"$session"}`, as: "ann", want: 200},
			{op: "setActiveSession", input: `{"sessionToken":"unknown"}`, as: "ann", want: 401},
			{op: "setActiveSession", input: `{"sessionToken":"$session"}`, as: "forged", want: 401},
			{op: "setActiveSession", input: `{}`, as: "ann", wire: true, want: 400},
			{op: "setActiveSession", input: `{"sessionToken":"$session"}`, as: "ann", broken: true, want: 500},
			{op: "revokeDeviceSession", input: `{"sessionToken":"$session"}`, as: "ann", want: 200},
			{op: "revokeDeviceSession", input: `{"sessionToken":"unknown"}`, as: "ann", want: 401},
			{op: "revokeDeviceSession", input: `{"sessionToken":"$session"}`, as: "forged", want: 401},
			{op: "revokeDeviceSession", input: `{"sessionToken":5}`, as: "ann", wire: true, want: 400},
			{op: "revokeDeviceSession", input: `{"sessionToken":"$session"}`, as: "ann", broken: true, want: 500},
		},
	})
}
