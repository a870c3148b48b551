package redistest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
	"github.com/seed3b05b409/auth/redisstorage"
)

const secret = "a secret for tests, 32 bytes long"

// plainHasher keeps the tests fast: no password here is worth a hash.
type plainHasher struct{}

func (plainHasher) Hash(_ context.Context, password string) (string, error) { return password, nil }

func (plainHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == password, nil
}

// goServer is a server of this library whose sessions are in Redis.
type goServer struct {
	*auth.Auth
	origin string

	mu    sync.Mutex
	mails []auth.Mail
}

func startGo(t *testing.T, client redis.UniversalClient, prefix string, edit ...func(*auth.Config)) *goServer {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s := &goServer{origin: server.URL}
	config := auth.Config{
		BaseURL: server.URL, Secret: secret, Store: auth.NewSQLStore(testdb.SQLite.Open(t), auth.SQLite),
		SecondaryStorage: redisstorage.New(client, redisstorage.Options{Prefix: prefix}),
		EmailPassword: auth.EmailPassword{Enabled: true, RevokeSessionsOnPasswordReset: true,
			SendResetPassword: func(_ context.Context, m auth.Mail) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.mails = append(s.mails, m)
				return nil
			}},
		User: auth.UserOptions{
			Fields: []auth.Column{
				{Name: "plan", Type: auth.TypeString, Nullable: true, Optional: true},
				{Name: "secretNote", Type: auth.TypeString, Nullable: true, Optional: true, Hidden: true, Default: func() any { return "hush" }},
			},
			Delete: auth.DeleteUser{Enabled: true},
		},
		Passwords: auth.Passwords{Hasher: plainHasher{}},
		Logger:    slog.New(slog.DiscardHandler),
		RateLimit: auth.RateLimit{Rules: map[string]auth.RateRule{
			"/**": {Unlimited: true}, "/ok": {Window: time.Minute, Max: 5},
		}},
	}
	for _, e := range edit {
		e(&config)
	}
	var err error
	if s.Auth, err = auth.New(config); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil { // no table for what only Redis has
		t.Fatal(err)
	}
	mux.Handle("/api/auth/", s.Auth)
	return s
}

// browser keeps the cookies of one host, whichever port it is at.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t, &http.Client{Jar: jar}}
}

// post sends JSON and returns status and body.
func (b *browser) post(origin, path string, body any) (int, string) {
	b.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	r, _ := http.NewRequestWithContext(b.t.Context(), http.MethodPost, origin+"/api/auth"+path, bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", origin)
	return b.do(r)
}

func (b *browser) get(origin, path string) (int, string) {
	b.t.Helper()
	r, _ := http.NewRequestWithContext(b.t.Context(), http.MethodGet, origin+"/api/auth"+path, nil)
	return b.do(r)
}

func (b *browser) do(r *http.Request) (int, string) {
	b.t.Helper()
	r.Header.Set("X-Forwarded-For", "203.0.113.7") // the only address that the original believes
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// must is post for requests that succeed.
func (b *browser) must(origin, path string, body any) string {
	b.t.Helper()
	status, text := b.post(origin, path, body)
	if status != http.StatusOK {
		b.t.Fatalf("%s%s: %d %s", origin, path, status, text)
	}
	return text
}

// sessionAt is what get-session of a server says.
type sessionAt struct {
	Session struct{ Token, UserID string }
	User    struct{ Name, Plan string }
}

// at returns the browser's session at a server, nil if it has none.
func (b *browser) at(origin string) *sessionAt {
	b.t.Helper()
	status, body := b.get(origin, "/get-session")
	if strings.Contains(body, "hush") {
		b.t.Errorf("%s shows a hidden column: %s", origin, body)
	}
	var s *sessionAt
	if err := json.Unmarshal([]byte(body), &s); err != nil || status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", origin, status, body)
	}
	return s
}

// tokens are those of list-sessions.
func (b *browser) tokens(origin string) []string {
	b.t.Helper()
	status, body := b.get(origin, "/list-sessions")
	var list []struct{ Token string }
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", origin, status, body)
	}
	var tokens []string
	for _, s := range list {
		tokens = append(tokens, s.Token)
	}
	return tokens
}

func person(name string) map[string]any {
	return map[string]any{"name": name, "email": name + "@example.com", "password": "password of " + name}
}

func signUp(t *testing.T, origin, name string) *browser {
	t.Helper()
	b := newBrowser(t)
	b.must(origin, "/sign-up/email", person(name))
	return b
}

func signIn(t *testing.T, origin, name string) *browser {
	t.Helper()
	b := newBrowser(t)
	b.must(origin, "/sign-in/email", person(name))
	return b
}

