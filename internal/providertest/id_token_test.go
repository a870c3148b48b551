package providertest

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// An issuer is a provider that signs id_tokens for clients to submit.
type issuer struct {
	name    string
	id      string
	config  func(p *auth.Provider)
	options map[string]any
	keys    string         // where its keys are
	claims  map[string]any // of a good token, beside those that all have
}

var issuers = []issuer{
	{id: "apple", keys: "https://appleid.apple.com/auth/keys", claims: map[string]any{"iss": "https://appleid.apple.com"}},
	{name: "with apps", id: "apple", keys: "https://appleid.apple.com/auth/keys", config: audiences("id", "app"), options: map[string]any{"audience": []string{"id", "app"}}, claims: map[string]any{"iss": "https://appleid.apple.com"}},
	{id: "google", keys: "https://www.googleapis.com/oauth2/v3/certs", claims: map[string]any{"iss": "https://accounts.google.com"}},
	{name: "with apps", id: "google", keys: "https://www.googleapis.com/oauth2/v3/certs", config: audiences("id", "app"), options: map[string]any{"clientId": []string{"id", "app"}}, claims: map[string]any{"iss": "accounts.google.com"}},
	{name: "one domain", id: "google", keys: "https://www.googleapis.com/oauth2/v3/certs", config: param("hd", "x.co"), options: map[string]any{"hd": "x.co"}, claims: map[string]any{"iss": "accounts.google.com", "hd": "x.co"}},
	{name: "any domain", id: "google", keys: "https://www.googleapis.com/oauth2/v3/certs", config: param("hd", "*"), options: map[string]any{"hd": "*"}, claims: map[string]any{"iss": "accounts.google.com", "hd": "x.co"}},
	{id: "microsoft", keys: "https://login.microsoftonline.com/common/discovery/v2.0/keys", claims: entra("t1")},
	{name: "organizations", id: "microsoft", keys: "https://login.microsoftonline.com/organizations/discovery/v2.0/keys", config: tenant("organizations"), options: map[string]any{"tenantId": "organizations"}, claims: entra("t1")},
	{name: "consumers", id: "microsoft", keys: "https://login.microsoftonline.com/consumers/discovery/v2.0/keys", config: tenant("consumers"), options: map[string]any{"tenantId": "consumers"}, claims: entra(consumers)},
	{name: "one tenant", id: "microsoft", keys: "https://login.microsoftonline.com/t1/discovery/v2.0/keys", config: tenant("t1"), options: map[string]any{"tenantId": "t1"}, claims: entra("t1")},
	{id: "cognito", keys: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A/.well-known/jwks.json", config: pool, options: poolOptions, claims: map[string]any{"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A"}},
	{id: "facebook", keys: "https://limited.facebook.com/.well-known/oauth/openid/jwks/", claims: map[string]any{"iss": "https://www.facebook.com"}},
	{id: "github", keys: "https://github.com/", claims: map[string]any{"iss": "https://github.com"}},
}

const consumers = "9188040d-6c67-4c5b-b112-36a304b66dad" // the tenant of personal accounts at Microsoft

func audiences(ids ...string) func(p *auth.Provider) {
	return func(p *auth.Provider) { p.Audiences = ids }
}

func tenant(name string) func(p *auth.Provider) { return func(p *auth.Provider) { p.Tenant = name } }

func entra(tid string) map[string]any {
	return map[string]any{"iss": "https://login.microsoftonline.com/" + tid + "/v2.0", "tid": tid, "oid": "o1"}
}

// A submission is an id_token that a client sends.
type submission struct {
	what   string
	change map[string]any // of claims; nil removes one
	header map[string]any
	sign   func(k *testKeys, text []byte) []byte
	nonce  string
	keys   func(k *testKeys) string // what the provider publishes
	status int                      // with which it does
	garble func(token string) string
}

func submissions() []submission {
	now := time.Now().Unix()
	seconds := func(s int64) int64 { return now + s }
	hash := func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
	claim := func(name string, value any) map[string]any { return map[string]any{name: value} }
	list := []submission{
		{what: "good"},
		{what: "iat long ago", change: claim("iat", seconds(-7200))},
		{what: "iat an hour ago", change: claim("iat", seconds(-3590))},
		{what: "iat in the future", change: claim("iat", seconds(3600))},
		{what: "iat a little in the future", change: claim("iat", seconds(10))},
		{what: "exp has passed", change: claim("exp", seconds(-60))},
		{what: "exp has just passed", change: claim("exp", seconds(-10))},
		{what: "nbf in the future", change: claim("nbf", seconds(60))},
		{what: "nbf a little in the future", change: claim("nbf", seconds(10))},
		{what: "another client", change: claim("aud", "evil")},
		{what: "an app", change: claim("aud", "app")},
		{what: "several clients", change: claim("aud", []string{"evil", "id"})},
		{what: "several other clients", change: claim("aud", []string{"evil", "worse"})},
		{what: "no client", change: claim("aud", []string{})},
		{what: "another issuer", change: claim("iss", "https://evil.example")},
		{what: "an issuer with a slash", change: claim("iss", "https://accounts.google.com/")},
		{what: "an issuer without scheme", change: claim("iss", "accounts.google.com")},
		{what: "another domain", change: claim("hd", "y.co")},
		{what: "an empty domain", change: claim("hd", "")},
		{what: "a domain that is none", change: claim("hd", true)},
		{what: "another tenant, with its issuer", change: map[string]any{"tid": "t2", "iss": "https://login.microsoftonline.com/t2/v2.0"}},
		{what: "another tenant, with the issuer of the first", change: claim("tid", "t2")},
		{what: "the consumers", change: map[string]any{"tid": consumers, "iss": "https://login.microsoftonline.com/" + consumers + "/v2.0"}},
		{what: "an organization", change: map[string]any{"tid": "t1", "iss": "https://login.microsoftonline.com/t1/v2.0"}},
		{what: "a nonce that is not asked for", change: claim("nonce", "n")},
		{what: "the nonce", change: claim("nonce", "n"), nonce: "n"},
		{what: "the hash of the nonce", change: claim("nonce", hash("n")), nonce: "n"},
		{what: "the hash of the nonce in capitals", change: claim("nonce", strings.ToUpper(hash("n"))), nonce: "n"},
		{what: "another nonce", change: claim("nonce", "m"), nonce: "n"},
		{what: "no nonce", nonce: "n"},
		{what: "a nonce that is a number", change: claim("nonce", 1), nonce: "1"},
		{what: "an unknown key", header: map[string]any{"kid": "other"}},
		{what: "no kid", header: map[string]any{"kid": nil}},
		{what: "a kid that is a number", header: map[string]any{"kid": 1}},
		{what: "alg none", header: map[string]any{"alg": "none"}, sign: func(*testKeys, []byte) []byte { return nil }},
		{what: "another alg of the same key", header: map[string]any{"alg": "RS384"}},
		{what: "an HMAC with the public key", header: map[string]any{"alg": "HS256"}, sign: func(k *testKeys, text []byte) []byte {
			h := hmac.New(sha256.New, []byte(k.published()))
			h.Write(text)
			return h.Sum(nil)
		}},
		{what: "ES256", header: map[string]any{"alg": "ES256", "kid": "ec"}, sign: (*testKeys).signEC},
		{what: "the signature of another key", sign: func(k *testKeys, text []byte) []byte { return k.signRSA(k.other, text) }},
		{what: "no signature", sign: func(*testKeys, []byte) []byte { return nil }},
		{what: "extensions", header: map[string]any{"crit": []string{"x"}, "x": 1}},
		{what: "no keys", keys: func(*testKeys) string { return `{"keys":[]}` }},
		{what: "keys that are none", keys: func(*testKeys) string { return `{}` }},
		{what: "no key set", keys: func(*testKeys) string { return `oops` }},
		{what: "a key for another alg", keys: func(k *testKeys) string { return k.set(map[string]any{"alg": "RS512"}) }},
		{what: "a key without alg", keys: func(k *testKeys) string { return k.set(map[string]any{"alg": nil}) }},
		{what: "a key set that is not there", status: http.StatusNotFound},
		{what: "opaque", garble: func(string) string { return "opaque" }},
		{what: "two parts", garble: func(token string) string { return token[:strings.LastIndexByte(token, '.')] }},
		{what: "four parts", garble: func(token string) string { return token + ".x" }},
		{what: "five parts", garble: func(token string) string { return token + ".x.y" }},
		{what: "empty", garble: func(string) string { return ".." }},
		{what: "white space", garble: func(token string) string { return token + " " }},
		{what: "another payload", garble: func(token string) string {
			parts := strings.Split(token, ".")
			parts[1] = base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"victim"}`))
			return strings.Join(parts, ".")
		}},
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "tid", "hd"} {
		list = append(list, submission{what: "no " + name, change: claim(name, nil)})
		for _, odd := range []any{"", json.RawMessage("null"), 0, 12, true, []any{}, map[string]any{}} {
			list = append(list, submission{what: name + " is " + encode(odd), change: claim(name, odd)})
		}
	}
	return list
}

// testKeys are those of the issuers.
type testKeys struct {
	rsa, other *rsa.PrivateKey
	ec         *ecdsa.PrivateKey
}

func newTestKeys(t *testing.T) *testKeys {
	t.Helper()
	first, err1 := rsa.GenerateKey(rand.Reader, 2048)
	second, err2 := rsa.GenerateKey(rand.Reader, 2048)
	third, err3 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return &testKeys{first, second, third}
}

func (k *testKeys) published() string { return k.set(nil) }

// set is the key set, with members of the first key changed.
func (k *testKeys) set(change map[string]any) string {
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	one := map[string]any{"kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig", "n": number(k.rsa.N), "e": "AQAB"}
	maps.Copy(one, change)
	maps.DeleteFunc(one, func(_ string, value any) bool { return value == nil })
	point, err := k.ec.PublicKey.Bytes()
	if err != nil {
		panic(err) // it was just made
	}
	coordinate := base64.RawURLEncoding.EncodeToString
	return encode(map[string]any{"keys": []any{one, map[string]any{
		"kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "x": coordinate(point[1:33]), "y": coordinate(point[33:]),
	}}})
}

func (k *testKeys) signRSA(key *rsa.PrivateKey, text []byte) []byte {
	digest := sha256.Sum256(text)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err) // the key is long enough
	}
	return signature
}

func (k *testKeys) signEC(text []byte) []byte {
	digest := sha256.Sum256(text)
	r, s, err := ecdsa.Sign(rand.Reader, k.ec, digest[:])
	if err != nil {
		panic(err) // there is randomness
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// token is the id_token of an issuer, as the submission has it.
func (s *submission) token(i *issuer, k *testKeys) string {
	now := time.Now().Unix()
	claims := map[string]any{"sub": "s1", "aud": "id", "email": "a@x.co", "name": "Ann", "iat": now, "exp": now + 600}
	maps.Copy(claims, i.claims)
	maps.Copy(claims, s.change)
	header := map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}
	maps.Copy(header, s.header)
	for _, object := range []map[string]any{claims, header} {
		maps.DeleteFunc(object, func(_ string, value any) bool { return value == nil })
	}
	segment := func(value any) string { return base64.RawURLEncoding.EncodeToString([]byte(encode(value))) }
	text := segment(header) + "." + segment(claims)
	sign := s.sign
	if sign == nil {
		sign = func(k *testKeys, text []byte) []byte { return k.signRSA(k.rsa, text) }
	}
	token := text + "." + base64.RawURLEncoding.EncodeToString(sign(k, []byte(text)))
	if s.garble != nil {
		return s.garble(token)
	}
	return token
}

// verdicts on an id_token.
const (
	accepted    = "accepted"
	refused     = "refused"
	unsupported = "unsupported"
)

// Every provider that takes id_tokens of clients judges them as the original does.
func TestIDTokens(t *testing.T) {
	keys := newTestKeys(t)
	seen := make(map[string]int)
	for i := range issuers {
		for _, s := range submissions() {
			published := keys.published()
			if s.keys != nil {
				published = s.keys(keys)
			}
			replies := []reply{{issuers[i].keys, cmp.Or(s.status, http.StatusOK), "application/json", published}}
			token := s.token(&issuers[i], keys)
			ours, theirs := issuers[i].ours(t, token, s.nonce, replies), issuers[i].theirs(t, token, s.nonce, replies)
			if meant := slices.ContainsFunc(meantVerdicts, func(m meantVerdict) bool { return m.is(ours, issuers[i].id, s.what) }); (ours != theirs) != meant {
				t.Errorf("%s %s: %s: %s, the original: %s", issuers[i].id, issuers[i].name, s.what, ours, theirs)
			}
			seen[theirs]++
		}
	}
	if seen[accepted] == 0 || seen[refused] == 0 || seen[unsupported] == 0 {
		t.Errorf("the original's verdicts are one-sided: %v", seen)
	}
}

// A meantVerdict differs from the original's on purpose.
type meantVerdict struct {
	verdict, issuers, submissions, reason string
}

func (m meantVerdict) is(verdict, id, what string) bool {
	return m.verdict == verdict && slices.Contains(strings.Fields(m.issuers), id) && slices.Contains(strings.Split(m.submissions, "; "), what)
}

var meantVerdicts = []meantVerdict{
	{accepted, "apple google microsoft cognito", "no kid", "a token need not name its key (RFC 7515 section 4.1.4)"},
	{accepted, "apple cognito", "a key without alg", "a key need not name an algorithm (RFC 7517 section 4.4)"},
	{refused, "google", "a key for another alg", "but if it does, it is for no other"},
	{refused, "apple google microsoft cognito facebook", "white space", "base64url has none (RFC 7515 section 2)"},
	{refused, "apple google microsoft cognito facebook", `sub is ""; sub is null; sub is true; sub is []; sub is {}`, "that identifies nobody"},
}

// LINE judges its id_tokens itself.
func TestIDTokens_line(t *testing.T) {
	line := issuer{id: "line"}
	for _, body := range []string{
		`{"aud":"id","sub":"U1"}`, `{"aud":"evil"}`, `{"aud":["id"]}`, `{}`, `{"aud":"id","nonce":"n"}`, `{"aud":"id","nonce":"m"}`, `{"aud":"id","nonce":""}`,
		`{"aud":"id","nonce":1}`, `null`, `[]`, `"id"`, `oops`, ``, `{"error":"invalid_request"}`,
	} {
		for _, nonce := range []string{"", "n"} {
			for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
				replies := []reply{{"https://api.line.me/oauth2/v2.1/verify", status, "application/json", body}}
				token := unsigned(`{"sub":"U1","email":"a@x.co"}`)
				if ours, theirs := line.ours(t, token, nonce, replies), line.theirs(t, token, nonce, replies); ours != theirs {
					t.Errorf("%d %s, nonce %q: %s, the original: %s", status, body, nonce, ours, theirs)
				}
			}
		}
	}
}

func (i *issuer) ours(t *testing.T, token, nonce string, replies []reply) string {
	t.Helper()
	config := auth.BuiltinProvider(i.id, "id", "secret")
	if i.config != nil {
		i.config(&config)
	}
	// Who it is matters elsewhere; the verdict is on the token.
	config.Profile = func(context.Context, *auth.OAuthTokens) (map[string]any, error) {
		return map[string]any{"id": "1", "sub": "1", "oid": "1", "email": "a@x.co", "hd": "x.co"}, nil
	}
	a, err := auth.New(auth.Config{
		BaseURL: site, Secret: secret, Store: auth.NewMemoryStore(), Logger: slog.New(slog.DiscardHandler),
		Providers: []auth.Provider{config}, HTTPClient: &http.Client{Transport: &transport{replies: replies}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.API.SignInSocial.Call(t.Context(), auth.SignInSocialRequest{Provider: i.id, IDToken: &auth.SocialIDToken{Token: token, Nonce: nonce}})
	switch {
	case errors.Is(err, auth.ErrInvalidToken):
		return refused
	case errors.Is(err, auth.ErrIDTokenNotSupported):
		return unsupported
	case err != nil && !errors.Is(err, auth.ErrFailedToGetUserInfo): // that of an opaque token at Facebook
		t.Fatal(err)
	}
	return accepted
}

func (i *issuer) theirs(t *testing.T, token, nonce string, replies []reply) string {
	t.Helper()
	options := map[string]any{"clientId": "id", "clientSecret": "secret"}
	maps.Copy(options, i.options)
	var out struct{ Supported, Accepted bool }
	theOriginal(t).Ask(t, "verify", map[string]any{
		"provider": i.id, "options": options, "token": token, "nonce": nonce, "replies": replies,
	}, &out)
	switch {
	case !out.Supported:
		return unsupported
	case out.Accepted:
		return accepted
	}
	return refused
}
