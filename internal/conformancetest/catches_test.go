package conformancetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// A suite that finds nothing may be blind: it has to find what is broken on
// purpose, one thing at a time.
func TestSuiteCatches(t *testing.T) {
	const text = `
== probe
join
GET /get-session
POST /sign-in/email {"email":"me@example.com","password":"wrong horse"}
stranger: POST /update-user 5
POST /request-password-reset {"email":"me@example.com"}
POST /sign-out {}
`
	probe, v := parseOne(t, text), variants[0]
	if findings := probe.compare(t, v, nil); len(findings) > 0 {
		t.Fatalf("without sabotage: %s", findings)
	}
	for _, test := range []struct {
		name   string
		change func(r *http.Request, a *httptest.ResponseRecorder)
		finds  string
	}{
		{"a missing header", func(r *http.Request, a *httptest.ResponseRecorder) { a.Header().Del("Cache-Control") }, "- cache-control: no-store"},
		{"another status", func(r *http.Request, a *httptest.ResponseRecorder) {
			if a.Code == 401 {
				a.Code = 403
			}
		}, "+ 403"},
		{"another code", replaceBody("INVALID_EMAIL_OR_PASSWORD", "INVALID_PASSWORD"), `"code":"INVALID_PASSWORD"`},
		{"another text", replaceBody("Invalid email or password", "Invalid email or password."), `or password."`},
		{"members in another order", func(r *http.Request, a *httptest.ResponseRecorder) {
			var body map[string]any
			if json.Unmarshal(a.Body.Bytes(), &body) == nil && body["user"] != nil {
				text, _ := json.Marshal(body)
				a.Body = bytes.NewBuffer(text)
			}
		}, "* body in another order"},
		{"a value of another type", replaceBody(`"emailVerified":false`, `"emailVerified":"false"`), `+ body`},
		{"another order of checks", func(r *http.Request, a *httptest.ResponseRecorder) {
			if strings.HasSuffix(r.URL.Path, "/update-user") && r.Header.Get("Cookie") == "" {
				a.Code, a.Body = 401, bytes.NewBufferString(`{"message":"Unauthorized","code":"UNAUTHORIZED"}`)
			}
		}, "+ 401"},
		{"an attribute less", changeCookies(func(c []string) []string { return replaceAll(c, "; HttpOnly", "") }), "+ set-cookie: "},
		{"another lifetime", changeCookies(func(c []string) []string { return replaceAll(c, "=604800", "=604801") }), "Max-Age=604801"},
		{"another order of cookies", changeCookies(func(c []string) []string {
			if len(c) > 1 {
				c[0], c[1] = c[1], c[0]
			}
			return c
		}), "set-cookie"},
		{"a forged signature", changeCookies(func(c []string) []string { return replaceAll(c, ".", ".A") }), "+ set-cookie"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			findings := strings.Join(probe.compare(t, v, &sabotage{answer: test.change}), "\n")
			if !strings.Contains(findings, test.finds) {
				t.Errorf("%s is not in the findings:\n%s", test.finds, findings)
			}
		})
	}
}

