package auth

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzStoredToken reads tokens of providers as rows have them: a plain one is what it
// was before tokens were encrypted, a sealed one is opened or refused, never taken for a
// plain one, and what is sealed now is opened as it was.
func FuzzStoredToken(f *testing.F) {
	sealing := newSealingServices(f)
	for _, text := range []string{"", "ya29.a0AfH6", "00", "abcdef0123456789", "$ba$1$00", "$ba$", sealing.sealToken("secret"), "\xff\x00", "ABCDEF"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		opened, err := sealing.openToken(&text)
		switch {
		case !looksSealed(text) && (opened != text || err != nil):
			t.Fatalf("the plain token %q is read as %q, %v", text, opened, err)
		case looksSealed(text) && err == nil && opened == text || err != nil && opened != "":
			t.Fatalf("the sealed token %q is read as %q, %v", text, opened, err)
		}
		sealed := sealing.sealToken(text)
		if again, err := sealing.openToken(&sealed); err != nil || again != text {
			t.Fatalf("%q was sealed as %q and read as %q, %v", text, sealed, again, err)
		}
		if text != "" && (!looksSealed(sealed) || len(text) > 8 && strings.Contains(sealed, text)) {
			t.Fatalf("%q was sealed as %q", text, sealed)
		}
	})
}

func newSealingServices(t testing.TB) *services {
	t.Helper()
	a, err := New(Config{
		BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Account: AccountOptions{EncryptTokens: true}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.core.services
}

// FuzzAccountCookie reads the cookie of an account as another server with the same
// secret wrote it: nobody gets tokens of an account that is another user's, and the
// cookie of one's own stays as it is.
func FuzzAccountCookie(f *testing.F) {
	for _, members := range []string{
		`"accountId":"7","providerId":"acme","userId":"$user","accessToken":"at","accessTokenExpiresAt":"2099-11-23T08:43:48.330Z","scope":"a,b","id":"x"`,
		`"userId":"$user","providerId":"acme","accessToken":"at","refreshToken":1`, `"userId":"other","providerId":"acme","accessToken":"at","accountId":"7","id":"x"`,
		`"userId":7`, `"userId":null,"exp":1`, `"userId":"$user","userId":"other"`, `"USERID":"$user"`, `"\ud800":[{}]`,
	} {
		f.Add(members)
	}
	f.Fuzz(func(t *testing.T, members string) {
		w, _ := newSocialWorld(t, func(c *Config) {
			c.Account.StoreCookie = true
			c.Session.CookieCache.Enabled = true
			c.Logger = slog.New(slog.DiscardHandler)
		})
		b := w.browser()
		b.signInAt("ann")
		own := b.account().UserID
		object := []byte("{" + strings.ReplaceAll(members, "$user", own) + "}")
		var sent map[string]any
		if json.Unmarshal(object, &sent) != nil || len(sent) == 0 || !utf8.Valid(object) {
			return // which no server writes, and nobody reads
		}
		st, err := w.core.siteFor(httptest.NewRequest(http.MethodGet, testBase+"/get-session", nil))
		if err != nil {
			t.Fatal(err)
		}
		name := st.cookies.accountCookie.name
		b.cookies[name] = st.cookies.accountSeal.encrypt(withJWTTimes(object, now().Add(time.Hour), "jti"))
		got := b.post("/get-access-token", map[string]any{"useAccountCookie": true})
		if got.StatusCode >= 500 || got.StatusCode == http.StatusOK && sent["userId"] != own && strings.Contains(got.body, `"at"`) {
			t.Fatalf("%s: %d %s", object, got.StatusCode, got.body)
		}
		for cookie := range b.cookies {
			if strings.Contains(cookie, "session_data") {
				delete(b.cookies, cookie) // so that get-session renews what goes with it
			}
		}
		if got := b.get("/get-session"); got.StatusCode != http.StatusOK || got.body == "null" {
			t.Fatalf("%s: %d %s", object, got.StatusCode, got.body)
		}
		if kept := b.cookies[name]; sent["userId"] != own && kept != "" {
			if object, ok := st.cookies.accountSeal.decrypt(kept); ok {
				t.Fatalf("the account of another user is kept: %s", object)
			}
		}
	})
}
