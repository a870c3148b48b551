package auth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// onHTTPS serves an instance where cookies are Secure.
func onHTTPS(c *Config) { c.BaseURL = "https://example.com" }

// TestHostPrefix: with it every cookie is one of this host alone, those of plugins,
// the copy of a session and the state of a flow too, and what is set is read.
func TestHostPrefix(t *testing.T) {
	factor := &TwoFactor{SkipVerificationOnEnable: true}
	w := newWorld(t, onHTTPS, func(c *Config) {
		c.Cookies.HostPrefix = true
		c.Session.CookieCache.Enabled = true
		c.Account.StoreCookie = true
		c.Plugins = []Plugin{factor, &MultiSession{}}
		c.Providers = []Provider{{ID: "idp", ClientID: "id", ClientSecret: "secret", AuthorizationURL: "https://idp.example/authorize", TokenURL: "https://idp.example/token", UserInfoURL: "https://idp.example/user"}}
	})
	b := w.browser()
	b.header.Set("Origin", "https://example.com")
	set := make(map[string]bool)
	watch := func(r reply) reply {
		t.Helper()
		r.ok(t)
		for _, line := range r.Header["Set-Cookie"] {
			name, rest, _ := strings.Cut(line, "=")
			short, hosted := strings.CutPrefix(name, "__Host-better-auth.")
			if !hosted || !strings.Contains(rest, "; Path=/;") || !strings.Contains(rest, "; Secure") || strings.Contains(rest, "Domain") {
				t.Errorf("no cookie of one host: %s", line)
			}
			if kind, _, multi := strings.Cut(short, "_multi-"); multi {
				short = kind + "_multi"
			}
			set[short] = true
		}
		return r
	}
	watch(b.post("/sign-up/email", credentials("ann")))
	if !b.signedIn() {
		t.Error("the session is not found by its cookie")
	}
	watch(b.post("/sign-in/social", map[string]any{"provider": "idp"}))
	watch(b.post("/two-factor/enable", map[string]any{"password": "password of ann"}))
	forgetful := credentials("ann")
	forgetful["rememberMe"] = false
	b.cookies = map[string]string{}
	watch(b.post("/sign-in/email", forgetful))
	watch(b.post("/sign-out", "{}"))
	for _, want := range []string{"session_token", "session_data", "dont_remember", "state", "two_factor", "session_token_multi"} {
		if !set[want] {
			t.Errorf("no %s among %v", want, set)
		}
	}
}

// TestHostPrefixOnHTTP: where cookies are not Secure no browser would take the
// prefix; a dynamic base URL has each by its scheme.
func TestHostPrefixOnHTTP(t *testing.T) {
	for scheme, want := range map[string]string{"http": tokenName, "https": "__Host-" + tokenName} {
		w := newWorld(t, func(c *Config) {
			c.BaseURL, c.Cookies.HostPrefix = "", true
			c.DynamicBaseURL = DynamicBaseURL{AllowedHosts: []string{"app.example"}, Protocol: scheme}
		})
		r := httptest.NewRequest(http.MethodPost, scheme+"://app.example/api/auth/sign-up/email", strings.NewReader(`{"name":"ann","email":"ann@example.com","password":"password of ann"}`))
		r.Header.Set("Content-Type", "application/json")
		b := w.browser()
		b.header.Set("Origin", scheme+"://app.example")
		if up := b.do(r).ok(t); up.cookie(want) == "" {
			t.Errorf("%s: cookies %v", scheme, up.Header["Set-Cookie"])
		}
	}
}

// TestHostPrefixMistakes: what would undo the prefix is reported, not dropped.
func TestHostPrefixMistakes(t *testing.T) {
	for name, c := range map[string]Cookies{
		"NeverSecure":           {NeverSecure: true},
		"CrossSubDomain":        {CrossSubDomain: true},
		"or Domain":             {Domain: "example.com"},
		"Default has":           {Default: CookieAttributes{Path: "/app"}},
		"SessionToken has":      {SessionToken: CookieOverride{CookieAttributes: CookieAttributes{Domain: "example.com"}}},
		"Plugins[two_factor]":   {Plugins: map[string]CookieOverride{"two_factor": {CookieAttributes: CookieAttributes{Path: "/x"}}}},
		"State has a Domain or": {State: CookieOverride{CookieAttributes: CookieAttributes{Path: "/x"}}},
	} {
		c.HostPrefix = true
		_, err := New(Config{BaseURL: "https://example.com", Secret: testSecret, Store: NewMemoryStore(), Cookies: c})
		if err == nil || !strings.Contains(err.Error(), "HostPrefix") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := New(Config{
		BaseURL: "https://example.com", Secret: testSecret, Store: NewMemoryStore(),
		Cookies: Cookies{HostPrefix: true, Default: CookieAttributes{Path: "/", SameSite: http.SameSiteStrictMode}},
	})
	if err != nil {
		t.Errorf("what is not in its way: %v", err)
	}
	if _, err := NewVerifier(VerifierConfig{Secret: testSecret, Cookies: Cookies{HostPrefix: true, NeverSecure: true}}); err == nil {
		t.Error("a Verifier took both")
	}
}

// TestHostPrefixVerifier: a Verifier looks for the same names.
func TestHostPrefixVerifier(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.as("ann").cookies[tokenName], w.as("bob").cookies[tokenName]
	plain, secure, host := tokenName+"=", securePrefix+tokenName+"=", hostPrefix+tokenName+"="
	for reason, tt := range map[string]struct {
		always bool
		h      http.Header
		name   string
	}{
		"host":                 {false, cookies(host + ann), "ann"},
		"before plain":         {false, cookies(plain+bob, host+ann), "ann"},
		"a subdomain's":        {false, cookies(secure + bob), ""},
		"AlwaysSecure":         {true, cookies(plain+bob, secure+bob, host+ann), "ann"},
		"AlwaysSecure, others": {true, cookies(plain+bob, secure+bob), ""},
	} {
		v := newVerifier(t, VerifierConfig{Secret: testSecret, Store: w.store, Cookies: Cookies{HostPrefix: true, AlwaysSecure: tt.always}})
		sees(t, reason, v, tt.h, tt.name)
	}
}
