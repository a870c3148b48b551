package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver sqlite

	"github.com/seed3b05b409/auth"
)

const (
	origin   = "http://localhost:3000"
	password = "correct horse battery staple"
)

// A site is an instance with ann, who has a password, social, who has none, and bea, who
// has a second factor. Its background tasks run when they are asked to, as on a queue.
type site struct {
	*auth.Auth
	name        string
	tasks       []func()
	codes       map[string]string // that were mailed, by address
	twoFactor   *auth.TwoFactor
	totpSecret  string // bea's
	backupCodes []string
}

// A siteKind says what the instance stands on.
type siteKind struct {
	name   string
	sqlite string              // file of the database; empty: memory
	hasher auth.PasswordHasher // nil: scrypt
	hides  bool                // sign-up does not tell who exists
}

func newSite(kind siteKind) (s *site, end func(), err error) {
	s = &site{name: kind.name, codes: make(map[string]string), twoFactor: &auth.TwoFactor{
		SkipVerificationOnEnable: true, Lockout: auth.TwoFactorLockout{Disabled: true},
	}}
	store, end := auth.Store(auth.NewMemoryStore()), func() {}
	if kind.sqlite != "" {
		db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(kind.sqlite)+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)")
		if err != nil {
			return nil, end, err
		}
		store, end = auth.NewSQLStore(db, auth.SQLite), func() { _ = db.Close() }
	}
	noMail := func(context.Context, auth.Mail) error { return nil }
	s.Auth, err = auth.New(auth.Config{
		BaseURL: origin, Secret: "a secret of at least 32 characters", Store: store,
		EmailPassword:     auth.EmailPassword{Enabled: true, SendResetPassword: noMail, RequireEmailVerification: kind.hides},
		EmailVerification: auth.EmailVerification{Send: noMail},
		Passwords:         auth.Passwords{Hasher: kind.hasher},
		RateLimit:         auth.RateLimit{Disabled: true},
		Account:           auth.AccountOptions{State: auth.StateInCookie},
		Providers: []auth.Provider{{
			ID: "acme", ClientID: "id", ClientSecret: "secret", AuthorizationURL: "https://acme.test/authorize",
			TokenURL: "https://acme.test/token", UserInfoURL: "https://acme.test/userinfo",
		}},
		Plugins: []auth.Plugin{
			&auth.Username{}, s.twoFactor,
			&auth.MagicLink{Send: func(context.Context, auth.MagicLinkMail) error { return nil }},
			&auth.EmailOTP{Send: func(_ context.Context, m auth.OTPMail) error { s.codes[m.Email] = m.Code; return nil }},
		},
		Background: func(task func()) { s.tasks = append(s.tasks, task) },
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, end, err
	}
	if err := s.Migrate(context.Background()); err != nil {
		return nil, end, err
	}
	return s, end, s.populate()
}

// populate makes ann, social and bea.
func (s *site) populate() error {
	if _, err := s.answer(post("/sign-up/email", map[string]any{
		"name": "Ann", "email": "ann@example.com", "username": "ann", "password": password,
	})); err != nil {
		return err
	}
	if err := s.protect(); err != nil {
		return err
	}
	code, err := s.code("social@example.com")
	if err != nil {
		return err
	}
	_, err = s.answer(post("/sign-in/email-otp", map[string]any{"email": "social@example.com", "otp": code, "name": "Social", "username": "social"}))
	return err
}

// protect makes bea.
func (s *site) protect() error {
	ctx := context.Background()
	bea, err := s.API.SignUpEmail.Call(ctx, auth.SignUpEmailRequest{Name: "Bea", Email: "bea@example.com", Password: password})
	if err != nil || bea.Token == nil { // no session: addresses have to be verified here
		return err
	}
	var response *http.Response
	if _, err = s.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: "bea@example.com", Password: password}, auth.AsResponse(&response)); err != nil {
		return err
	}
	header := make(http.Header)
	for _, c := range response.Cookies() {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	enabled, err := s.twoFactor.Enable.Call(ctx, auth.EnableTwoFactorRequest{Password: password}, auth.WithHeaders(header))
	if err != nil {
		return err
	}
	uri, err := url.Parse(enabled.TOTPURI)
	if err != nil {
		return err
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(uri.Query().Get("secret"))
	s.totpSecret, s.backupCodes = string(secret), enabled.BackupCodes
	return err
}

// challenge signs bea in up to the second factor and returns the browser's cookie.
func (s *site) challenge() *http.Cookie {
	r, _ := s.answer(post("/sign-in/email", map[string]any{"email": "bea@example.com", "password": password})) // it has answered before
	for _, c := range r.Cookies() {
		if strings.HasSuffix(c.Name, ".two_factor") {
			return c
		}
	}
	panic("timingtest: no challenge")
}

// settle runs the tasks that wait.
func (s *site) settle() {
	for _, task := range s.tasks {
		task()
	}
	s.tasks = nil
}

// answer serves a request that has to succeed.
func (s *site) answer(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, r)
	s.settle()
	if recorder.Code != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %d %s", s.name, r.URL.Path, recorder.Code, recorder.Body)
	}
	return recorder.Result(), nil
}

// code has a code to sign in with mailed to an address and returns it.
func (s *site) code(email string) (string, error) {
	_, err := s.answer(post("/email-otp/send-verification-otp", map[string]any{"email": email, "type": "sign-in"}))
	return s.codes[email], err
}

func post(path string, body map[string]any) *http.Request {
	text, _ := json.Marshal(body) // texts always encode
	r := httptest.NewRequest(http.MethodPost, origin+"/api/auth"+path, bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", origin)
	return r
}

func get(path string, cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, origin+"/api/auth"+path, nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

// cheap is a hash that costs nothing, so that it hides nothing either.
type cheap struct{}

func (cheap) Hash(_ context.Context, password string) (string, error) {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:]), nil
}

func (c cheap) Verify(ctx context.Context, hash, password string) (bool, error) {
	made, err := c.Hash(ctx, password)
	return made == hash, err
}
