package auth

import (
	"context"
	"encoding/json"
	"errors"
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

// TestDiscoveredIssuer: metadata speak for the issuer that is configured, to the
// letter; where none is, for whomever they name.
func TestDiscoveredIssuer(t *testing.T) {
	for _, test := range []struct {
		configured, named string
		known             bool
	}{
		{"https://acme.test", `"https://acme.test"`, true},
		{"https://acme.test", `"https://acme.test/"`, false},
		{"https://acme.test", `"https://ACME.test"`, false},
		{"https://acme.test", `"https://evil.test"`, false},
		{"https://acme.test", `null`, false},
		{"", `"https://other.test"`, true},
	} {
		w, f := newSocialWorld(t, func(c *Config) {
			p := OIDC("acme", "https://acme.test", "client", "client secret")
			p.Issuer = test.configured
			c.Providers = []Provider{p}
		})
		f.answer = discovered(`,"issuer":` + test.named)
		r := w.browser().post("/sign-in/social", map[string]any{"provider": "acme"})
		if known := r.StatusCode == 200; known != test.known {
			t.Errorf("%q names %s: %d %s", test.configured, test.named, r.StatusCode, r.body)
		}
	}
	_, err := New(Config{
		BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(),
		Providers: []Provider{{ID: "x", ClientID: "y", AuthorizationURL: "https://x.test/a", TokenURL: "https://x.test/t", Issuer: "https://x.test"}},
	})
	if err == nil || !strings.Contains(err.Error(), "Issuer") {
		t.Errorf("an Issuer without metadata: %v", err)
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

// onlyAccount is the id of the account of who is signed in.
func (b *browser) onlyAccount() string {
	b.t.Helper()
	var accounts []AccountInfo
	if err := json.Unmarshal([]byte(b.get("/list-accounts").ok(b.t).body), &accounts); err != nil || len(accounts) != 1 {
		b.t.Fatal(accounts, err)
	}
	return accounts[0].ID
}

// A refresh says what there is not, too.
func TestRefreshedTokensThatAreNot(t *testing.T) {
	w, f := newSocialWorld(t)
	f.tokens["ann"] = `,"refresh_token":"ann"`
	b := w.browser()
	b.signInAt("ann").leads(t, "/in")
	id := b.onlyAccount()
	answer := b.post("/refresh-token", map[string]any{"accountId": id}).ok(t)
	for _, member := range []string{`"refreshTokenExpiresAt":null`, `"idToken":null`, `"scope":""`} {
		if !strings.Contains(answer.body, member) {
			t.Errorf("%s is not in %s", member, answer.body)
		}
	}
}

// The accounts in the memory of a stateless server are refreshed like all others.
func TestStatelessRefresh(t *testing.T) {
	w, f := newSocialWorld(t, stateless)
	f.tokens["ann"] = `,"refresh_token":"later"`
	f.users["later"] = annAtAcme
	b := w.browser()
	b.signInAt("ann").leads(t, "/in")
	account := map[string]any{"accountId": b.onlyAccount()}
	b.post("/refresh-token", account).ok(t)
	if got := b.post("/get-access-token", account).ok(t).field(t, "accessToken"); got != "later" {
		t.Errorf("access token %v", got)
	}
}

// An empty token was never sealed.
func TestEmptyTokenBesideEncryption(t *testing.T) {
	w, _ := newSocialWorld(t, func(c *Config) { c.Account.EncryptTokens = true })
	b := w.browser()
	b.signInAt("ann").leads(t, "/in")
	id := b.onlyAccount()
	if _, err := w.core.accounts.change(t.Context(), map[string]any{"accessToken": ""}, Where("id", id)); err != nil {
		t.Fatal(err)
	}
	if got := b.post("/get-access-token", map[string]any{"accountId": id}).ok(t).field(t, "accessToken"); got != "" {
		t.Errorf("access token %v", got)
	}
}

// A profile without a picture has no image either.
func TestAccountInfoWithoutPicture(t *testing.T) {
	w, f := newSocialWorld(t)
	f.users["ann"] = `{"id":7,"email":"ann@example.com","image":"https://acme.test/of-acme-itself"}`
	b := w.browser()
	b.signInAt("ann").leads(t, "/in")
	info := b.get("/account-info?accountId=" + b.onlyAccount()).ok(t)
	if strings.Contains(info.body, "image") {
		t.Error(info.body)
	}
}

// Whoever comes from a provider gets back to the application, whatever fails.
func TestUserOfProviderThatCannotBeStored(t *testing.T) {
	fails := errors.New("secret")
	for name, hooks := range map[string]DatabaseHooks{
		"user":    {User: EntityHooks[User]{BeforeCreate: func(context.Context, *User) error { return fails }}},
		"account": {Account: EntityHooks[Account]{BeforeCreate: func(context.Context, *Account) error { return fails }}},
	} {
		w, _ := newSocialWorld(t, func(c *Config) { c.DatabaseHooks = hooks })
		w.browser().signInAt("ann").leads(t, "/oops?x=1&error=unable_to_create_user#top")
		if found, err := w.core.users.first(t.Context(), Where("email", "ann@example.com")); err != nil || found != nil {
			t.Errorf("%s: %v %v", name, found, err)
		}
	}
}
