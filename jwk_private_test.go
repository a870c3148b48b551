package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
)

// Keys are the same after they were written and read, and what one half signs the
// other verifies.
func TestPrivateJWKRoundTrip(t *testing.T) {
	for _, alg := range asymmetricAlgs {
		text, err := MarshalPrivateJWK(testKeys()[alg])
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		key, err := ParsePrivateJWK(text)
		if err != nil || !key.(interface{ Equal(crypto.PrivateKey) bool }).Equal(testKeys()[alg]) {
			t.Fatalf("%s: another key, %v", alg, err)
		}
		text, err = json.Marshal(JWK{ID: "k1", Algorithm: alg, Use: "sig", Key: key.Public()})
		if err != nil || strings.Contains(string(text), `"d"`) {
			t.Fatalf("%s: %s, %v", alg, text, err)
		}
		public, err := ParseJWK(text)
		if err != nil || public.ID != "k1" || public.Algorithm != alg || public.Use != "sig" {
			t.Fatalf("%s: %+v, %v", alg, public, err)
		}
		token, err := SignJWS(key, JWSHeader{Algorithm: alg, KeyID: "k1"}, []byte("text"))
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if payload, err := VerifyJWS(token, []JWK{public}, []string{alg}); err != nil || string(payload) != "text" {
			t.Errorf("%s: %q, %v", alg, payload, err)
		}
	}
}

// The order of members is that of the original's library.
func TestPublicJWKOrder(t *testing.T) {
	for alg, want := range map[string]string{"EdDSA": "crv x kty kid", "ES512": "kty x y crv kid", "RS256": "kty n e kid"} {
		text, err := json.Marshal(testPublic(alg, "k1"))
		if err != nil {
			t.Fatal(err)
		}
		decoder, names := json.NewDecoder(strings.NewReader(string(text))), []string{}
		for i := -1; ; i++ {
			token, err := decoder.Token()
			if err != nil || token == json.Delim('}') {
				break
			}
			if i >= 0 && i%2 == 0 {
				names = append(names, token.(string))
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", alg, got, want)
		}
	}
}

func TestParsePrivateJWK_refuses(t *testing.T) {
	good := make(map[string]map[string]any)
	for _, alg := range []string{"RS256", "ES256", "ES512", "EdDSA"} {
		text, err := MarshalPrivateJWK(testKeys()[alg])
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		good[alg] = members
	}
	with := func(alg, name string, value any) string {
		members := make(map[string]any)
		for key, member := range good[alg] {
			members[key] = member
		}
		members[name] = value
		if value == nil {
			delete(members, name)
		}
		text, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := MarshalPrivateJWK(other)
	if err != nil {
		t.Fatal(err)
	}
	var strange map[string]any
	if err := json.Unmarshal(stranger, &strange); err != nil {
		t.Fatal(err)
	}
	for reason, text := range map[string]string{
		"no JSON":                 `{`,
		"no object":               `[]`,
		"no kind":                 `{}`,
		"a secret":                `{"kty":"oct","k":"AAAA"}`,
		"RSA without d":           with("RS256", "d", nil),
		"RSA without q":           with("RS256", "q", nil),
		"RSA with one prime":      with("RS256", "p", good["RS256"]["q"]),
		"RSA with a prime of 1":   with("RS256", "p", "AQ"),
		"RSA with a prime of 0":   with("RS256", "p", "AA"),
		"RSA with an empty prime": with("RS256", "p", ""),
		"RSA with a huge d":       with("RS256", "d", strings.Repeat("A", maxRSABits)),
		"RSA with a number":       with("RS256", "d", 5),
		"EC without d":            with("ES256", "d", nil),
		"EC with another d":       with("ES256", "d", strange["d"]),
		"EC with a short d":       with("ES512", "d", "AQ"),
		"EC with a d of zero":     with("ES256", "d", strings.Repeat("A", 43)),
		"Ed25519 without d":       with("EdDSA", "d", nil),
		"Ed25519 with another d":  with("EdDSA", "d", strange["d"]),
	} {
		if key, err := ParsePrivateJWK([]byte(text)); err != errNoSigner || key != nil {
			t.Errorf("%s: %T, %v", reason, key, err)
		}
	}
}

func TestSignJWS_refuses(t *testing.T) {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		key crypto.Signer
		alg string
	}{
		{nil, ""}, {nil, "RS256"}, {p224, ""}, {p224, "ES256"}, {testKeys()["EdDSA"], "none"}, {testKeys()["RS256"], "HS256"},
		{testKeys()["RS256"], "ES256"}, {testKeys()["ES256"], "ES384"}, {testKeys()["EdDSA"], "RS256"}, {testKeys()["EdDSA"], "x"},
	} {
		if token, err := SignJWS(tt.key, JWSHeader{Algorithm: tt.alg}, nil); err == nil {
			t.Errorf("%T signs with %q: %s", tt.key, tt.alg, token)
		}
	}
	if _, err := MarshalPrivateJWK(p224); err == nil {
		t.Error("a key on P-224 is written")
	}
	if _, err := json.Marshal(JWK{Key: p224.Public()}); err == nil {
		t.Error("a public key on P-224 is written")
	}
}

func TestJWTRules(t *testing.T) {
	rules := JWTRules{Issuers: []string{"a", "b"}, Audiences: []string{"c"}}
	for payload, want := range map[string]error{
		`{"iss":"b","aud":"c"}`:                   nil,
		`{"iss":"a","aud":["d","c"]}`:             nil,
		`{"iss":"c","aud":"c"}`:                   errJWTIssuer,
		`{"iss":["a"],"aud":"c"}`:                 errJWTIssuer,
		`{"aud":"c"}`:                             errJWTIssuer,
		`{"iss":"a"}`:                             errJWTAudience,
		`{"iss":"a","aud":null}`:                  errJWTAudience,
		`{"iss":"a","aud":"a"}`:                   errJWTAudience,
		`{"iss":"a","aud":[]}`:                    errJWTAudience,
		`{"iss":"a","aud":"c","exp":1}`:           errJWTExpired,
		`{"iss":"a","aud":"c","nbf":99999999999}`: errJWTEarly,
		`{"iss":"a","aud":"c","nbf":"1"}`:         errJWTInvalid,
		`[]`:                                      errJWTInvalid,
	} {
		if err := rules.Check([]byte(payload)); err != want {
			t.Errorf("%s: %v, want %v", payload, err, want)
		}
	}
}

// FuzzParsePrivateJWK: what is taken for a key signs, and its public half verifies.
func FuzzParsePrivateJWK(f *testing.F) {
	for _, alg := range asymmetricAlgs {
		text, err := MarshalPrivateJWK(testKeys()[alg])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := ParsePrivateJWK(text)
		if err != nil {
			return
		}
		token, err := SignJWS(key, JWSHeader{}, text)
		if err != nil {
			t.Fatal(err)
		}
		if payload, err := VerifyJWS(token, []JWK{{Key: key.Public()}}, nil); err != nil || string(payload) != string(text) {
			t.Fatalf("%q, %v", payload, err)
		}
	})
}
