package conformancetest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// A change of a token, of a key or of its row is found.
func TestSuiteCatchesTokens(t *testing.T) {
	const text = `
== probe
GET /jwks
join
GET /token
GET /get-session
`
	probe := parseOne(t, text)
	v := variantNamed(t, "jwt")
	plugin := func(p *auth.JWT) func(*auth.Config) {
		return func(c *auth.Config) { c.Plugins = []auth.Plugin{p} }
	}
	for _, test := range []struct {
		name   string
		broken sabotage
		finds  string
	}{
		{"another lifetime", sabotage{config: plugin(&auth.JWT{Claims: auth.JWTClaims{ExpiresIn: 17 * time.Minute}})}, `"exp":"<17m> in seconds"`},
		{"another issuer", sabotage{config: plugin(&auth.JWT{Claims: auth.JWTClaims{Issuer: "x"}})}, `"iss":"x"`},
		{"another algorithm", sabotage{config: plugin(&auth.JWT{KeyPair: auth.JWTKeyPair{Algorithm: "ES256"}})}, `"alg":"ES256"`},
		{"a private key without encryption", sabotage{config: plugin(&auth.JWT{PlainPrivateKeys: true})}, `privateKey='{"crv"`},
		{"a key that expires", sabotage{config: plugin(&auth.JWT{RotationInterval: time.Hour})}, "expiresAt='<1h0m>'"},
		{"no header", sabotage{config: plugin(&auth.JWT{NoHeader: true})}, "- set-auth-jwt:"},
		{"a forged signature", sabotage{answer: func(_ *http.Request, a *httptest.ResponseRecorder) {
			if token := a.Header().Get("set-auth-jwt"); token != "" {
				a.Header().Set("set-auth-jwt", token[:strings.LastIndexByte(token, '.')+1]+strings.Repeat("A", 86))
			}
		}}, "+ set-auth-jwt: eyJ"},
		{"a private half that is published", sabotage{answer: replaceBody(`"kty":"OKP"`, `"d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","kty":"OKP"`)}, `"d":"<24 bytes>"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			findings := strings.Join(probe.compare(t, v, &test.broken), "\n")
			if !strings.Contains(findings, test.finds) {
				t.Errorf("%s is not in the findings:\n%s", test.finds, findings)
			}
		})
	}
}
