package auth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A bench is an instance with an endpoint, POST /act, that does what a test says.
type bench struct {
	*world
	plugin *graft
	act    func(ctx context.Context, s *Services) error
	own    *Endpoint[Empty, Empty]
}

func newBench(t *testing.T, edit ...func(*Config)) *bench {
	t.Helper()
	b := &bench{}
	b.plugin = &graft{id: "bench", extend: func(s *Services) (*Extension, error) {
		b.own = NewEndpoint("POST", "/act", func(ctx context.Context, _ Empty) (Empty, error) { return Empty{}, b.act(ctx, s) })
		return &Extension{Endpoints: []PluginEndpoint{{Name: "act", Endpoint: b.own, OptionalBody: true}}}, nil
	}}
	b.world = newWorld(t, append([]func(*Config){func(c *Config) { c.Plugins = append(c.Plugins, b.plugin) }}, edit...)...)
	return b
}

// do runs a function in the endpoint, for a browser.
func (b *bench) do(who *browser, act func(ctx context.Context, s *Services) error) reply {
	b.t.Helper()
	b.act = act
	return who.post("/act", "{}")
}

// TestEveryServiceIsTested: what plugins rely on is used in this file.
func TestEveryServiceIsTested(t *testing.T) {
	source, err := os.ReadFile("service_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for m := range reflect.TypeFor[*Services]().NumMethod() {
		name := reflect.TypeFor[*Services]().Method(m).Name
		if !bytes.Contains(source, []byte("s."+name+"(")) {
			t.Errorf("nothing here calls %s", name)
		}
	}
}

// TestServicesOfTheInstance: where the server is and what it is configured with.
func TestServicesOfTheInstance(t *testing.T) {
	b := newBench(t, func(c *Config) { c.TrustedOrigins = []string{"https://app.example"} })
	s := b.plugin.s
	if c := s.Config(); c.AppName != "Better Auth" || c.EmailPassword.MinLength != 8 || c.EmailVerification.ExpiresIn != time.Hour || c.Session.ExpiresIn == 0 || c.BaseURL != testOrigin {
		t.Errorf("configuration %+v", c)
	}
	if s.Remote() {
		t.Error("the instance is taken for a Client")
	}
	if s.Plugin("bench") != b.plugin || s.Plugin("none") != nil {
		t.Error("plugins are not found by ID")
	}
	if got, err := s.OpenAPI(at("GET", "/own")).MarshalJSON(); err != nil || !strings.Contains(string(got), `"/sign-up/email":`) || !strings.Contains(string(got), `"/own":`) {
		t.Errorf("document %s, %v", got, err)
	}
	if now := s.Now(); now.Location() != time.UTC || now.Nanosecond()%1e6 != 0 || time.Since(now) > time.Minute {
		t.Errorf("now is %v", now)
	}
	b.do(b.browser(), func(ctx context.Context, s *Services) error {
		for got, want := range map[string]string{
			s.BaseURL(ctx): testBase, s.Origin(ctx): testOrigin, s.URL(ctx, "/x"): testBase + "/x",
			s.URL(ctx, "/x", "b", "2 3", "a", "&"): testBase + "/x?b=2+3&a=%26",
		} {
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		for target, want := range map[string]string{
			"/in?a=1#x": testOrigin + "/in?a=1&code=2#x", "https://app.example/in": "https://app.example/in?code=2", "//evil": "",
		} {
			if got, err := s.RedirectURL(ctx, target, "code", "2"); got != want || (err == nil) != (want != "") {
				t.Errorf("%s becomes %s, %v", target, got, err)
			}
		}
		for url, want := range map[string]bool{"/in": true, "https://app.example/in": true, testOrigin: true, "https://evil.example": false, "//evil.example": false} {
			if s.TrustsURL(ctx, url) != want {
				t.Errorf("%s is trusted: %v", url, !want)
			}
		}
		return nil
	}).ok(t)
	if s.TrustsURL(t.Context(), "/in") {
		t.Error("a URL is trusted outside of a run")
	}
}

// TestTrustsURLWithoutARequest: origins of a request are not asked for where there is
// none.
func TestTrustsURLWithoutARequest(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.TrustedOriginsFunc = func(r *http.Request) []string { return []string{"https://" + r.Header.Get("X-Tenant") + ".example"} }
	})
	b.act = func(ctx context.Context, s *Services) error {
		if s.TrustsURL(ctx, "https://evil.example") || !s.TrustsURL(ctx, "/in") {
			t.Error("trust")
		}
		return nil
	}
	if _, err := b.own.Call(t.Context(), Empty{}); err != nil {
		t.Error(err)
	}
}

