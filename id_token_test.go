package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	testIssuer   = "https://idp.example"
	testAudience = "client-1"
)

// publishKeys is a provider whose keys are those of the algorithms, named after
// them.
func publishKeys(t testing.TB, algs ...string) *remoteKeys {
	t.Helper()
	var keys []string
	for _, alg := range algs {
		keys = append(keys, makeJWK(t, testKeys()[alg].Public(), map[string]any{"kid": alg}))
	}
	return newRemoteKeys("https://idp.example/keys", publish(string(makeKeySet(keys...))))
}

// publish is a provider that always says the same.
func publish(text string) func(context.Context, string) ([]byte, error) {
	return func(context.Context, string) ([]byte, error) { return []byte(text), nil }
}

// testRules are the plain rules that most tests start from.
func testRules(t testing.TB, algs ...string) *idTokenRules {
	return &idTokenRules{keys: publishKeys(t, algs...), issuers: []string{testIssuer}, audiences: []string{testAudience}}
}

// idTokenClaims are claims that fulfil testRules, with others that replace or, if
// nil, remove them. A json.RawMessage stands for itself.
func idTokenClaims(t testing.TB, more map[string]any) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{"iss": testIssuer, "sub": "u1", "aud": testAudience, "iat": now, "exp": now + 300}
	maps.Copy(claims, more)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func makeIDToken(t testing.TB, alg, payload string) string {
	t.Helper()
	return makeJWS(t, alg, fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, alg, alg), payload)
}

func TestIDTokenAlgorithms(t *testing.T) {
	for _, alg := range asymmetricAlgs {
		r := testRules(t, asymmetricAlgs...)
		claims, err := r.verify(t.Context(), makeIDToken(t, alg, idTokenClaims(t, map[string]any{"email": "a@x.co"})), "")
		if err != nil || claims["sub"] != "u1" || claims["email"] != "a@x.co" {
			t.Errorf("%s: %v, %v", alg, claims, err)
		}
		r.algs = []string{"HS256", "none"}
		if _, err := r.verify(t.Context(), makeIDToken(t, alg, idTokenClaims(t, nil)), ""); !errors.Is(err, errIDToken) {
			t.Errorf("%s where only what cannot be allowed is: %v", alg, err)
		}
	}
}