// A user's whole life over Redis, in every mode.
func TestFlows(t *testing.T) {
	client := connect(t)
	for mode, edit := range map[string]func(*auth.Config){
		"sessions in Redis": func(*auth.Config) {},
		"sessions in both": func(c *auth.Config) {
			c.Session.StoreInDatabase, c.Verification.StoreInDatabase = true, true
		},
		"rows preserved": func(c *auth.Config) {
			c.Session.StoreInDatabase, c.Session.PreserveInDatabase = true, true
		},
	} {
		t.Run(mode, func(t *testing.T) {
			prefix := namespace(t, client)
			live(t, startGo(t, client, prefix, edit))
			for _, key := range keys(t, client, prefix) {
				if !strings.Contains(key, "revoked-sessions-before-") {
					t.Errorf("%s is left", key)
				} else if ttl := client.TTL(t.Context(), key).Val(); ttl < 6*24*time.Hour || ttl > 7*24*time.Hour {
					t.Errorf("%s lives for %v", key, ttl)
				}
			}
		})
	}
}

func live(t *testing.T, s *goServer) {
	one := signUp(t, s.origin, "ann")
	two, three := signIn(t, s.origin, "ann"), signIn(t, s.origin, "ann")
	if got := one.tokens(s.origin); len(got) != 3 {
		t.Errorf("sessions %q", got)
	}
	one.must(s.origin, "/update-user", map[string]any{"name": "Ann", "plan": "free"})
	if got := two.at(s.origin); got == nil || got.User.Name != "Ann" || got.User.Plan != "free" {
		t.Errorf("the other browser sees %+v", got)
	}
	one.must(s.origin, "/revoke-session", map[string]any{"token": two.at(s.origin).Session.Token})
	if two.at(s.origin) != nil || three.at(s.origin) == nil {
		t.Error("one session was revoked, not these")
	}
	one.must(s.origin, "/change-password", map[string]any{
		"currentPassword": "password of ann", "newPassword": "new password", "revokeOtherSessions": true})
	if three.at(s.origin) != nil || one.at(s.origin) == nil {
		t.Error("a new password leaves one session")
	}
	newBrowser(t).must(s.origin, "/request-password-reset", map[string]any{"email": "ann@example.com"})
	s.mu.Lock()
	token := s.mails[len(s.mails)-1].Token
	s.mu.Unlock()
	newBrowser(t).must(s.origin, "/reset-password", map[string]any{"token": token, "newPassword": "password of ann"})
	if status, _ := newBrowser(t).post(s.origin, "/reset-password", map[string]any{"token": token, "newPassword": "once more, please"}); status != http.StatusBadRequest {
		t.Errorf("a spent token: %d", status)
	}
	if one.at(s.origin) != nil {
		t.Error("a reset ends all sessions")
	}
	four := signIn(t, s.origin, "ann")
	five := signIn(t, s.origin, "ann")
	four.must(s.origin, "/sign-out", map[string]any{})
	if four.at(s.origin) != nil {
		t.Error("signed out")
	}
	five.must(s.origin, "/delete-user", map[string]any{"password": "password of ann"})
	if five.at(s.origin) != nil {
		t.Error("the session of a deleted user")
	}
}

// However many processes and requests there are, a limit is a limit.
func TestRateLimit(t *testing.T) {
	client := connect(t)
	prefix := namespace(t, client)
	var allowed atomic.Int64
	var group sync.WaitGroup
	for range 2 {
		s := startGo(t, client, prefix)
		for range 20 {
			group.Go(func() {
				response, err := http.Get(s.origin + "/api/auth/ok")
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				switch {
				case response.StatusCode == http.StatusOK:
					allowed.Add(1)
				case response.StatusCode != http.StatusTooManyRequests || response.Header.Get("X-Retry-After") != "60":
					t.Errorf("%s %v", response.Status, response.Header)
				}
			})
		}
	}
	group.Wait()
	if n := allowed.Load(); n != 5 {
		t.Errorf("%d of 40 requests passed, want 5", n)
	}
	if found := keys(t, client, prefix); len(found) != 1 || found[0] != prefix+"127.0.0.1|/ok" {
		t.Errorf("keys %q", found)
	}
}

// Many sign-ins of one user at once: none is missing in the list.
func TestConcurrentSignIns(t *testing.T) {
	client := connect(t)
	s := startGo(t, client, namespace(t, client))
	ann := signUp(t, s.origin, "ann")
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() { newBrowser(t).post(s.origin, "/sign-in/email", person("ann")) })
	}
	group.Wait()
	if got := ann.tokens(s.origin); len(got) != 13 {
		t.Errorf("%d sessions are listed, want 13", len(got))
	}
	ann.must(s.origin, "/revoke-other-sessions", map[string]any{})
	if got := ann.tokens(s.origin); len(got) != 1 || ann.at(s.origin) == nil {
		t.Errorf("%d sessions are left, want 1", len(got))
	}
}
