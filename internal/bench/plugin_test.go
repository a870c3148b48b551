package bench

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// BenchmarkPlugins signs in with a password, and reads the session, with the eight
// plugins installed and without any: the difference is what their hooks cost those
// who use none of them. Passwords are stored as they are, so that a hash does not
// hide it. Bearer and multi-session give every sign-in a header and a cookie, and
// multi-session looks for sessions that the browser holds; jwt signs a token with
// every get-session, unless it is told not to.
func BenchmarkPlugins(b *testing.B) {
	silent := func(p []auth.Plugin) []auth.Plugin {
		for _, plugin := range p {
			if jwt, ok := plugin.(*auth.JWT); ok {
				jwt.NoHeader = true
			}
		}
		return p
	}
	for _, with := range []struct {
		name    string
		plugins []auth.Plugin
	}{
		{"none", nil},
		{"eight", silent(eightPlugins())},
		{"eight and a token", eightPlugins()},
	} {
		a, err := auth.New(auth.Config{
			BaseURL: "http://localhost:3000", Secret: strings.Repeat("s", 32), Store: auth.NewMemoryStore(),
			EmailPassword: auth.EmailPassword{Enabled: true},
			Passwords:     auth.Passwords{Hasher: plain{}},
			RateLimit:     auth.RateLimit{Disabled: true},
			Plugins:       with.plugins,
			Logger:        slog.New(slog.DiscardHandler),
		})
		if err != nil {
			b.Fatal(err)
		}
		headers := signUp(b, a)
		b.Run("sign-in/"+with.name, func(b *testing.B) { measurePluginSignIn(b, a) })
		b.Run("get-session/"+with.name, func(b *testing.B) { measurePluginSession(b, a, headers) })
	}
}

func eightPlugins() []auth.Plugin {
	return []auth.Plugin{
		&auth.Bearer{}, &auth.Username{},
		&auth.MagicLink{Send: func(context.Context, auth.MagicLinkMail) error { return nil }},
		&auth.EmailOTP{Send: func(context.Context, auth.OTPMail) error { return nil }},
		&auth.TwoFactor{}, &auth.JWT{}, &auth.MultiSession{}, &auth.OneTimeToken{},
	}
}

func measurePluginSignIn(b *testing.B, h http.Handler) {
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "http://localhost:3000/api/auth/sign-in/email",
			strings.NewReader(`{"email":"ada@example.com","password":"correct horse battery"}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			body, _ := io.ReadAll(w.Body)
			b.Fatal(w.Code, string(body))
		}
	}
}

func measurePluginSession(b *testing.B, h http.Handler, headers http.Header) {
	r := httptest.NewRequest(http.MethodGet, "http://localhost:3000/api/auth/get-session", nil)
	r.Header = headers
	w := newDiscard()
	b.ReportAllocs()
	for b.Loop() {
		w.reset()
		h.ServeHTTP(w, r)
	}
}