// TestIDTokenClaims: the clock stands still, and "now" is its whole second.
func TestIDTokenClaims(t *testing.T) {
	list := func(values ...any) any { return values }
	raw := func(text string) any { return json.RawMessage(text) }
	maxAge := func(r *idTokenRules) { r.maxAge = time.Hour }
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(999 * time.Millisecond)
		now := time.Now().Unix()
		for _, tt := range []struct {
			reason, name string
			value        any
			rule         func(*idTokenRules)
			ok           bool
		}{
			{"all there", "", nil, nil, true},
			{"no iss", "iss", nil, nil, false},
			{"no sub", "sub", nil, nil, false},
			{"no aud", "aud", nil, nil, false},
			{"no exp", "exp", nil, nil, false},
			{"no iat", "iat", nil, nil, false},
			{"claims are case-sensitive", "SUB", "u2", nil, true},

			{"another iss", "iss", "https://evil.example", nil, false},
			{"iss with a slash is another", "iss", testIssuer + "/", nil, false},
			{"iss in upper case is another", "iss", "HTTPS://IDP.EXAMPLE", nil, false},
			{"iss is a list", "iss", list(testIssuer), nil, false},
			{"iss is null", "iss", raw("null"), nil, false},
			{"the second issuer", "iss", "idp.example", func(r *idTokenRules) { r.issuers = append(r.issuers, "idp.example") }, true},
			{"any issuer", "iss", "https://tenant.example", func(r *idTokenRules) { r.issuers = nil }, true},
			{"any issuer, but one", "iss", nil, func(r *idTokenRules) { r.issuers = nil }, false},
			{"any issuer, but a string", "iss", 1, func(r *idTokenRules) { r.issuers = nil }, false},

			{"sub is a number", "sub", raw("12345678901234567890"), nil, true},
			{"sub is empty", "sub", "", nil, false},
			{"sub is null", "sub", raw("null"), nil, false},
			{"sub is a list", "sub", list("u1"), nil, false},
			{"sub is a boolean", "sub", true, nil, false},

			{"another aud", "aud", "client-2", nil, false},
			{"aud is a prefix", "aud", "client-", nil, false},
			{"aud is a list", "aud", list(testAudience), nil, true},
			{"one of many", "aud", list("client-2", testAudience), nil, true},
			{"none of many", "aud", list("client-2", "client-3"), nil, false},
			{"none", "aud", list(), nil, false},
			{"aud is null", "aud", raw("null"), nil, false},
			{"aud is a number", "aud", 1, nil, false},
			{"aud is an object", "aud", raw(`{"client-1":"client-1"}`), nil, false},
			{"aud has a list in it", "aud", list(list(testAudience)), nil, false},
			{"aud has others in it", "aud", list(1, nil, testAudience), nil, true},
			{"the second audience", "aud", "client-2", func(r *idTokenRules) { r.audiences = append(r.audiences, "client-2") }, true},
			{"no audience is configured", "aud", list(), func(r *idTokenRules) { r.audiences = nil }, false},
			{"an empty audience is configured", "aud", "", func(r *idTokenRules) { r.audiences = []string{""} }, false},
			{"an empty audience beside another", "aud", "", func(r *idTokenRules) { r.audiences = append(r.audiences, "") }, false},
			{"azp is another client of one audience", "azp", "android", nil, true},

			{"exp now", "exp", now, nil, true},
			{"exp within the tolerance", "exp", now - 29, nil, true},
			{"exp at its end", "exp", now - 30, nil, false},
			{"exp a fraction later", "exp", float64(now) - 29.9, nil, true},
			{"exp long ago", "exp", 1, nil, false},
			{"exp is a string", "exp", fmt.Sprint(now + 300), nil, false},
			{"exp is null", "exp", raw("null"), nil, false},
			{"exp beyond numbers", "exp", raw("1e400"), nil, false},
			{"exp far away", "exp", raw("1e300"), nil, true},

			{"nbf within the tolerance", "nbf", now + 30, nil, true},
			{"nbf beyond it", "nbf", now + 31, nil, false},
			{"nbf is a string", "nbf", "1", nil, false},
			{"nbf is null", "nbf", raw("null"), nil, false},

			{"iat of next year, without a maximum age", "iat", now + 1e7, nil, true},
			{"iat long ago, without a maximum age", "iat", 1, nil, true},
			{"iat is a string", "iat", fmt.Sprint(now), nil, false},
			{"iat is null", "iat", raw("null"), nil, false},
			{"iat now", "iat", now, maxAge, true},
			{"iat in the future, within the tolerance", "iat", now + 30, maxAge, true},
			{"iat in the future, beyond it", "iat", now + 31, maxAge, false},
			{"the maximum age and the tolerance", "iat", now - 3630, maxAge, true},
			{"more", "iat", now - 3631, maxAge, false},

			{"the check is content", "hd", "x.co", func(r *idTokenRules) { r.check = func(c map[string]any) bool { return c["hd"] == "x.co" } }, true},
			{"the check is not", "hd", "y.co", func(r *idTokenRules) { r.check = func(c map[string]any) bool { return c["hd"] == "x.co" } }, false},
			{"the check does not replace the rules", "aud", "client-2", func(r *idTokenRules) { r.check = func(map[string]any) bool { return true } }, false},
		} {
			r := testRules(t, "EdDSA")
			if tt.rule != nil {
				tt.rule(r)
			}
			claims, err := r.verify(t.Context(), makeIDToken(t, "EdDSA", idTokenClaims(t, map[string]any{tt.name: tt.value})), "")
			if (err == nil) != tt.ok || (claims != nil) != tt.ok || err != nil && !errors.Is(err, errIDToken) {
				t.Errorf("%s: %v, %v", tt.reason, claims, err)
			}
		}
	})
}

// With several audiences azp is no more a reason to refuse than in the original.
func TestIDTokenAuthorizedParty(t *testing.T) {
	payload := idTokenClaims(t, map[string]any{"aud": []string{testAudience, "client-2"}, "azp": "android"})
	if _, err := testRules(t, "EdDSA").verify(t.Context(), makeIDToken(t, "EdDSA", payload), ""); err != nil {
		t.Error(err)
	}
}

