package testnode

import (
	"testing"
	"time"
)

// An OpenIDProvider is oidc-provider, which is certified: it authenticates
// clients, compares redirect URIs, lets a code and a refresh token be used once
// and checks PKCE. It asks nobody anything: login_hint names who signs in, alice
// by default, and deny is who refuses. Everybody has the verified address
// <name>@example.com and the name "User <name>", unless SetUser says otherwise.
//
// There are three clients: ClientID, app-basic with client_secret_basic and the
// secret app-basic-secret, and app-public without a secret.
type OpenIDProvider struct{ Provider }

// OpenIDOptions are how a provider differs from the usual one.
type OpenIDOptions struct {
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	Algorithm              string        // that signs ID tokens; default RS256
	EmailInIDToken         bool          // and the rest of the profile; by default only userinfo has it
	AccessTokenLifetime    time.Duration // default an hour
	IDTokenLifetime        time.Duration // default an hour
}

// StartOpenIDProvider starts a provider until the end of the test, for clients at
// redirectURIs.
func StartOpenIDProvider(tb testing.TB, redirectURIs ...string) *OpenIDProvider {
	tb.Helper()
	return OpenIDOptions{RedirectURIs: redirectURIs}.Start(tb)
}

// Start starts a provider until the end of the test.
func (o OpenIDOptions) Start(tb testing.TB) *OpenIDProvider {
	tb.Helper()
	if o.Algorithm == "" {
		o.Algorithm = "RS256"
	}
	return &OpenIDProvider{startProvider(tb, "openid.mjs", map[string]any{
		"redirectURIs":           nonNil(o.RedirectURIs),
		"postLogoutRedirectURIs": nonNil(o.PostLogoutRedirectURIs),
		"algorithm":              o.Algorithm,
		"emailInIDToken":         o.EmailInIDToken,
		"accessTokenSeconds":     seconds(o.AccessTokenLifetime),
		"idTokenSeconds":         seconds(o.IDTokenLifetime),
	})}
}

func nonNil(list []string) []string { return append([]string{}, list...) }

func seconds(lifetime time.Duration) int {
	if lifetime == 0 {
		lifetime = time.Hour
	}
	return int(lifetime / time.Second)
}

// SetRedirectURIs replaces where the clients may have users sent, for servers
// that get their address later.
func (p *OpenIDProvider) SetRedirectURIs(redirectURIs ...string) {
	p.tb.Helper()
	p.ask("redirects", map[string]any{"redirectURIs": nonNil(redirectURIs)}, nil)
}

// SetUser replaces what the provider says of a user. The subject is the id.
func (p *OpenIDProvider) SetUser(id string, claims map[string]any) {
	p.tb.Helper()
	p.ask("user", map[string]any{"user": id, "claims": claims}, nil)
}
