package conformancetest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// The suite finds what is broken in flows, one thing at a time.
func TestSuiteCatchesFlows(t *testing.T) {
	const text = `
== probe
POST /sign-in/social {"provider":"op","callbackURL":"/in","errorCallbackURL":"/oops"}
thief: GET /callback/op?code=$code&state=$state
GET /callback/op?code=$code&state=$state
says token {"scope":"more","access_token":"second"}
flow op {"callbackURL":"/in"}
says user {"email":"new@example.com","name":"New"}
flow op {"callbackURL":"/in"}
says claims {"nonce":"of another flow"}
flow op {"callbackURL":"/in","errorCallbackURL":"/oops"}
says claims
says user
link plain {"callbackURL":"/in","errorCallbackURL":"/oops"}
GET /list-accounts
`
	probe := parseOne(t, text)
	for _, name := range []string{"oauth", "oauth-sealed"} {
		if findings := probe.compare(t, variantNamed(t, name), nil); len(findings) > 0 {
			t.Fatalf("%s without sabotage: %s", name, findings)
		}
	}
	for _, test := range []struct {
		name, variant string
		config        func(*auth.Config)
		finds         string
	}{
		{"an id_token of another flow that is not looked at", "oauth", answering(withoutIDToken), "+ location: /in\n"},
		{"a nonce that is not sent", "oauth", func(c *auth.Config) { configured(c, "op").NoNonce = true }, "- state idTokenNonce"},
		{"a state that is not bound to the browser", "oauth", func(c *auth.Config) { c.Account.SkipStateCookieCheck = true }, "+ location: /in"},
		{"no PKCE", "oauth", func(c *auth.Config) { configured(c, "op").NoPKCE = true }, "+ provider POST /op/token"},
		{"other scopes", "oauth", func(c *auth.Config) { configured(c, "op").Scopes = []string{"openid"} }, "scope=openid state"},
		{"another way to authenticate", "oauth", func(c *auth.Config) { configured(c, "op").TokenAuth = auth.TokenAuthBasic }, "authorization: Basic"},
		{"another redirect URI", "oauth", func(c *auth.Config) { configured(c, "op").RedirectURI = "http://auth.test/elsewhere" }, "redirect_uri=http://auth.test/elsewhere"},
		{"scopes that a sign-in replaces", "oauth", breakStore(brokenStore{update: set("account", "scope", "more")}), "scope='more'"},
		{"tokens that a sign-in keeps", "oauth", func(c *auth.Config) { c.Account.KeepTokens = true }, "- row account 1"},
		{"an address that a sign-in takes over", "oauth", func(c *auth.Config) { configured(c, "op").OverrideUserInfo = true }, "email='new@example.com'"},
		{"an address that a link takes over", "oauth", takeAddress, "email='taken@example.com'"},
		{"another subject", "oauth", breakStore(brokenStore{insert: put("account", "accountId", "8")}), "accountId='8'"},
		{"tokens in the clear", "oauth-sealed", func(c *auth.Config) { c.Account.EncryptTokens = false }, "accessToken='access-1'"},
		{"no account in a cookie", "oauth-sealed", func(c *auth.Config) { c.Account.StoreCookie = false }, "- copy better-auth.account_data"},
		{"a state in the other place", "oauth-sealed", func(c *auth.Config) { c.Account.State = auth.StateInDatabase }, "- set-cookie: better-auth.oauth_state"},
		{"another secret", "oauth-sealed", func(c *auth.Config) { c.Secret = newSecret }, "+ set-cookie: better-auth.oauth_state"},
		{"no link", "oauth", func(c *auth.Config) { c.Account.Linking.Disabled = true }, "+ location: /oops?error=unable_to_link_account"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			findings := strings.Join(probe.compare(t, variantNamed(t, test.variant), &sabotage{config: test.config}), "\n")
			if findings == "" || !strings.Contains(findings, test.finds) {
				t.Errorf("%s is not in the findings:\n%s", test.finds, findings)
			}
		})
	}
}

// takeAddress has a link change the address.
func takeAddress(c *auth.Config) {
	c.Account.Linking.UpdateUserInfo = true
	breakStore(brokenStore{update: set("user", "email", "taken@example.com")})(c)
}

// answering has a provider's replies changed on their way.
func answering(change func(answer object)) func(*auth.Config) {
	return func(c *auth.Config) { c.HTTPClient = &http.Client{Transport: &changedReplies{change}} }
}

type changedReplies struct{ change func(object) }

func (c *changedReplies) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return answer, err
	}
	defer answer.Body.Close()
	var reply object
	if err := json.NewDecoder(answer.Body).Decode(&reply); err != nil {
		return nil, err
	}
	c.change(reply)
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader([]byte(jsonText(reply)))), -1
	return answer, nil
}

// withoutIDToken leaves nothing whose nonce could be compared.
func withoutIDToken(reply object) { delete(reply, "id_token") }
