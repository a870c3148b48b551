package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// assertion returns the claims of a token that the key set's key has signed.
func assertion(t *testing.T, token, keyID, alg string, public crypto.PublicKey) map[string]any {
	t.Helper()
	header, err := ParseJWSHeader(token)
	if err != nil || header != (JWSHeader{Algorithm: alg, KeyID: keyID, Type: "JWT"}) {
		t.Fatalf("header %+v, %v, want %q %q", header, err, keyID, alg)
	}
	payload, err := VerifyJWS(token, []JWK{{ID: keyID, Key: public}}, []string{alg})
	if err != nil {
		t.Fatalf("%s: %v", alg, err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestSignClientAssertion(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"} {
		synctest.Test(t, func(t *testing.T) {
			key, issued := testKeys()[alg], float64(time.Now().Unix())
			sign := SignClientAssertion(key, "k1", "client")
			var ids []any
			for range 2 {
				token, err := sign(t.Context(), "https://idp.example/token")
				if err != nil {
					t.Fatal(err)
				}
				claims := assertion(t, token, "k1", alg, key.Public())
				ids = append(ids, claims["jti"])
				delete(claims, "jti")
				want := map[string]any{"iss": "client", "sub": "client", "aud": "https://idp.example/token", "iat": issued, "exp": issued + 120}
				if !maps.Equal(claims, want) {
					t.Errorf("%s: %v, want %v", alg, claims, want)
				}
			}
			if ids[0] == ids[1] || ids[0] == "" || ids[0] == nil {
				t.Errorf("%s: two assertions have the ids %q: one could be replayed as the other", alg, ids)
			}
		})
	}
}

func TestSignClientAssertion_key(t *testing.T) {
	odd, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for reason, key := range map[string]crypto.Signer{"no key": nil, "a curve without algorithm": odd} {
		if token, err := SignClientAssertion(key, "", "client")(t.Context(), "https://idp.example/token"); err == nil {
			t.Errorf("%s: %s", reason, token)
		}
	}
}

func TestAppleClientSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, issued := testKeys()["ES256"].(*ecdsa.PrivateKey), float64(time.Now().Unix())
		secret, err := AppleClientSecret("TEAM", "KEY", "com.example.web", key, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		claims := assertion(t, secret, "KEY", "ES256", key.Public())
		want := map[string]any{"iss": "TEAM", "sub": "com.example.web", "aud": "https://appleid.apple.com", "iat": issued, "exp": issued + 86400}
		if !maps.Equal(claims, want) {
			t.Errorf("%v, want %v", claims, want)
		}
	})
	good, other := testKeys()["ES256"].(*ecdsa.PrivateKey), testKeys()["ES384"].(*ecdsa.PrivateKey)
	for _, test := range []struct {
		reason   string
		key      *ecdsa.PrivateKey
		lifetime time.Duration
		ok       bool
	}{
		{"six months", good, 15777000 * time.Second, true},
		{"longer", good, 15777001 * time.Second, false},
		{"no lifetime", good, 0, false},
		{"another curve", other, time.Hour, false},
		{"no key", nil, time.Hour, false},
	} {
		if _, err := AppleClientSecret("T", "K", "c", test.key, test.lifetime); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.reason, err)
		}
	}
}

// A provider gets the assertion for its own token endpoint.
func TestClientAssertion_exchange(t *testing.T) {
	config := Microsoft("client", "")
	config.TokenAuth, config.ClientAssertion = TokenAuthPrivateKeyJWT, SignClientAssertion(testKeys()["RS256"], "k1", "client")
	const endpoint = "https://login.microsoftonline.com/common/oauth2/v2.0/token"
	p, stub := opened(t, config, map[string]string{endpoint: `{"access_token":"at"}`})
	if _, err := p.exchangeCode(t.Context(), CodeExchange{Code: "c", RedirectURI: "https://app.example/cb"}); err != nil {
		t.Fatal(err)
	}
	form := decodeForm(stub.taken()[0][len("POST "+endpoint+stubForm):])
	names := make([]string, len(form))
	for i, member := range form {
		names[i] = member.name
	}
	if want := []string{"grant_type", "code", "redirect_uri", "client_id", "client_assertion", "client_assertion_type"}; !slices.Equal(names, want) {
		t.Fatalf("%q, want %q", names, want)
	}
	if claims := assertion(t, form[4].value, "k1", "RS256", testKeys()["RS256"].Public()); claims["aud"] != endpoint {
		t.Errorf("the assertion is for %v", claims["aud"])
	}
	if form[5].value != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		t.Errorf("client_assertion_type %q", form[5].value)
	}
}
