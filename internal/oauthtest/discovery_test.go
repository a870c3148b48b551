package oauthtest

import (
	"testing"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// TestOddDiscovery: whatever a provider publishes of itself, both servers sign in
// with it or not.
func TestOddDiscovery(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]map[string]any{
		"no userinfo":            {"userinfo_endpoint": nil},
		"relative keys":          {"jwks_uri": "jwks"},
		"keys from the root":     {"jwks_uri": "/jwks"},
		"no keys, no algorithms": {"jwks_uri": nil, "id_token_signing_alg_values_supported": nil},
		"keys, no algorithms":    {"id_token_signing_alg_values_supported": nil},
		"another algorithm":      {"id_token_signing_alg_values_supported": []string{"ES256"}},
		"none among algorithms":  {"id_token_signing_alg_values_supported": []string{"none", "RS256"}},
		"another issuer":         {"issuer": "https://accounts.example.com"},
		"issuer no URL":          {"issuer": "accounts"},
		"no authorization":       {"authorization_endpoint": nil},
		"no token":               {"token_endpoint": nil},
		"keys elsewhere":         {"jwks_uri": "http://127.0.0.1:1/jwks"},
		"unknown members":        {"x": 1, "require_pushed_authorization_requests": "no"},
	} {
		t.Run(name, func(t *testing.T) {
			same(newWorld(t, setting{discovery: testnode.Lie{Set: document}}), t, map[string]bool{"sign-in": true}, func(p *path, _ bool) string {
				person := p.mockPerson(map[string]any{"id": "an id"})
				b := newBrowser(p.t)
				if r := b.post(p.begun, "/sign-in/social", flow("mock", "")); r.status != 200 {
					return r.body
				}
				return p.outcome(b, p.signInAtMock(b), person)
			})
		})
	}
}