// TestServicesCookies: plugins' cookies have the configured names and attributes.
func TestServicesCookies(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.BaseURL = "https://example.com"
		c.Cookies.Plugins = map[string]CookieOverride{"renamed": {Name: "other", CookieAttributes: CookieAttributes{Path: "/x", SameSite: http.SameSiteStrictMode}}}
	})
	who := b.browser()
	who.header.Set("Origin", "https://example.com")
	got := b.do(who, func(ctx context.Context, s *Services) error {
		plain := s.Cookie(ctx, "plain", time.Hour)
		plain.Value = "a b"
		s.SetCookie(ctx, plain)
		plain.Value = "a;c"
		s.SetCookie(ctx, plain)
		signed := s.Cookie(ctx, "renamed", 0)
		signed.Value = "mine"
		s.SetSignedCookie(ctx, signed)
		gone := s.Cookie(ctx, "gone", time.Hour)
		s.SetCookie(ctx, gone)
		s.ExpireCookie(ctx, gone)
		ExchangeFrom(ctx).Header().Add("Set-Cookie", plain.Name) // no cookie at all
		if sent := s.SentCookie(ctx, plain.Name); sent == nil || sent.Value != "a;c" || s.SentCookie(ctx, gone.Name) != nil || s.SentCookie(ctx, "x") != nil {
			t.Errorf("sent %v", sent)
		}
		if s.ForgetCookie(ctx).Name != "__Secure-better-auth.dont_remember" {
			t.Error("the name of a cookie")
		}
		if !s.SetsCookie(ctx, plain.Name) || !s.SetsCookie(ctx, gone.Name) || s.SetsCookie(ctx, "x") || s.SessionCookie(ctx).Name != "__Secure-better-auth.session_token" {
			t.Error("names of cookies")
		}
		return nil
	}).ok(t)
	for _, want := range []string{
		"__Secure-better-auth.plain=a%3Bc; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax",
		"__Secure-better-auth.gone=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
	} {
		if name, _, _ := strings.Cut(want, "="); got.cookie(name) != want {
			t.Errorf("%s", got.cookie(name))
		}
	}
	line := got.cookie("__Secure-other")
	if !strings.HasPrefix(line, "__Secure-other=mine.") || !strings.HasSuffix(line, "; Path=/x; HttpOnly; Secure; SameSite=Strict") || len(got.Header["Set-Cookie"]) != 4 {
		t.Errorf("%q", got.Header["Set-Cookie"])
	}
	b.do(who, func(ctx context.Context, s *Services) error {
		if value, ok := s.SignedCookie(ctx, "__Secure-other"); value != "mine" || !ok {
			t.Errorf("signed: %q", value)
		}
		for _, name := range []string{"__Secure-better-auth.plain", "none"} {
			if value, ok := s.SignedCookie(ctx, name); value != "" || ok {
				t.Errorf("%s: %q", name, value)
			}
		}
		if names := s.CookieNames(ctx); len(names) != 2 {
			t.Errorf("names %v", names)
		}
		return nil
	}).ok(t)
}

