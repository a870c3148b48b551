package auth

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzCallback sends a browser with a flow to the callback with any query and body:
// it ends on the pages that the flow or the configuration names, signs in nobody
// without the state and the code of the flow, and never fails inside.
func FuzzCallback(f *testing.F) {
	for _, seed := range []struct{ query, body string }{
		{"", ""}, {"code=ann&state=$state", ""}, {"code=ann&state=$state&state=x", ""}, {"state=$state&error=%3Cscript%3E&error_description=x%0d%0ay", ""},
		{"state=", "code=ann"}, {"", "state=$state&code=ann"}, {"code=x", `{"state":"$state"}`}, {"state=$state&code=ann&user={\"name\":1}", ""},
		{"state=$state&code=ann&iss=%", ""}, {"code=\x00&state=\xff", "\x00=%zz&state[]=1"},
	} {
		f.Add(seed.query, seed.body)
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		w, _ := newSocialWorld(t, func(c *Config) { c.Logger = slog.New(slog.DiscardHandler) })
		b := w.browser()
		state := b.begin("/sign-in/social", nil).Query().Get("state")
		query, body = strings.ReplaceAll(query, "$state", state), strings.ReplaceAll(body, "$state", state)
		method, contentType := http.MethodGet, ""
		if body != "" {
			method, contentType = http.MethodPost, mediaForm
			if strings.HasPrefix(body, "{") {
				contentType = mediaJSON
			}
		}
		r := httptest.NewRequest(method, testBase+"/callback/acme", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", contentType)
		checkCallback(t, b, b.do(r), query, state)
	})
}

func checkCallback(t *testing.T, b *browser, got reply, query, state string) {
	target := got.Header.Get("Location")
	switch {
	case got.StatusCode == http.StatusBadRequest && target == "":
	case got.StatusCode != http.StatusFound:
		t.Fatalf("answer %d %q", got.StatusCode, got.body)
	case target != "/in" && !strings.HasPrefix(target, "/oops?x=1&error=") && !strings.HasPrefix(target, testBase+"/error?error=") &&
		!strings.HasPrefix(target, testBase+"/callback/acme?"):
		t.Fatalf("a redirect to %q", target)
	case strings.ContainsAny(target, "\r\n<>\""):
		t.Fatalf("the redirect %q has characters that a header must not have", target)
	}
	signedIn := b.get("/get-session").body != "null"
	values, _ := url.ParseQuery(query)
	if signedIn && (!slices.Contains(values["state"], state) || !slices.Contains(values["code"], "ann")) {
		t.Fatalf("%q signs in", query)
	}
}

// FuzzDiscovery gives a provider any metadata: what is accepted can be used, and
// id_tokens of an OpenID provider can be verified.
func FuzzDiscovery(f *testing.F) {
	for _, seed := range []string{
		"", "null", "[]", "{}", `{"issuer":1}`, `{"issuer":"x","jwks_uri":"/keys"}`,
		`{"issuer":"https://op.test","authorization_endpoint":"https://op.test/a","token_endpoint":"https://op.test/t","jwks_uri":"keys","id_token_signing_alg_values_supported":["RS256"]}`,
		`{"authorization_endpoint":"javascript:alert(1)","token_endpoint":"file:///etc/passwd"}`,
		`{"authorization_endpoint":"//evil.test","token_endpoint":"https://a@b"}`,
		`{"issuer":"https://op.test","id_token_signing_alg_values_supported":["none"],"jwks_uri":"javascript:x"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		config := Provider{ID: "op", ClientID: "client", DiscoveryURL: "https://op.test/.well-known/openid-configuration"}
		client := &http.Client{Transport: &fakeProvider{answer: func(*http.Request, url.Values) (int, string) { return http.StatusOK, document }}}
		p, err := newProvider(config, newOutgoing(client), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if p.ready(t.Context()) != nil {
			return
		}
		e := p.endpoints()
		for _, endpoint := range []string{e.authorization, e.token} {
			if u, err := url.Parse(endpoint); err != nil || u.Host == "" || !isWebScheme(u.Scheme) {
				t.Errorf("endpoint %q", endpoint)
			}
		}
		if e.openID && e.idToken == nil {
			t.Error("an OpenID provider whose id_tokens nobody verifies")
		}
		target, err := p.authorizationURL(authorizationRequest{state: "s", codeVerifier: "v", redirectURI: "https://app.test/cb"})
		if u, parseErr := url.Parse(target); err != nil || parseErr != nil || u.Query().Get("state") != "s" || u.Query().Get("redirect_uri") != "https://app.test/cb" {
			t.Errorf("authorization URL %q: %v, %v", target, err, parseErr)
		}
	})
}

// FuzzFlow reads any payload of a state: what is read is written so that it is read
// the same.
func FuzzFlow(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", `{"callbackURL":"/","codeVerifier":"v","expiresAt":1}`,
		`{"foo":"bar","callbackURL":"/dash","codeVerifier":"v","errorURL":"/oops","newUserURL":"/welcome","expiresAt":1795424223782,"idTokenNonce":"n","oauthState":"s"}`,
		`{"callbackURL":"/","codeVerifier":"v","expiresAt":1,"link":{"userId":5,"email":"a@b.c"},"serverContext":{"anonymousUserId":"x"},"requestSignUp":true}`,
		`{"callbackURL":null,"codeVerifier":"v","expiresAt":1}`, `{"callbackURL":"/","codeVerifier":"v","expiresAt":1e400}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		flow, err := parseFlow(text)
		if err != nil {
			return
		}
		written, err := flow.MarshalJSON()
		if err != nil {
			t.Fatalf("%q cannot be written: %v", text, err)
		}
		again, err := parseFlow(string(written))
		if err != nil {
			t.Fatalf("%q was written as %q: %v", text, written, err)
		}
		twice, err := again.MarshalJSON()
		if err != nil || !json.Valid(written) || string(twice) != string(written) {
			t.Errorf("%q became %q and %q, %v", text, written, twice, err)
		}
	})
}
