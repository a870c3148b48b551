package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// guarded answers with the name of who is signed in.
var guarded = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte(SessionFromContext(r.Context()).User.Name))
})

func visitGuarded(h http.Handler, header http.Header) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "https://app.example/me", nil)
	r.Header = header
	h.ServeHTTP(rec, r)
	return rec
}

// TestClientRequireSession: a guarded handler is reached with a session only, which is
// prolonged when that is due, whether the server does that on a GET or a POST.
func TestClientRequireSession(t *testing.T) {
	for _, deferred := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.Session.DeferRefresh = deferred })
			ann := w.as("ann")
			c := mustClient(t, "http://auth.internal", ClientHTTP(servePipe(t, w)), ClientOrigin(testOrigin))
			h := c.RequireSession(guarded)
			if rec := visitGuarded(h, ann.headers()); rec.Code != 200 || rec.Body.String() != "ann" || rec.Header()["Set-Cookie"] != nil {
				t.Errorf("%d %s, %v", rec.Code, rec.Body, rec.Header())
			}
			for _, header := range []http.Header{{}, {"Cookie": {"better-auth.session_token=x.y"}}} {
				if rec := visitGuarded(h, header); rec.Code != 401 || !strings.Contains(rec.Body.String(), "UNAUTHORIZED") {
					t.Errorf("%v: %d %s", header, rec.Code, rec.Body)
				}
			}
			time.Sleep(2 * 24 * time.Hour)
			r := httptest.NewRequest("GET", "/", nil)
			r.Header = ann.headers()
			old, err := c.Session(r)
			if err != nil || old == nil || time.Until(old.Session.ExpiresAt) > 5*24*time.Hour {
				t.Fatalf("Session prolongs: %+v, %v", old, err)
			}
			rec := visitGuarded(h, ann.headers())
			if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Set-Cookie"), "better-auth.session_token=") {
				t.Errorf("deferred %v: %d, %v", deferred, rec.Code, rec.Header())
			}
			data, err := c.Session(r)
			if err != nil || data == nil || time.Until(data.Session.ExpiresAt) < 6*24*time.Hour {
				t.Errorf("deferred %v: the session was not prolonged: %+v, %v", deferred, data, err)
			}
		})
	}
}

// TestClientRequireSessionOddAnswers: what is neither a session nor "none" lets nobody
// in and is a failure of the server, not of the visitor.
func TestClientRequireSessionOddAnswers(t *testing.T) {
	const session = `{"session":{"id":"s","token":"t","userId":"u","expiresAt":"2999-01-01T00:00:00.000Z"},"user":{"id":"u","name":"ann"}}`
	edit := func(old, new string) string { return strings.Replace(session, old, new, 1) }
	refused := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("secret network") })}
	for _, tt := range []struct {
		reason string
		client *http.Client
		want   int
	}{
		{"a session", answers(200, session), 200},
		{"none", answers(200, "null"), 401},
		{"revoked a moment ago", answers(401, `{"code":"FAILED_TO_GET_SESSION"}`), 401},
		{"an empty object", answers(200, "{}"), 500},
		{"empty parts", answers(200, `{"session":{},"user":{}}`), 500},
		{"no user", answers(200, edit(`"user":{"id":"u"`, `"other":{"id":"u"`)), 500},
		{"another user", answers(200, edit(`"user":{"id":"u"`, `"user":{"id":"v"`)), 500},
		{"an array", answers(200, "[]"), 500},
		{"a page", answers(200, "<title>Welcome</title>"), 500},
		{"nothing", answers(200, ""), 500},
		{"no content", answers(204, ""), 401},
		{"a redirect", answers(302, "", "Location", "/login"), 500},
		{"not found", answers(404, ""), 500},
		{"too many requests", answers(429, `{"message":"Too many requests"}`), 500},
		{"failed", answers(500, ""), 500},
		{"no network", refused, 500},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := mustClient(t, "http://auth.internal", ClientHTTP(tt.client))
			rec := visitGuarded(c.RequireSession(guarded), http.Header{"Cookie": {"a=b"}})
			if rec.Code != tt.want || strings.Contains(rec.Body.String(), "secret") {
				t.Errorf("%s: %d %s", tt.reason, rec.Code, rec.Body)
			}
		})
	}
}

// TestClientColumns: values of additional columns have the same types as in process.
func TestClientColumns(t *testing.T) {
	user := []Column{{Name: "born", Type: TypeDate, Nullable: true, Optional: true}, {Name: "tags", Type: TypeStrings, Nullable: true, Optional: true}}
	session := []Column{{Name: "seen", Type: TypeDate, Nullable: true, Optional: true}}
	w := newWorld(t, func(c *Config) { c.User.Fields, c.Session.Fields = user, session })
	c := newClientOf(t, w, ClientColumns(user, session))
	born := time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC)
	in := SignUpEmailRequest{Name: "Ada", Email: "ada@example.com", Password: "password", Fields: map[string]any{"born": born, "tags": []string{"a", "b"}}}
	if out, err := c.API.SignUpEmail.Call(t.Context(), in); err != nil || out.User.Fields["born"] != any(born) {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, err := c.API.UpdateSession.Call(t.Context(), UpdateSessionRequest{Fields: map[string]any{"seen": born}}); err != nil {
		t.Fatal(err)
	}
	remote, err := c.API.GetSession.Call(t.Context(), GetSessionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	local, err := w.core.liveSession(t.Context(), remote.Session.Token)
	if err != nil || !reflect.DeepEqual(remote.User.Fields, local.User.Fields) || !reflect.DeepEqual(remote.Session.Fields, local.Session.Fields) {
		t.Errorf("%v and %v, in process %v and %v", remote.User.Fields, remote.Session.Fields, local.User.Fields, local.Session.Fields)
	}
	if a, b := encodeResult(t, remote), encodeResult(t, local); a != b {
		t.Errorf("%s\nin process %s", a, b)
	}
	wrong := mustClient(t, "http://h", ClientHTTP(answers(200, `[{"id":"x","seen":5}]`)), ClientColumns(nil, session))
	if _, err := wrong.API.ListSessions.Call(t.Context(), Empty{}); err == nil || apiError(err) != nil || !strings.Contains(err.Error(), "seen") {
		t.Errorf("a date that is none: %v", err)
	}
}