// TestServicesSecrets: what is signed or encrypted for one thing is good for it alone.
func TestServicesSecrets(t *testing.T) {
	s := newBench(t).plugin.s
	signature := s.Sign("a:x")
	if !s.Verify("a:x", signature) || s.Verify("b:x", signature) || s.Verify("a:x", signature[1:]) || s.Verify("a:x", "") {
		t.Error("signatures")
	}
	rotated := newBench(t, func(c *Config) { c.Secrets = []Secret{{Version: 2, Value: strings.Repeat("new", 11)}} }).plugin.s
	for _, purpose := range []string{"", "one"} {
		sealed, err := s.Encrypt(purpose, "text")
		if err != nil || strings.Contains(sealed, "text") {
			t.Fatal(sealed, err)
		}
		for _, reader := range []*Services{s, rotated} {
			if text, err := reader.Decrypt(purpose, sealed); text != "text" || err != nil {
				t.Errorf("%q: %q, %v", purpose, text, err)
			}
		}
		if text, err := s.Decrypt(purpose+"other", sealed); err == nil {
			t.Errorf("opened for another purpose: %q", text)
		}
		if _, err := s.Decrypt(purpose, sealed[:len(sealed)-2]); err == nil {
			t.Error("damaged text is opened")
		}
	}
	if !rotated.Verify("a:x", signature) || s.Verify("a:x", rotated.Sign("a:x")) {
		t.Error("signatures after a rotation")
	}
	if a, b := RandomString(40, Digits), RandomString(40, Digits); len(a) != 40 || a == b || strings.Trim(a, Digits) != "" {
		t.Errorf("random digits %s and %s", a, b)
	}
	for header, want := range map[string]string{"Bearer x": "x", "bearer  x ": "x", "Basic x": "", "Bearer": "", "": ""} {
		if got := BearerToken(http.Header{"Authorization": {header}}); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
}

// TestServicesSessions: sessions are made, sent, replaced, read and ended.
func TestServicesSessions(t *testing.T) {
	b := newBench(t)
	ann := b.as("ann")
	user, err := b.plugin.s.UserByEmail(t.Context(), "ANN@example.com")
	if err != nil || user == nil {
		t.Fatal(user, err)
	}
	who := b.browser()
	var token string
	b.do(who, func(ctx context.Context, s *Services) error {
		session, err := s.SignIn(ctx, &SignIn{User: user, Method: "bench", DontRemember: true})
		if err == nil {
			token = session.Token
		}
		if data := NewSessionFromContext(ctx); data == nil || data.Session.Token != token {
			t.Error("the new session is not known")
		}
		return err
	}).ok(t)
	b.do(who, func(ctx context.Context, s *Services) error {
		data, err := s.Session(ctx, SessionStored)
		if err != nil || data == nil || data.Session.Token != token || !s.Forgets(ctx) {
			t.Fatalf("session %v, %v", data, err)
		}
		if got, ok := s.OpenSessionToken(who.cookies["better-auth.session_token"]); got != token || !ok {
			t.Errorf("token %q", got)
		}
		if _, ok := s.OpenSessionToken(token + ".x"); ok {
			t.Error("a token without a signature is opened")
		}
		fresh, err := s.CreateSession(ctx, data.User.ID, s.Forgets(ctx), data.Session)
		if err != nil || fresh.Token == token {
			t.Fatalf("in its place %v, %v", fresh, err)
		}
		if err := s.DeleteSession(ctx, token); err != nil {
			t.Fatal(err)
		}
		s.SetSession(ctx, &SessionData{Session: fresh, User: data.User}, s.Forgets(ctx))
		if old, err := s.SessionByToken(ctx, token); old != nil || err != nil {
			t.Errorf("the old one is there: %v, %v", old, err)
		}
		token = fresh.Token
		return nil
	}).ok(t)
	if !who.signedIn() || !ann.signedIn() || who.cookies["better-auth.dont_remember"] == "" {
		t.Error("a session is lost")
	}
	b.do(who, func(ctx context.Context, s *Services) error { s.ClearSession(ctx, true); return nil }).ok(t)
	if who.signedIn() || who.cookies["better-auth.dont_remember"] == "" {
		t.Error("the browser remembers its session")
	}
	b.do(who, func(ctx context.Context, s *Services) error {
		data, err := s.SessionByToken(ctx, token)
		if err != nil || data == nil {
			t.Fatal(data, err)
		}
		if visible := s.VisibleSession(data); visible.Session.Token != token || visible.User.ID != user.ID {
			t.Errorf("visible %v", visible)
		}
		if none, err := s.SessionByToken(ctx, ""); none != nil || err != nil {
			t.Errorf("the empty token: %v, %v", none, err)
		}
		s.SetSession(ctx, data, false)
		return nil
	}).ok(t)
	if !who.signedIn() || who.cookies["better-auth.dont_remember"] != "" {
		t.Error("a session that was sent does not count")
	}
	b.do(who, func(ctx context.Context, s *Services) error { return s.DeleteSession(ctx, token) }).ok(t)
	if who.signedIn() || !ann.signedIn() {
		t.Error("not one session has ended")
	}
	b.do(who, func(ctx context.Context, s *Services) error {
		if session, err := s.CreateSession(ctx, user.ID, false, nil); err != nil || session.UserID != user.ID {
			t.Errorf("created %v, %v", session, err)
		}
		s.ClearSession(ctx, false)
		return s.DeleteSessions(ctx, user.ID)
	}).ok(t)
	if n := count(t, b.world, b.core.sessions.table); n != 0 || ann.signedIn() {
		t.Errorf("%d sessions are left", n)
	}
}

// TestServicesCacheSession: the copy of a session says what a plugin has changed.
func TestServicesCacheSession(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Session.CookieCache.Enabled = true })
	ann := b.as("ann")
	got := b.do(ann, func(ctx context.Context, s *Services) error {
		data, err := s.Session(ctx, SessionRequired)
		if err != nil {
			return err
		}
		user, err := s.UpdateUser(ctx, data.User.ID, map[string]any{"name": "Annie"})
		if err != nil {
			return err
		}
		s.CacheSession(ctx, &SessionData{Session: data.Session, User: user})
		if NewSessionFromContext(ctx) != nil || SessionFromContext(ctx).User != user {
			t.Error("the session is taken for a new one, or is not the current one")
		}
		return nil
	}).ok(t)
	if got.cookie("better-auth.session_data") == "" || got.cookie("better-auth.session_token") != "" || ann.get("/get-session").field(t, "user.name") != "Annie" {
		t.Errorf("cookies %v", got.Header["Set-Cookie"])
	}
}

