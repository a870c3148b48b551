package interoptest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// copying keeps copies of sessions in cookies, in one of the forms.
func copying(strategy auth.CacheStrategy) *variant {
	return &variant{
		name: string(strategy),
		options: map[string]any{
			"session": map[string]any{"cookieCache": map[string]any{"enabled": true, "strategy": strategy, "version": "7"}},
			"user":    map[string]any{"additionalFields": options(userFields)},
		},
		config: func(c *auth.Config) {
			c.Session.CookieCache = auth.CookieCache{Enabled: true, Strategy: strategy, Version: "7"}
			c.User.Fields = columns(userFields)
		},
	}
}

// A program that serves no auth knows the sessions of the original by each of the
// forms of the copy, by the table and by asking.
func TestVerifier(t *testing.T) {
	for _, strategy := range []auth.CacheStrategy{auth.CacheCompact, auth.CacheJWT, auth.CacheJWE} {
		t.Run(string(strategy), func(t *testing.T) {
			w := newWorld(t, testdb.SQLite, copying(strategy), "npm")
			store := auth.NewSQLStore(w.db, w.dialect)
			for name, config := range map[string]auth.VerifierConfig{
				"copy":              {Secret: secret, Version: "7"},
				"store":             {Secret: secret, Store: store, IgnoreCopies: true},
				"remote":            {URL: w.npm.origin, IgnoreCopies: true},
				"copy, then store":  {Secret: secret, Version: "7", Store: store},
				"copy, then remote": {Secret: secret, Version: "7", URL: w.npm.origin},
				"copy at remote":    {URL: w.npm.origin},
				"foreign version":   {Secret: secret, Version: "8", Store: store},
			} {
				config.UserFields = columns(userFields)
				t.Run(name, func(t *testing.T) { verify(t, w, config) })
			}
		})
	}
}

// verify checks one source with somebody who signs up at the original and signs out
// again.
func verify(t *testing.T, w *world, config auth.VerifierConfig) {
	v, err := auth.NewVerifier(config)
	if err != nil {
		t.Fatal(err)
	}
	asks := config.Store != nil || config.URL != ""
	copies := !config.IgnoreCopies && config.Version != "8"
	b := newBrowser(t)
	body := signUp(w.newAddress(), password, userValues)
	body["image"] = "data:," + strings.Repeat("Ada%20", 1000) // the copy is in chunks
	b.post(w.npm, "/sign-up/email", body).is(200)
	if b.cookies["better-auth.session_data.1"] == "" {
		t.Fatalf("no chunks: %v", b.cookies)
	}
	var want any
	b.get(w.npm, "/get-session").decode(&want)
	if got := seen(t, v, b.headers()); !sameJSON(t, got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	token := http.Header{"Cookie": {tokenName + "=" + b.cookies[tokenName]}}
	if got := seen(t, v, token); (got != "null") != asks {
		t.Errorf("by the token alone: %s", got)
	}
	if got := seen(t, v, bearer(b)); (got != "null") != asks {
		t.Errorf("as a bearer: %s", got)
	}
	before := b.headers()
	b.post(w.npm, "/sign-out", map[string]any{}).is(200)
	if got := seen(t, v, token); got != "null" {
		t.Errorf("revoked: %s", got)
	}
	if got := seen(t, v, before); (got != "null") != copies {
		t.Errorf("revoked, with a copy: %s", got)
	}
}

const tokenName = "better-auth.session_token"

// headers are those of a request of this browser.
func (b *browser) headers() http.Header {
	var pairs []string
	for name, value := range b.cookies {
		pairs = append(pairs, name+"="+value)
	}
	return http.Header{"Cookie": {strings.Join(pairs, "; ")}}
}

// bearer is what a client of the bearer plugin sends.
func bearer(b *browser) http.Header {
	value := strings.NewReplacer("%2B", "+", "%2F", "/", "%3D", "=").Replace(b.cookies[tokenName])
	return http.Header{"Authorization": {"Bearer " + value}}
}

// seen is the JSON of the session that a verifier finds.
func seen(t *testing.T, v *auth.Verifier, h http.Header) string {
	t.Helper()
	data, err := v.Session(&http.Request{Header: h})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sameJSON(t *testing.T, text string, want any) bool {
	t.Helper()
	var got any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	return string(a) == string(b)
}
