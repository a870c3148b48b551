package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// discovered is acme as its metadata describe it.
func discovered(members string) func(r *http.Request, form url.Values) (int, string) {
	return func(r *http.Request, _ url.Values) (int, string) {
		if !strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			return 0, ""
		}
		return http.StatusOK, `{"authorization_endpoint":"https://acme.test/there","token_endpoint":"https://acme.test/token"` + members + `}`
	}
}

func TestDiscoveredAuthorizationEndpoint(t *testing.T) {
	w, f := newSocialWorld(t, func(c *Config) {
		c.Providers = []Provider{OIDC("acme", "https://acme.test", "client", "client secret")}
	})
	f.answer = discovered("")
	u := w.browser().begin("/sign-in/social", nil)
	if u.Scheme+"://"+u.Host+u.Path != "https://acme.test/there" {
		t.Errorf("sent to %s", u)
	}
}

// A profile that is null is nobody's.
func TestProfileThatIsNull(t *testing.T) {
	w, f := newSocialWorld(t)
	f.users["ann"] = "null"
	w.browser().signInAt("ann").leads(t, "/oops?x=1&error=unable_to_get_user_info#top")
}

func TestFlowRequestIssues(t *testing.T) {
	w, _ := newSocialWorld(t)
	b := w.as("ann")
	const reserved = "[body.additionalParams] additionalParams cannot include reserved OAuth parameters: " +
		"state, client_id, redirect_uri, response_type, code_challenge, code_challenge_method, nonce, scope"
	for _, path := range []string{"/sign-in/social", "/link-social"} {
		for _, test := range []struct {
			body string
			want string
		}{
			{`{}`, "[body.provider] Invalid input"},
			{`{"provider":5}`, "[body.provider] Invalid input"},
			{`{"provider":"acme","additionalParams":{"nonce":"x"}}`, reserved},
			{`{"provider":"acme","scopes":"x","additionalParams":{"nonce":"x"}}`, "[body.scopes] Invalid input: expected array, received string; " + reserved},
		} {
			if got := b.post(path, json.RawMessage(test.body)).fails(t, http.StatusBadRequest, ErrValidation).field(t, "message"); got != test.want {
				t.Errorf("%s %s: %s, want %s", path, test.body, got, test.want)
			}
		}
	}
}

func TestPostedCallbackThatIsNoObject(t *testing.T) {
	w, _ := newSocialWorld(t)
	w.browser().post("/callback/acme", json.RawMessage(`[1]`)).fails(t, http.StatusBadRequest, ErrValidation)
}

func TestFlowThatLinksNobody(t *testing.T) {
	for text, want := range map[string]bool{
		`{"callbackURL":"/","codeVerifier":"v","expiresAt":1}`:                                   true,
		`{"callbackURL":"/","codeVerifier":"v","expiresAt":1,"link":{"userId":"u","email":"e"}}`: true,
		`{"callbackURL":"/","codeVerifier":"v","expiresAt":1,"link":{"userId":5,"email":"e"}}`:   true,
		`{"callbackURL":"/","codeVerifier":"v","expiresAt":1,"link":{"email":"e"}}`:              false,
		`{"callbackURL":"/","codeVerifier":"v","expiresAt":1,"link":{"userId":"","email":"e"}}`:  false,
	} {
		if _, err := parseFlow(text); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