// TestServicesUsers: users are made, found, changed and shown.
func TestServicesUsers(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.User.Fields = []Column{{Name: "plan", Type: TypeString, Default: func() any { return "free" }}, {Name: "note", Type: TypeString, Optional: true, Hidden: true}}
		c.User.ValidateInfo = func(_ context.Context, user *User, source UserSource) error {
			if user.Name == "eve" {
				return NewError(403, "NO", "No")
			}
			return nil
		}
	})
	b.do(b.browser(), func(ctx context.Context, s *Services) error {
		fields, err := s.ParseUserFields(map[string]any{"note": "n", "unknown": 1}, true)
		if err != nil || fields["plan"] != "free" || fields["note"] != "n" || len(fields) != 2 {
			t.Errorf("fields %v, %v", fields, err)
		}
		if _, err := s.ParseUserFields(map[string]any{"plan": map[string]any{}}, false); apiError(err) == nil {
			t.Errorf("a plan that is no text: %v", err)
		}
		user := &User{Name: "ann", Email: "Ann@Example.com", Fields: fields}
		source := UserSource{Method: "bench"}
		if err := s.CreateUser(ctx, user, source); err != nil || user.ID == "" || user.Email != s.NormalEmail("ANN@EXAMPLE.COM") {
			t.Fatal(user, err)
		}
		if err := s.CreateUser(ctx, &User{Name: "bob", Email: "ann@example.com"}, source); !errors.Is(err, ErrConflict) {
			t.Errorf("a taken address: %v", err)
		}
		if err := s.CreateUser(ctx, &User{Name: "eve", Email: "eve@example.com"}, source); !errors.Is(err, Code("NO")) {
			t.Errorf("a refused user: %v", err)
		}
		changed, err := s.UpdateUser(ctx, user.ID, map[string]any{"plan": "gold"})
		if err != nil || changed.Fields["plan"] != "gold" {
			t.Errorf("changed %v, %v", changed, err)
		}
		if none, err := s.UpdateUser(ctx, "none", map[string]any{"plan": "gold"}); none != nil || err != nil {
			t.Errorf("changed nobody: %v, %v", none, err)
		}
		if found, err := s.User(ctx, Where("plan", "gold")); err != nil || found == nil || found.ID != user.ID {
			t.Errorf("found %v, %v", found, err)
		}
		if visible := s.VisibleUser(changed); visible.Fields["note"] != nil || visible.Fields["plan"] != "gold" || changed.Fields["note"] != "n" {
			t.Errorf("visible %v", visible)
		}
		return s.Transaction(ctx, func(ctx context.Context) error {
			if locked, err := s.LockUser(ctx, user.ID); err != nil || locked == nil || locked.Name != "ann" {
				t.Errorf("locked %v, %v", locked, err)
			}
			if none, err := s.LockUser(ctx, "none"); err != nil || none != nil {
				t.Errorf("locked nobody: %v, %v", none, err)
			}
			return nil
		})
	}).ok(t)
	for email, valid := range map[string]bool{"a@b.co": true, "a@b": false, "": false, "a b@c.de": false} {
		if ValidEmail(email) != valid {
			t.Errorf("%q is valid: %v", email, !valid)
		}
	}
}

