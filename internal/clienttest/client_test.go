package clienttest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testnode"
)

// themes are what one run of drive.mjs each does.
var themes = [][]string{{"everywhere", "complete"}, {"endpoints"}, {"fetch"}, {"atom"}, {"react"}, {"social"},
	{"username", "magic_link", "email_otp", "two_factor", "jwt", "multi_session", "one_time_token", "bearer"}}

// The promise: an unmodified client cannot tell the difference. The same
// steps pass at the npm package, so that they ask for nothing of our own.
func TestOfficialClients(t *testing.T) {
	testnode.Require(t)
	op := newProvider(t)
	t.Run("npm", func(t *testing.T) {
		driveAll(t, originals(t, op))
	})
	t.Run("library", func(t *testing.T) {
		seen := &requests{}
		plain, strict := newSite(t, "/api/auth", plainConfig, op, seen), newSite(t, "/auth", strictConfig, op, seen)
		plugins := newSite(t, "/api/auth", pluginsConfig, op, seen)
		if !driveAll(t, trio{plain.origin, strict.origin, plugins.origin, op.url}) {
			return
		}
		t.Run("every endpoint", func(t *testing.T) { seen.cover(t, plugins.auth.API.Operations()) })
	})
}

// driveAll reports whether every theme has run and passed.
func driveAll(t *testing.T, servers trio) bool {
	t.Helper()
	complete := true
	for _, names := range themes {
		ran := false
		passed := t.Run(strings.Join(names, " and "), func(t *testing.T) {
			ran = true
			servers.drive(t, names...)
		})
		complete = complete && ran && passed
	}
	return complete
}

// plainConfig has everything switched on that needs no mail to begin with. The
// rate limit is off: the steps sign in more often than a person does.
func plainConfig(mails *outbox, op auth.Provider) auth.Config {
	return auth.Config{
		Providers:         []auth.Provider{op},
		EmailPassword:     auth.EmailPassword{Enabled: true, SendResetPassword: mails.send("reset")},
		EmailVerification: auth.EmailVerification{Send: mails.send("verification")},
		User: auth.UserOptions{
			ChangeEmail: auth.ChangeEmail{Enabled: true, SendConfirmation: mails.send("confirmation")},
			Delete:      auth.DeleteUser{Enabled: true},
			Fields: []auth.Column{
				{Name: "plan", Type: auth.TypeString, Nullable: true, Optional: true},
				{Name: "score", Type: auth.TypeNumber, Nullable: true, Optional: true},
				{Name: "trialEnds", Type: auth.TypeDate, Nullable: true, Optional: true},
				{Name: "role", Type: auth.TypeString, Nullable: true, Optional: true, ServerOnly: true, Default: func() any { return "reader" }},
				{Name: "note", Type: auth.TypeString, Nullable: true, Optional: true, Hidden: true},
			},
		},
		Session: auth.SessionOptions{
			Fields: []auth.Column{{Name: "place", Type: auth.TypeString, Nullable: true, Optional: true}},
		},
	}
}

// strictConfig asks for a mail wherever it can, for two requests to prolong a
// session, and for a word of their own from users who are new. It keeps in cookies
// what it can.
func strictConfig(mails *outbox, op auth.Provider) auth.Config {
	op.RequireEmailVerification, op.DisableImplicitSignUp = true, true
	return auth.Config{
		Providers: []auth.Provider{op},
		Account:   auth.AccountOptions{StoreCookie: true, State: auth.StateInCookie},
		EmailPassword: auth.EmailPassword{
			Enabled:                       true,
			RequireEmailVerification:      true,
			SendResetPassword:             mails.send("reset"),
			RevokeSessionsOnPasswordReset: true,
		},
		EmailVerification: auth.EmailVerification{Send: mails.send("verification"), SendOnSignIn: true, AutoSignIn: true},
		User:              auth.UserOptions{Delete: auth.DeleteUser{Enabled: true, SendVerification: mails.send("deletion")}},
		Session:           auth.SessionOptions{DeferRefresh: true, RefreshAlways: true},
	}
}

// pluginsConfig has all plugins, those that sign in in front of those that look at
// sessions, and passwords that cost nothing.
func pluginsConfig(mails *outbox, _ auth.Provider) auth.Config {
	return auth.Config{
		AppName: "Analytical Engines",
		Plugins: []auth.Plugin{
			&auth.Username{},
			&auth.MagicLink{Send: func(_ context.Context, m auth.MagicLinkMail) error {
				return mails.add(mail{Kind: "magic link", To: m.Email, URL: m.URL, Token: m.Token})
			}},
			&auth.EmailOTP{
				Send: func(_ context.Context, m auth.OTPMail) error {
					return mails.add(mail{Kind: string(m.Type), To: m.Email, Token: m.Code})
				},
				EmailChange: auth.OTPEmailChange{Enabled: true, VerifyCurrent: true},
			},
			&auth.TwoFactor{OTP: auth.TwoFactorOTPOptions{Send: func(_ context.Context, user *auth.User, code string) error {
				return mails.add(mail{Kind: "second factor", To: user.Email, Token: code})
			}}},
			&auth.JWT{},
			&auth.MultiSession{MaximumSessions: 3},
			&auth.OneTimeToken{},
			&auth.Bearer{},
		},
		EmailPassword: auth.EmailPassword{Enabled: true},
		Passwords:     auth.Passwords{Hasher: plainHasher{}},
	}
}

type plainHasher struct{}

func (plainHasher) Hash(_ context.Context, password string) (string, error) {
	return "of " + password, nil
}

func (plainHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == "of "+password, nil
}

// A site is one server of the library.
type site struct {
	auth   *auth.Auth
	origin string
}

func newSite(t *testing.T, base string, configure func(*outbox, auth.Provider) auth.Config, op *provider, seen *requests) site {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mails := &outbox{}
	config := configure(mails, auth.OIDC("op", op.url, clientID, clientSecret))
	config.BaseURL, config.BasePath = server.URL, base
	config.Secret = "a secret for tests, 32 bytes long"
	config.Store = auth.NewMemoryStore()
	config.RateLimit.Disabled = true
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	a, err := auth.New(config)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle(base+"/", seen.record(base, a))
	mux.Handle("/outbox", mails)
	return site{a, server.URL}
}

// outbox keeps the mails of a server and shows them to the script.
type outbox struct {
	mu    sync.Mutex
	mails []mail
}

type mail struct {
	Kind  string `json:"kind"`
	To    string `json:"to"`
	URL   string `json:"url"`
	Token string `json:"token"` // or a code
}

func (o *outbox) send(kind string) func(context.Context, auth.Mail) error {
	return func(_ context.Context, m auth.Mail) error {
		return o.add(mail{Kind: kind, To: m.User.Email, URL: m.URL, Token: m.Token})
	}
}

func (o *outbox) add(m mail) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails = append(o.mails, m)
	return nil
}

func (o *outbox) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = json.NewEncoder(w).Encode(o.mails)
}