// The same for what is no answer: mails, rows, copies of sessions, entries of the
// secondary storage.
func TestSuiteCatchesEffects(t *testing.T) {
	const text = `
== probe
join
GET /get-session
GET /get-session
POST /request-password-reset {"email":"me@example.com"}
GET $mail.url
POST /reset-password {"token":"$mail.token","newPassword":"battery staple"}
POST /sign-out {}
`
	probe := parseOne(t, text)
	for _, test := range []struct {
		name, variant string
		config        func(*auth.Config)
		finds         string
	}{
		{"a mail that is not sent", "default", func(c *auth.Config) {
			c.EmailPassword.SendResetPassword = func(context.Context, auth.Mail) error { return nil }
		}, "- mail reset"},
		{"a mail that is sent twice", "default", func(c *auth.Config) {
			send := c.EmailPassword.SendResetPassword
			c.EmailPassword.SendResetPassword = func(ctx context.Context, m auth.Mail) error {
				return errors.Join(send(ctx, m), send(ctx, m))
			}
		}, "+ mail reset"},
		{"a mail to somebody else", "default", func(c *auth.Config) {
			send := c.EmailPassword.SendResetPassword
			c.EmailPassword.SendResetPassword = func(ctx context.Context, m auth.Mail) error {
				m.User = &auth.User{Email: "other@example.com"}
				return send(ctx, m)
			}
		}, `+ mail reset {"to":"other@example.com"`},
		{"a row that is left behind", "default", breakStore(brokenStore{keep: "session"}), "- no row session 1"},
		{"a row that is not written", "default", breakStore(brokenStore{insert: leaveOut("account")}), "- row account 1"},
		{"a row with another value", "default", breakStore(brokenStore{insert: put("user", "emailVerified", true)}), "emailVerified=1"},
		{"a row that is empty in part", "default", breakStore(brokenStore{insert: put("session", "userAgent", "")}), "userAgent=''"},
		{"another expiry of a row", "default", breakStore(brokenStore{insert: put("session", "expiresAt", time.Now().Add(8*24*time.Hour))}), "expiresAt='<192h0m>'"},
		{"another expiry of a verification", "default", func(c *auth.Config) {
			c.EmailPassword.ResetPasswordExpiresIn = 61 * time.Minute
		}, "expiresAt='<1h1m>'"},
		{"another id", "default", func(c *auth.Config) { c.IDs = auth.IDUUID }, "id='<uuid "},
		{"a copy with another version", "cache-version", func(c *auth.Config) { c.Session.CookieCache.Version = "3" }, `"version":"3"`},
		{"a copy that lasts longer", "cache-version", func(c *auth.Config) { c.Session.CookieCache.MaxAge = 2 * time.Minute }, "Max-Age=120"},
		{"a copy of another form", "cache-jwt", func(c *auth.Config) { c.Session.CookieCache.Strategy = auth.CacheCompact }, "+ copy"},
		{"no copy", "cache-jwe", func(c *auth.Config) { c.Session.CookieCache = auth.CookieCache{} }, "- copy"},
		{"an entry that lasts longer", "secondary", breakStorage(brokenStorage{longer: time.Hour}), "for 169h0m"},
		{"an entry with another value", "secondary", breakStorage(brokenStorage{value: func(value string) string {
			return strings.Replace(value, `"emailVerified":false`, `"emailVerified":true`, 1)
		}}), `+ entry <id 1>`},
		{"rows that should be entries only", "secondary-and-database", func(c *auth.Config) { c.Session.StoreInDatabase = false }, "- row session 1"},
		{"another secret", "default", func(c *auth.Config) { c.Secret = strings.Repeat("x", 32) }, "+ set-cookie"},
		{"hashed passwords", "default", func(c *auth.Config) { c.Passwords = auth.Passwords{} }, "<scrypt hash>"},
		{"a limit that is higher", "limit-database", func(c *auth.Config) { c.RateLimit.StoreInDatabase = false }, "- row rateLimit 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := variantNamed(t, test.variant)
			findings := strings.Join(probe.compare(t, v, &sabotage{config: test.config}), "\n")
			if findings == "" || !strings.Contains(findings, test.finds) {
				t.Errorf("%s is not in the findings:\n%s", test.finds, findings)
			}
		})
	}
}

func variantNamed(t testing.TB, name string) *variant {
	t.Helper()
	for _, v := range variants {
		if v.name == name {
			return v
		}
	}
	t.Fatalf("no variant is called %s", name)
	return nil
}

func parseOne(t testing.TB, text string) *scenario {
	t.Helper()
	cases, err := parse("probe", text)
	if err != nil {
		t.Fatal(err)
	}
	return cases[0]
}

func replaceBody(old, with string) func(*http.Request, *httptest.ResponseRecorder) {
	return func(_ *http.Request, a *httptest.ResponseRecorder) {
		a.Body = bytes.NewBufferString(strings.ReplaceAll(a.Body.String(), old, with))
	}
}

func changeCookies(change func([]string) []string) func(*http.Request, *httptest.ResponseRecorder) {
	return func(_ *http.Request, a *httptest.ResponseRecorder) {
		if cookies := a.Header()["Set-Cookie"]; cookies != nil {
			a.Header()["Set-Cookie"] = change(cookies)
		}
	}
}

func replaceAll(texts []string, old, with string) (changed []string) {
	for _, text := range texts {
		changed = append(changed, strings.Replace(text, old, with, 1))
	}
	return changed
}