// TestServicesPasswords: passwords are hashed, set and checked.
func TestServicesPasswords(t *testing.T) {
	b := newBench(t)
	ann := b.as("ann")
	user, _ := b.plugin.s.UserByEmail(t.Context(), "ann@example.com")
	b.do(ann, func(ctx context.Context, s *Services) error {
		account, err := s.PasswordAccount(ctx, user.ID)
		if err != nil || account == nil {
			t.Fatal(account, err)
		}
		if accounts, err := s.Accounts(ctx, user.ID); err != nil || len(accounts) != 1 {
			t.Errorf("accounts %v, %v", accounts, err)
		}
		for password, want := range map[string]bool{"password of ann": true, "wrong": false} {
			if ok, err := s.VerifyPassword(ctx, account, password); ok != want || err != nil {
				t.Errorf("%s: %v, %v", password, ok, err)
			}
		}
		if ok, err := s.VerifyPassword(ctx, nil, "password of ann"); ok || err != nil {
			t.Errorf("without an account: %v, %v", ok, err)
		}
		if _, err := s.VerifyPassword(ctx, account, strings.Repeat("x", 129)); !errors.Is(err, ErrPasswordTooLong) {
			t.Errorf("too long: %v", err)
		}
		if s.CheckPasswordLength("long enough") != nil || !errors.Is(s.CheckPasswordLength("short"), ErrPasswordTooShort) {
			t.Error("lengths")
		}
		if _, err := s.HashPassword(ctx, "short"); !errors.Is(err, ErrPasswordTooShort) {
			t.Errorf("too short: %v", err)
		}
		hash, err := s.HashPassword(ctx, "another password")
		if err != nil {
			return err
		}
		if err := s.SetPassword(ctx, user.ID, hash); err != nil {
			return err
		}
		stranger := &User{Name: "eve", Email: "eve@example.com"}
		if err := s.CreateUser(ctx, stranger, UserSource{Method: "bench"}); err != nil {
			return err
		}
		if account, err := s.PasswordAccount(ctx, stranger.ID); account != nil || err != nil {
			t.Errorf("a password of nobody: %v, %v", account, err)
		}
		return s.SetPassword(ctx, stranger.ID, hash)
	}).ok(t)
	for _, name := range []string{"ann", "eve"} {
		b.browser().post("/sign-in/email", map[string]any{"email": name + "@example.com", "password": "another password"}).ok(t)
	}
}

