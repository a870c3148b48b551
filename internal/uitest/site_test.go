package uitest

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed app/.npmrc app/package.json app/package-lock.json app/tsconfig.json app/vite.config.ts app/index.html app/src
var program embed.FS

//go:embed original.mjs
var scripts embed.FS

const secret = "a secret for tests, 32 bytes long"

// build returns the folder with the built pages.
func build(t *testing.T) string {
	t.Helper()
	app, err := fs.Sub(program, "app")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(testnode.Build(t, app), "dist")
}

// A site is one origin with the pages and, below /api/auth/, a server.
type site struct {
	origin string
	db     *sql.DB // SQLite, with the same tables whichever the server is
	mails  chan mail
}

type mail struct {
	Kind string `json:"kind"`
	To   string `json:"to"`
	URL  string `json:"url"`
	Code string `json:"code"`
}

// newSite serves pages and what serve returns for the origin of the site.
func newSite(t *testing.T, pages string, serve func(*testing.T, *site, testdb.Database) http.Handler) *site {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	file := testdb.SQLite.New(t)
	s := &site{origin: server.URL, db: file.Open(t), mails: make(chan mail, 16)}
	mux.Handle("/api/auth/", serve(t, s, file))
	mux.Handle("/", files(t, pages, ""))
	return s
}

// files serves a folder, and its index.html for every path that no file has. The
// pages ask a server at another origin, unless that is "".
func files(t *testing.T, dir, server string) http.Handler {
	t.Helper()
	index, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	index = bytes.Replace(index, []byte(`name="auth-server" content=""`), []byte(`name="auth-server" content="`+server+`"`), 1)
	mux := http.NewServeMux()
	mux.Handle("/assets/", http.FileServer(http.Dir(dir)))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(index))
	})
	return mux
}

// library serves this library.
func library(t *testing.T, s *site, _ testdb.Database) http.Handler {
	t.Helper()
	return newAuth(t, config(t, s))
}

func newAuth(t *testing.T, c auth.Config) *auth.Auth {
	t.Helper()
	a, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// config has what the pages offer.
func config(t *testing.T, s *site) auth.Config {
	send := func(kind string) func(context.Context, auth.Mail) error {
		return func(_ context.Context, m auth.Mail) error {
			s.mails <- mail{Kind: kind, To: m.User.Email, URL: m.URL}
			return nil
		}
	}
	return auth.Config{
		BaseURL:           s.origin,
		Secret:            secret,
		Store:             auth.NewSQLStore(s.db, auth.SQLite),
		Logger:            slog.New(slog.NewTextHandler(t.Output(), nil)),
		RateLimit:         auth.RateLimit{Disabled: true},
		EmailPassword:     auth.EmailPassword{Enabled: true, SendResetPassword: send("reset")},
		EmailVerification: auth.EmailVerification{Send: send("verification")},
		User:              auth.UserOptions{ChangeEmail: auth.ChangeEmail{Enabled: true}, Delete: auth.DeleteUser{Enabled: true}},
		Plugins: []auth.Plugin{
			&auth.Username{},
			&auth.MagicLink{Send: func(_ context.Context, m auth.MagicLinkMail) error {
				s.mails <- mail{Kind: "magic link", To: m.Email, URL: m.URL}
				return nil
			}},
			&auth.TwoFactor{OTP: auth.TwoFactorOTPOptions{Send: func(_ context.Context, user *auth.User, code string) error {
				s.mails <- mail{Kind: "code", To: user.Email, Code: code}
				return nil
			}}},
			&auth.MultiSession{},
		},
	}
}

// original passes requests on to the npm package.
func original(t *testing.T, s *site, file testdb.Database) http.Handler {
	t.Helper()
	process := testnode.Start(t, testnode.InstallSQLite(t, scripts), "original.mjs", func(event json.RawMessage) {
		var m mail
		if err := json.Unmarshal(event, &m); err != nil {
			m.Kind = fmt.Sprintf("%s: %v", event, err)
		}
		s.mails <- m
	})
	t.Cleanup(process.Stop)
	var served struct{ At string }
	process.Ask(t, "serve", map[string]any{"origin": s.origin, "database": file.URL}, &served)
	at, err := url.Parse(served.At)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(at)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil { // the page still waits
				t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
				w.WriteHeader(http.StatusBadGateway)
			}
		},
	}
}

// mail waits for the next one, which has to be of a kind and to an address.
func (s *site) mail(t *testing.T, kind, to string) mail {
	t.Helper()
	select {
	case m := <-s.mails:
		if m.Kind != kind || m.To != to {
			t.Fatalf("a mail %q to %s, want %q to %s", m.Kind, m.To, kind, to)
		}
		return m
	case <-time.After(actionTimeout):
		t.Fatalf("no mail %q to %s", kind, to)
	}
	return mail{}
}

// get returns the one value that a query finds.
func (s *site) get(t *testing.T, query string, arguments ...any) string {
	t.Helper()
	var value any
	if err := s.db.QueryRowContext(t.Context(), query, arguments...).Scan(&value); err != nil {
		t.Fatalf("%s %v: %v", query, arguments, err)
	}
	return fmt.Sprint(value)
}
