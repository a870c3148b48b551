package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestSessionTokenEntropy: a session is not guessed, nor is any other secret that is
// good on its own: 128 bits at least, and none twice.
func TestSessionTokenEntropy(t *testing.T) {
	for name, secret := range map[string]func() string{
		"session": newSessionToken, "reset": newResetToken, "deletion": newDeleteToken, "state and nonce": newFlowToken, "code verifier": newCodeVerifier,
		"magic link": func() string { return RandomString(32, Letters) }, "one-time token, TOTP, device": func() string { return RandomString(32, URLSafe) },
	} {
		alphabet, seen := make(map[rune]bool), make(map[string]bool)
		length := len(secret())
		for range 2000 {
			s := secret()
			for _, c := range s {
				alphabet[c] = true
			}
			if seen[s] || len(s) != length {
				t.Fatalf("%s: %q", name, s)
			}
			seen[s] = true
		}
		if bits := float64(length) * math.Log2(float64(len(alphabet))); bits < 128 {
			t.Errorf("%s: %.0f bits", name, bits)
		}
	}
}

// TestNoncesAreNotUsedTwice: the same text is never encrypted into the same.
func TestNoncesAreNotUsedTwice(t *testing.T) {
	sealed, err := newEnvelope("", testSecret, nil)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := newEncrypter(sessionSalt, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for range 1000 {
		nonce, iv := sealed.seal("text")[:48], strings.Split(encrypted.encrypt([]byte("text")), ".")[2]
		if seen[nonce] || seen[iv] {
			t.Fatal("twice")
		}
		seen[nonce], seen[iv] = true, true
	}
}

// everything is an instance with what sends, takes and redirects.
func everything(t *testing.T, edit ...func(*Config)) *world {
	t.Helper()
	return newWorld(t, append([]func(*Config){func(c *Config) {
		c.Plugins = []Plugin{
			&TwoFactor{}, &Bearer{}, &Username{}, &JWT{}, &MultiSession{}, &OneTimeToken{},
			&EmailOTP{Send: func(context.Context, OTPMail) error { return nil }},
			&MagicLink{Send: func(context.Context, MagicLinkMail) error { return nil }},
		}
	}}, edit...)...)
}

// requested calls every endpoint with every method that it has, once signed in and
// once not.
func (w *world) requested(check func(op Operation, method string, got reply)) {
	w.t.Helper()
	for i, op := range w.API.Operations() {
		if op.Path() == "" {
			continue
		}
		for _, method := range op.Methods() {
			for _, b := range []*browser{w.browser(), w.as(fmt.Sprint(method, i))} {
				path := strings.NewReplacer(":id", "acme", ":token", "x").Replace(op.Path())
				r := httptest.NewRequest(method, testBase+path+"?callback=alert&token=x", strings.NewReader("{}"))
				r.Header.Set("Content-Type", "application/json")
				check(op, method, b.do(r))
			}
		}
	}
}

// TestAnswersSayWhatTheyAre: whatever has a body is JSON in UTF-8, or a page that
// says its encoding; nothing is a script, whatever a query asks for.
func TestAnswersSayWhatTheyAre(t *testing.T) {
	everything(t).requested(func(op Operation, method string, got reply) {
		media := got.Header.Get("Content-Type")
		switch {
		case got.body == "":
		case !utf8.ValidString(got.body) || strings.HasPrefix(got.body, "alert"):
			t.Errorf("%s %s: %q", method, op.Path(), got.body)
		case op.Name() == "error":
			if media != "text/html; charset=utf-8" {
				t.Errorf("the page is %q", media)
			}
		case media != "application/json" || !json.Valid([]byte(got.body)):
			t.Errorf("%s %s: %q is %q", method, op.Path(), media, got.body)
		}
	})
}

// TestAnswersTellNoVersions: nothing in an answer says what the server is made of, and
// nothing lets another site read it.
func TestAnswersTellNoVersions(t *testing.T) {
	everything(t).requested(func(op Operation, method string, got reply) {
		for _, name := range []string{"Server", "X-Powered-By", "Via", "X-Version", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
			if got.Header.Get(name) != "" {
				t.Errorf("%s %s: %s is %q", method, op.Path(), name, got.Header.Get(name))
			}
		}
	})
}

// TestOtherMethodsAreNotServed: an endpoint answers the methods that it has.
func TestOtherMethodsAreNotServed(t *testing.T) {
	w := everything(t)
	served := make(map[string][]string)
	for _, op := range w.API.Operations() {
		served[op.Path()] = append(served[op.Path()], op.Methods()...)
	}
	b := w.as("ann")
	for path, methods := range served {
		for _, method := range []string{"TRACE", "OPTIONS", "HEAD", "PUT", "PATCH", "DELETE", "CONNECT", "get", "GET", "POST"} {
			if path == "" || slices.Contains(methods, method) {
				continue
			}
			r := httptest.NewRequest(method, testBase+strings.ReplaceAll(path, ":", ""), strings.NewReader("{}"))
			if got := b.do(r); got.StatusCode != http.StatusNotFound || got.body != "" {
				t.Errorf("%s %s: %d %s", method, path, got.StatusCode, got.body)
			}
		}
	}
	if len(served) < 40 {
		t.Errorf("%d paths", len(served))
	}
}

// TestNobodyIsThereAtFirst: there are no users, passwords or keys that everybody
// knows.
func TestNobodyIsThereAtFirst(t *testing.T) {
	w := everything(t)
	for _, table := range w.core.tables() {
		if n := count(t, w, table); n != 0 {
			t.Errorf("%d rows in %s", n, table.Name)
		}
	}
	for _, name := range []string{"admin", "root", "sa", "test"} {
		w.browser().post("/sign-in/email", map[string]any{"email": name + "@example.com", "password": name}).fails(t, 401, ErrInvalidEmailOrPassword)
	}
}

// TestNoPasswordHints: what is stored of a user and an account has no place for a
// hint, a question or an answer.
func TestNoPasswordHints(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		table *Table
		want  string
	}{
		{w.core.users.table, "id name email emailVerified image createdAt updatedAt"},
		{w.core.accounts.table, "id accountId providerId userId accessToken refreshToken idToken accessTokenExpiresAt refreshTokenExpiresAt scope password createdAt updatedAt"},
	} {
		names := []string{"id"}
		for _, column := range tt.table.Columns {
			names = append(names, column.Name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s has %s", tt.table.Name, got)
		}
	}
}

// TestCookiesHoldNoUserData: unless the copy of the session is switched on, a browser
// keeps a token, and nothing of whose it is.
func TestCookiesHoldNoUserData(t *testing.T) {
	b := newWorld(t).as("ann")
	if len(b.cookies) != 1 || b.cookies[tokenName] == "" || strings.Contains(decodeURIComponent(b.cookies[tokenName]), "ann") {
		t.Errorf("cookies %v", b.cookies)
	}
}

// TestLogHasNoSecrets: neither passwords nor tokens are in the log, whatever happens.
func TestLogHasNoSecrets(t *testing.T) {
	var sent []string
	w := everything(t, func(c *Config) {
		c.Plugins = []Plugin{
			&TwoFactor{OTP: TwoFactorOTPOptions{Send: func(_ context.Context, _ *User, code string) error { sent = append(sent, code); return nil }}},
			&EmailOTP{Send: func(_ context.Context, m OTPMail) error { sent = append(sent, m.Code); return nil }},
			&MagicLink{Send: func(_ context.Context, m MagicLinkMail) error { sent = append(sent, m.Token); return nil }},
		}
	})
	w.Auth.core.log = slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	secrets := func() []string {
		found := []string{"password of ann", "the wrong one", "the new one", testSecret}
		for _, m := range w.mails {
			found = append(found, m.Token)
		}
		for _, code := range sent {
			if len(code) > 6 {
				found = append(found, code)
			}
		}
		return found
	}
	ann := w.as("ann")
	tokens := []string{ann.cookies[tokenName], strings.Split(ann.cookies[tokenName], ".")[0]}
	ann.post("/sign-in/email", `{"email":"ann@example.com","password":"the wrong one"}`).fails(t, 401, ErrInvalidEmailOrPassword)
	ann.post("/change-password", `{"currentPassword":"the wrong one","newPassword":"the new one"}`).fails(t, 400, ErrInvalidPassword)
	ann.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	ann.post("/reset-password", map[string]string{"token": w.lastMail().Token, "newPassword": "the new one"}).ok(t)
	ann.post("/reset-password", map[string]string{"token": w.lastMail().Token, "newPassword": "the new one"}).fails(t, 400, ErrInvalidToken)
	ann.post("/sign-in/magic-link", `{"email":"ann@example.com"}`).ok(t)
	ann.post("/email-otp/send-verification-otp", `{"email":"ann@example.com","type":"sign-in"}`).ok(t)
	ann.post("/sign-in/email-otp", `{"email":"ann@example.com","otp":"000000"}`)
	ann.post("/two-factor/enable", `{"password":"the new one"}`)
	ann.post("/change-email", `{"newEmail":"new@example.com"}`).ok(t)
	ann.post("/revoke-sessions", `{}`).ok(t)
	log := w.log.String()
	for _, secret := range append(secrets(), tokens...) {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
	if strings.Count(log, "\n") < 4 {
		t.Errorf("hardly anything is in the log: %s", log)
	}
}

// TestLogLinesCannotBeForged: what a stranger sends is a value in a line of the log.
func TestLogLinesCannotBeForged(t *testing.T) {
	const forged = "ann\nlevel=ERROR msg=forged user=\"root\" \x1b[31m"
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		var log bytes.Buffer
		w := everything(t, func(c *Config) { c.Logger = slog.New(handler(&log)) })
		w.browser().post("/sign-in/username", map[string]any{"username": strings.Repeat("x", 30), "password": forged})
		w.core.event(t.Context(), Event{Name: EventSignInFailed, Reason: forged})
		if got := log.String(); strings.Count(got, "\n") != 2 || strings.Contains(got, "\x1b") || strings.Contains(got, "\nlevel=ERROR") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestNothingIsSentElsewhere: without providers the library talks to nobody.
func TestNothingIsSentElsewhere(t *testing.T) {
	w := everything(t, func(c *Config) {
		c.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			t.Errorf("a request to %s", r.URL)
			return nil, http.ErrServerClosed
		})}
	})
	w.requested(func(Operation, string, reply) {})
}

// TestUnknownCertificatesAreRefused: a provider has to prove who it is.
func TestUnknownCertificatesAreRefused(t *testing.T) {
	asked := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked = true
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if _, err := newOutgoing(nil).getObject(t.Context(), server.URL, "token", nil); err == nil || asked {
		t.Errorf("the provider was asked (%v): %v", asked, err)
	}
	if _, err := newOutgoing(server.Client()).getObject(t.Context(), server.URL, "token", nil); err != nil {
		t.Errorf("with its certificate: %v", err)
	}
}

// TestNoDocumentationIsServed: what describes the endpoints is there if the application
// mounts it, and not by itself.
func TestNoDocumentationIsServed(t *testing.T) {
	w := everything(t)
	b := w.as("ann")
	for _, path := range []string{"/", "/openapi.json", "/open-api/generate-schema", "/reference", "/docs", "/metrics", "/debug/vars", "/debug/pprof/", "/.git/config"} {
		if got := b.get(path); got.StatusCode != http.StatusNotFound || got.body != "" {
			t.Errorf("%s: %d %s", path, got.StatusCode, got.body)
		}
	}
}