// TestServicesMailboxes: who proves a mailbox takes over what others have prepared
// for it, and an unverified address is refused where that is wanted.
func TestServicesMailboxes(t *testing.T) {
	b := newBench(t, func(c *Config) { c.EmailVerification.SendOnSignIn = true })
	ann := b.as("ann")
	b.do(ann, func(ctx context.Context, s *Services) error {
		user, err := s.UserByEmail(ctx, "ann@example.com")
		if err != nil {
			return err
		}
		if err := s.RefuseUnverified(ctx, user, nil); err != nil {
			t.Errorf("refused: %v", err)
		}
		s.SendVerificationEmail(ctx, user, "/welcome")
		if mail := b.lastMail(); mail.User.ID != user.ID || !strings.Contains(mail.URL, "%2Fwelcome") {
			t.Errorf("mail %+v", mail)
		}
		proven, err := s.ProveMailbox(ctx, user)
		if err != nil || !proven.EmailVerified {
			t.Errorf("proven %v, %v", proven, err)
		}
		if account, err := s.PasswordAccount(ctx, user.ID); account != nil || err != nil {
			t.Errorf("a password of who knows whom: %v, %v", account, err)
		}
		if again, err := s.ProveMailbox(ctx, proven); again != proven || err != nil {
			t.Errorf("proven again: %v, %v", again, err)
		}
		return nil
	}).ok(t)
	if ann.signedIn() {
		t.Error("a session of who knows whom goes on")
	}
	strict := newBench(t, func(c *Config) {
		c.EmailPassword.RequireEmailVerification, c.EmailVerification.SendOnSignIn = true, true
	})
	strict.do(strict.browser(), func(ctx context.Context, s *Services) error {
		page := "/welcome"
		return s.RefuseUnverified(ctx, &User{ID: "x", Email: "x@example.com"}, &page)
	}).fails(t, 403, ErrEmailNotVerified)
	if len(strict.mails) != 1 {
		t.Errorf("%d mails", len(strict.mails))
	}
}

// TestServicesVerifications: values are kept for a purpose, used once and in time.
func TestServicesVerifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s, ctx := b.plugin.s, t.Context()
		create := func(token, value string) {
			if err := s.CreateVerification(ctx, "bench:", token, value, time.Minute); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		create("t", "first")
		create("t", "second")
		if v, err := s.FindVerification(ctx, "bench:", "t"); err != nil || v == nil || v.Value != "second" {
			t.Fatal(v, err)
		}
		if v, err := s.ConsumeVerification(ctx, "other:", "t"); v != nil || err != nil {
			t.Errorf("for another purpose: %v, %v", v, err)
		}
		v, err := s.ConsumeVerification(ctx, "bench:", "t")
		if err != nil || v == nil || v.Value != "second" {
			t.Fatal(v, err)
		}
		if again, err := s.ConsumeVerification(ctx, "bench:", "t"); again != nil || err != nil {
			t.Errorf("again: %v, %v", again, err)
		}
		if err := s.RestoreVerification(ctx, v, "third"); err != nil {
			t.Fatal(err)
		}
		restored, err := s.FindVerification(ctx, "bench:", "t")
		if err != nil || restored.Value != "third" || !restored.ExpiresAt.Equal(v.ExpiresAt) {
			t.Errorf("restored %v, %v", restored, err)
		}
		if ok, err := s.ExtendVerification(ctx, "bench:", "t", time.Hour); !ok || err != nil {
			t.Errorf("extended: %v, %v", ok, err)
		}
		if ok, err := s.ExtendVerification(ctx, "bench:", "none", time.Hour); ok || err != nil {
			t.Errorf("extended nothing: %v, %v", ok, err)
		}
		time.Sleep(2 * time.Minute)
		if v, err := s.ConsumeVerification(ctx, "bench:", "t"); v == nil || err != nil {
			t.Errorf("after an extension: %v, %v", v, err)
		}
		create("late", "x")
		time.Sleep(2 * time.Minute)
		if v, err := s.ConsumeVerification(ctx, "bench:", "late"); v != nil || err != nil {
			t.Errorf("too late: %v, %v", v, err)
		}
		create("gone", "x")
		if err := s.DeleteVerifications(ctx, "bench:", "gone"); err != nil {
			t.Fatal(err)
		}
		if v, err := s.FindVerification(ctx, "bench:", "gone"); v != nil || err != nil {
			t.Errorf("deleted: %v, %v", v, err)
		}
	})
}