func TestIDTokenNonce(t *testing.T) {
	sum := sha256.Sum256([]byte("n1"))
	hash := hex.EncodeToString(sum[:])
	for _, tt := range []struct {
		reason, nonce string
		claim         any
		hashed, ok    bool
	}{
		{"nobody asks, and it has none", "", nil, false, true},
		{"nobody asks for the one it has", "", "n1", false, true},
		{"the same", "n1", "n1", false, true},
		{"another", "n1", "n2", false, false},
		{"missing", "n1", nil, false, false},
		{"empty", "n1", "", false, false},
		{"a part", "n1", "n", false, false},
		{"a list", "n1", []string{"n1"}, false, false},
		{"a number", "1", 1, false, false},
		{"hashed, where it must not be", "n1", hash, false, false},
		{"hashed", "n1", hash, true, true},
		{"plain, where it may be hashed", "n1", "n1", true, true},
		{"hashed in upper case", "n1", strings.ToUpper(hash), true, false},
		{"hash of another", "n2", hash, true, false},
		{"whoever saw the hash does not have the nonce", hash, "n1", true, false},
		{"missing, where it may be hashed", "n1", nil, true, false},
	} {
		r := testRules(t, "EdDSA")
		r.hashedNonce = tt.hashed
		token := makeIDToken(t, "EdDSA", idTokenClaims(t, map[string]any{"nonce": tt.claim}))
		if _, err := r.verify(t.Context(), token, tt.nonce); (err == nil) != tt.ok || err != nil && !errors.Is(err, errIDToken) {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
}

func TestIDTokenPayload(t *testing.T) {
	good := idTokenClaims(t, nil)
	for _, tt := range []struct {
		reason, payload string
		ok              bool
	}{
		{"good", good, true},
		{"white space", " " + good + "\n", true},
		{"the last of two members counts", `{"sub":null,` + good[1:], true},
		{"the last of two members counts (2)", good[:len(good)-1] + `,"aud":"client-2"}`, false},
		{"more than JSON", good + "{}", false},
		{"cut off", good[:len(good)-1], false},
		{"a list", "[" + good + "]", false},
		{"null", "null", false},
		{"empty", "", false},
		{"not UTF-8", good[:len(good)-1] + ",\"x\":\"\xff\"}", false},
	} {
		if _, err := testRules(t, "EdDSA").verify(t.Context(), makeIDToken(t, "EdDSA", tt.payload), ""); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
}

// What cannot be verified at all does not make the provider's server work.
func TestIDTokenFetches(t *testing.T) {
	for _, tt := range []struct {
		reason, token string
		rule          func(*idTokenRules)
		fetches       int
	}{
		{"opaque", "opaque", nil, 0},
		{"too long", makeIDToken(t, "RS256", strings.Repeat(" ", maxJWS)), nil, 0},
		{"HMAC", encodeURL(`{"alg":"HS256","kid":"a"}`) + ".e30.e30", nil, 0},
		{"an algorithm that is not allowed", makeIDToken(t, "ES256", "{}"), func(r *idTokenRules) { r.algs = []string{"RS256"} }, 0},
		{"no audience", makeIDToken(t, "RS256", "{}"), func(r *idTokenRules) { r.audiences = nil }, 0},
		{"a plausible one", makeIDToken(t, "RS256", "{}"), nil, 1},
	} {
		s := &keyServer{t: t, ids: []string{"a"}}
		r := testRules(t)
		r.keys = s.keys()
		if tt.rule != nil {
			tt.rule(r)
		}
		if _, err := r.verify(t.Context(), tt.token, ""); !errors.Is(err, errIDToken) {
			t.Errorf("%s: %v", tt.reason, err)
		}
		s.expectFetches(tt.fetches, tt.reason)
	}
}

// The log tells a provider that is down from a token that is forged.
func TestIDTokenErrors(t *testing.T) {
	s := &keyServer{t: t, fails: errDown}
	r := testRules(t)
	r.keys = s.keys()
	_, err := r.verify(t.Context(), makeIDToken(t, "EdDSA", idTokenClaims(t, nil)), "")
	if !errors.Is(err, errIDToken) || !errors.Is(err, errDown) || !strings.HasPrefix(err.Error(), "auth: id_token is invalid: ") {
		t.Error(err)
	}
	for _, r := range []*idTokenRules{{}, {audiences: []string{testAudience}}} { // no rules at all, no keys
		if _, err := r.verify(t.Context(), makeIDToken(t, "EdDSA", idTokenClaims(t, nil)), ""); !errors.Is(err, errIDToken) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestDecodeIDToken(t *testing.T) {
	payload := encodeURL(`{"sub":12345678901,"n":1.50,"aud":["a"],"email_verified":true,"x":null,"o":{"n":9007199254740993}}`)
	want := map[string]any{
		"sub": 12345678901.0, "n": 1.5, "aud": []any{"a"}, "email_verified": true, "x": nil,
		"o": map[string]any{"n": 9007199254740992.0},
	}
	for _, tt := range []struct {
		reason, token string
		ok            bool
	}{
		{"signed by nobody", "e30." + payload + ".", true},
		{"the header is not looked at", "?." + payload + ".?", true},
		{"opaque", "opaque", false},
		{"two parts", "e30." + payload, false},
		{"four parts", "e30." + payload + "..", false},
		{"encrypted", "e30." + payload + "...", false},
		{"empty", "", false},
		{"no payload", "e30..", false},
		{"no base64url", "e30.{}.", false},
		{"no object", "e30." + encodeURL("[]") + ".", false},
		{"null", "e30." + encodeURL("null") + ".", false},
		{"more than an object", "e30." + encodeURL("{}{}") + ".", false},
		{"not UTF-8", "e30." + encodeURL("{\"a\":\"\xff\"}") + ".", false},
		{"too long", "e30." + payload + "." + strings.Repeat("A", maxJWS), false},
	} {
		claims, err := decodeIDToken(tt.token)
		if tt.ok && (err != nil || !reflect.DeepEqual(claims, want)) {
			t.Errorf("%s: %v, %v", tt.reason, claims, err)
		}
		if !tt.ok && (claims != nil || !errors.Is(err, errIDToken)) {
			t.Errorf("%s: %v, %v", tt.reason, claims, err)
		}
	}
}

// FuzzIDToken: of all tokens one key accepts the one that it signed; and of all
// payloads that it could sign those with the right claims.
func FuzzIDToken(f *testing.F) {
	r := testRules(f, "EdDSA")
	payload := idTokenClaims(f, map[string]any{"exp": int64(1 << 40), "iat": 1, "nonce": "n"})
	valid := makeIDToken(f, "EdDSA", payload)
	parts := strings.Split(valid, ".")
	f.Add(valid, "n")
	f.Add(valid, "")
	f.Add(parts[0]+"."+parts[1]+".", "n")
	f.Add(encodeURL(`{"alg":"none"}`)+"."+parts[1]+".", "")
	f.Add(makeIDToken(f, "RS256", payload), "")
	f.Add("opaque", "")
	f.Add(payload, "n")
	f.Add(strings.Replace(payload, `"client-1"`, `[1,"client-1"]`, 1), "")
	f.Fuzz(func(t *testing.T, token, nonce string) {
		claims, err := r.verify(t.Context(), token, nonce)
		if ok := token == valid && (nonce == "" || nonce == "n"); (err == nil) != ok || (claims != nil) != ok {
			t.Errorf("%v, %v", claims, err)
		}
		if err != nil && !errors.Is(err, errIDToken) {
			t.Errorf("error %v", err)
		}
		decoded, err := decodeIDToken(token)
		if (err == nil) != (decoded != nil) || token == valid && decoded["sub"] != "u1" {
			t.Errorf("decoded %v, %v", decoded, err)
		}
		checkFuzzedClaims(t, r, token, nonce)
	})
}

// checkFuzzedClaims: a payload that is accepted has what the rules want.
func checkFuzzedClaims(t *testing.T, r *idTokenRules, payload, nonce string) {
	claims, err := r.verify(t.Context(), makeIDToken(t, "EdDSA", payload), nonce)
	if err != nil {
		return
	}
	_, list := claims["aud"].([]any)
	end, ok := claims["exp"].(float64)
	if !ok || end < float64(time.Now().Unix())-idTokenTolerance || claims["iat"] == nil || claims["iss"] != testIssuer ||
		claims["sub"] == nil || claims["aud"] != testAudience && !list || nonce != "" && claims["nonce"] != nonce {
		t.Errorf("nonce %q, claims %v", nonce, claims)
	}
}
