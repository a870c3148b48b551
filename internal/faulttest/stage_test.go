package faulttest

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

const (
	origin     = "http://auth.test"
	base       = origin + "/api/auth"
	patience   = 10 * time.Second // after which a request hangs
	annsSecret = "password of ann"
)

// A stage is a database with a few people in it, and an instance on a wire to
// it.
type stage struct {
	t    *testing.T
	db   *database
	wire *Wire

	pool     *sql.DB
	auth     *auth.Auth
	plain    *sql.DB    // on no wire
	director *auth.Auth // on that, to prepare what is played
	plugged  *auth.Auth // a director with all plugins
	core     *auth.Auth // one without any

	mu    sync.Mutex // guards what follows
	mails []auth.Mail
	log   bytes.Buffer

	words map[string]string // what $NAME stands for in requests
	jar   map[string]string // further cookies of requests
	acme  acme

	backupCodes []string // of the last protected user
}

// newStage makes the tables, those of plugins too, Ann with two sessions and an
// account at GitHub beside her password, and Bob, who is to be left alone.
func newStage(t *testing.T, db *database) *stage {
	s := emptyStage(t, db, nil)
	s.plugged = s.instance(s.plain, plugged)
	if err := s.plugged.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.direct("/sign-up/email", `{"name":"Bob","email":"bob@example.com","password":"password of bob"}`)
	s.words["ANN"] = s.session(s.direct("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"password of ann"}`))
	s.words["PHONE"] = s.session(s.direct("/sign-in/email", `{"email":"ann@example.com","password":"password of ann"}`))
	s.words["ANNTOKEN"], s.words["PHONETOKEN"] = bearer(s.words["ANN"]), bearer(s.words["PHONE"])
	var userID string
	for id, account := range db.snapshot(t)["account"] {
		if account["password"] == storedForm(annsSecret) {
			s.words["CREDENTIAL"], userID = id, account["userId"]
		}
	}
	s.words["GITHUB"], s.words["USER"] = "account-at-github", userID
	db.exec(t, `INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
		SELECT 'account-at-github', '12345', 'github', "userId", "createdAt", "updatedAt" FROM "account" WHERE "id" = ?`, s.words["CREDENTIAL"])
	db.shelves(t)
	return s
}

// emptyStage makes the tables.
func emptyStage(t *testing.T, db *database, change func(*auth.Config)) *stage {
	s := &stage{t: t, db: db, wire: new(Wire), words: make(map[string]string), jar: make(map[string]string)}
	s.acme.forgive()
	connector, err := db.connect(db.source, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.plain = sql.OpenDB(connector)
	t.Cleanup(func() { _ = s.plain.Close() })
	s.core = s.instance(s.plain, change)
	s.director = s.core
	if err := s.director.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// open makes the instance that is played on, with nothing prepared.
func (s *stage) open(change func(*auth.Config)) {
	if s.pool != nil {
		_ = s.pool.Close()
	}
	s.pool = s.db.pool(s.t, s.wire)
	s.auth = s.instance(s.pool, change)
}

func (s *stage) instance(pool *sql.DB, change func(*auth.Config)) *auth.Auth {
	s.t.Helper()
	config := auth.Config{
		BaseURL:   origin,
		Secret:    strings.Repeat("secret of the server ", 2),
		Store:     auth.NewSQLStore(pool, s.db.Dialect),
		Passwords: auth.Passwords{Hasher: plainHasher{}},
		EmailPassword: auth.EmailPassword{
			Enabled: true, SendResetPassword: s.mail, RevokeSessionsOnPasswordReset: true,
		},
		EmailVerification: auth.EmailVerification{Send: s.mail, AutoSignIn: true},
		User:              auth.UserOptions{ChangeEmail: auth.ChangeEmail{Enabled: true}, Delete: auth.DeleteUser{Enabled: true}},
		Session:           auth.SessionOptions{Fields: []auth.Column{{Name: "theme", Type: auth.TypeString, Nullable: true, Optional: true}}},
		Providers:         []auth.Provider{acmeProvider("acme")},
		HTTPClient:        &http.Client{Transport: &s.acme},
		RateLimit:         auth.RateLimit{Disabled: true},
		Logger:            slog.New(slog.NewTextHandler(s, nil)),
	}
	if change != nil {
		change(&config)
	}
	a, err := auth.New(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// Write takes the lines of the log.
func (s *stage) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(line)
}

func (s *stage) mail(_ context.Context, m auth.Mail) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	return nil
}

// forget empties the log and the outbox.
func (s *stage) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Reset()
	s.mails = nil
}

func (s *stage) noted() (log string, mails int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String(), len(s.mails)
}

// request makes a request of somebody, whose name is in words, or of a stranger.
// A callback of a provider comes from the browser of the last flow.
func (s *stage) request(method, path, body, as string) *http.Request {
	r := httptest.NewRequest(method, base+s.spell(path), strings.NewReader(s.spell(body)))
	r.Header.Set("Origin", origin)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if as != "" {
		r.Header.Set("Cookie", tokenCookie+"="+s.words[as])
	}
	for _, name := range slices.Sorted(maps.Keys(s.jar)) {
		r.AddCookie(&http.Cookie{Name: name, Value: s.jar[name]})
	}
	if strings.HasPrefix(path, "/callback/") {
		r.AddCookie(&http.Cookie{Name: stateCookie, Value: s.words["FLOW"]})
	}
	return r
}

var word = regexp.MustCompile(`\$[A-Z]+`)

// spell puts the words into a text.
func (s *stage) spell(text string) string {
	return word.ReplaceAllStringFunc(text, func(name string) string {
		if name == "$TOTP" {
			return s.totp()
		}
		value, ok := s.words[name[1:]]
		if !ok {
			s.t.Fatalf("%s stands for nothing", name)
		}
		return value
	})
}

// direct has the director post something that must succeed.
func (s *stage) direct(path, body string) *http.Response { return s.directAs("", path, body) }

func (s *stage) directAs(as, path, body string) *http.Response {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.director.ServeHTTP(w, s.request(http.MethodPost, path, body, as))
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Result()
}

// mailed keeps the token of the last mail as $TOKEN.
func (s *stage) mailed() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mails) == 0 {
		s.t.Fatal("no mail was sent")
	}
	s.words["TOKEN"] = s.mails[len(s.mails)-1].Token
}

const tokenCookie = "better-auth.session_token"

// session returns the session cookie of a response.
func (s *stage) session(r *http.Response) string {
	for _, c := range r.Cookies() {
		if c.Name == tokenCookie && c.MaxAge >= 0 {
			return c.Value
		}
	}
	s.t.Fatal("no session in the response")
	return ""
}

// bearer is the token in a session cookie.
func bearer(cookie string) string {
	token, _, _ := strings.Cut(cookie, ".")
	return token
}

// plainHasher costs nothing.
type plainHasher struct{}

func storedForm(password string) string { return "new:" + password }

func (plainHasher) Hash(_ context.Context, password string) (string, error) {
	return storedForm(password), nil
}

func (plainHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	return strings.TrimPrefix(strings.TrimPrefix(hash, "new:"), "old:") == password, nil
}

func (plainHasher) Outdated(hash string) bool { return strings.HasPrefix(hash, "old:") }