// TestServicesTransactions: tasks wait for the commit, what fails leaves nothing, and
// whoever was slower tries again.
func TestServicesTransactions(t *testing.T) {
	b := newBench(t)
	ran := ""
	task := func(name string) func(context.Context) error {
		return func(context.Context) error {
			ran += name
			if name == "f" {
				return errSecret
			}
			return nil
		}
	}
	b.do(b.browser(), func(ctx context.Context, s *Services) error {
		s.Background(ctx, "at once", task("a"))
		s.Background(ctx, "that fails", task("f"))
		err := s.Transaction(ctx, func(ctx context.Context) error {
			s.Background(ctx, "later", task("b"))
			if ran != "af" {
				t.Errorf("%q has run", ran)
			}
			return nil
		})
		if err != nil || ran != "afb" {
			t.Errorf("%q has run, %v", ran, err)
		}
		err = s.Transaction(ctx, func(ctx context.Context) error {
			s.Background(ctx, "never", task("c"))
			return errSecret
		})
		if !errors.Is(err, errSecret) || ran != "afb" {
			t.Errorf("%q has run, %v", ran, err)
		}
		tries := 0
		err = s.Insist(ctx, func(context.Context) error {
			if tries++; tries < 3 {
				return ErrConflict
			}
			return nil
		})
		if err != nil || tries != 3 {
			t.Errorf("%d tries, %v", tries, err)
		}
		s.Log().Info("a line of the plugin")
		s.Event(ctx, Event{Name: "bench event", UserID: "x", Attrs: []slog.Attr{slog.Int("n", 5)}})
		return nil
	}).ok(t)
	for _, want := range []string{"a line of the plugin", "bench event", "address=192.0.2.1 user=x n=5", "that fails"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("the log has no %q: %s", want, b.log.String())
		}
	}
}

// TestExchangeValues: what is kept with SetValue is there for the rest of the run, and
// for nobody else.
func TestExchangeValues(t *testing.T) {
	type key struct{}
	var seen []any
	look := func(x *Exchange) error {
		seen = append(seen, x.Value(key{}), context.WithoutCancel(x).Value(key{}))
		return nil
	}
	b := newBench(t, func(c *Config) {
		c.Plugins = append(c.Plugins, grafted("p", Extension{
			Before: []RouteHook{{Run: look}, {Run: func(x *Exchange) error { x.SetValue(key{}, "kept"); return nil }}, {Run: look}}, After: []RouteHook{{Run: look}},
		}))
	})
	b.act = func(ctx context.Context, _ *Services) error {
		if ctx.Value(key{}) != "kept" {
			t.Error("the endpoint does not see it")
		}
		return nil
	}
	for range 2 {
		seen = nil
		if _, err := b.own.Call(context.WithValue(t.Context(), key{}, "outside"), Empty{}); err != nil || !reflect.DeepEqual(seen, []any{"outside", "outside", "kept", "kept", "kept", "kept"}) {
			t.Errorf("seen %v, %v", seen, err)
		}
	}
	x := ExchangeFrom(t.Context())
	if x != nil {
		t.Error("a run outside of one")
	}
	r := httptest.NewRequest("POST", testBase+"/act", nil)
	r.Header.Set("X-Own", "1")
	b.act = func(ctx context.Context, _ *Services) error {
		if x := ExchangeFrom(ctx); x.RequestHeaders().Get("X-Own") != "1" || x.RequestHeader("x-own") != "1" {
			t.Errorf("headers %v", x.RequestHeaders())
		}
		return nil
	}
	b.browser().do(r).ok(t)
}
