package oauthtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// A jwk is one key of a set.
type jwk = map[string]any

// keys are those that the mock publishes.
func (p *path) keys() (keys []jwk) {
	p.t.Helper()
	status, body := open(p.t, p.mock.Issuer+"/jwks")
	var set struct{ Keys []jwk }
	if err := json.Unmarshal([]byte(body), &set); err != nil || status != http.StatusOK {
		p.t.Fatalf("%d %s", status, body)
	}
	return set.Keys
}

// change returns keys with a member replaced, nil for taken away, in those of an
// algorithm.
func change(keys []jwk, alg, member string, value any) (changed []jwk) {
	for _, key := range keys {
		if key["alg"] == alg {
			key = maps.Clone(key)
			if key[member] = value; value == nil {
				delete(key, member)
			}
		}
		changed = append(changed, key)
	}
	return changed
}

func of(keys []jwk, algs ...string) []jwk {
	return slices.DeleteFunc(slices.Clone(keys), func(key jwk) bool { return !slices.Contains(algs, key["alg"].(string)) })
}

// TestOddKeys: whatever a provider publishes as its keys, both servers believe the
// same tokens.
func TestOddKeys(t *testing.T) {
	t.Parallel()
	bare := testnode.IDToken{Header: map[string]any{"kid": nil}}
	es256 := testnode.IDToken{Algorithm: "ES256"}
	edDSA := testnode.IDToken{Algorithm: "EdDSA"}
	type set struct {
		keys  func(keys []jwk) any // the member "keys"
		token testnode.IDToken
	}
	for name, c := range map[string]set{
		"no kid in the token":                    {func(k []jwk) any { return k }, bare},
		"no kid, one key":                        {func(k []jwk) any { return of(k, "RS256") }, bare},
		"no kid, one of each kind":               {func(k []jwk) any { return of(k, "RS256", "ES256") }, bare},
		"no kid anywhere":                        {func(k []jwk) any { return change(of(k, "RS256"), "RS256", "kid", nil) }, bare},
		"no kid at the key":                      {func(k []jwk) any { return change(k, "RS256", "kid", nil) }, testnode.IDToken{}},
		"no alg at the key":                      {func(k []jwk) any { return change(k, "RS256", "alg", nil) }, testnode.IDToken{}},
		"another alg at the key":                 {func(k []jwk) any { return change(k, "RS256", "alg", "RS512") }, testnode.IDToken{}},
		"no use":                                 {func(k []jwk) any { return change(k, "RS256", "use", nil) }, testnode.IDToken{}},
		"for encryption":                         {func(k []jwk) any { return change(k, "RS256", "use", "enc") }, testnode.IDToken{}},
		"to verify":                              {func(k []jwk) any { return change(k, "RS256", "key_ops", []string{"verify"}) }, testnode.IDToken{}},
		"to sign only":                           {func(k []jwk) any { return change(k, "RS256", "key_ops", []string{"sign"}) }, testnode.IDToken{}},
		"the same kid for others":                {func(k []jwk) any { return change(k, "ES256", "kid", "RS256-1") }, testnode.IDToken{}},
		"the same kid for another of the kind":   {func(k []jwk) any { return change(k, "RS384", "kid", "RS256-1") }, testnode.IDToken{}},
		"another curve":                          {func(k []jwk) any { return change(k, "ES256", "crv", "P-384") }, es256},
		"secp256k1":                              {func(k []jwk) any { return change(k, "ES256", "crv", "secp256k1") }, es256},
		"a point elsewhere":                      {func(k []jwk) any { return change(k, "ES256", "y", "AAAA") }, es256},
		"no point":                               {func(k []jwk) any { return change(k, "ES256", "y", nil) }, es256},
		"no modulus":                             {func(k []jwk) any { return change(k, "RS256", "n", nil) }, testnode.IDToken{}},
		"short modulus":                          {func(k []jwk) any { return change(k, "RS256", "n", "AQAB") }, testnode.IDToken{}},
		"exponent 1":                             {func(k []jwk) any { return change(k, "RS256", "e", "AQ") }, testnode.IDToken{}},
		"EdDSA by its new name":                  {func(k []jwk) any { return change(k, "EdDSA", "alg", "Ed25519") }, edDSA},
		"X25519":                                 {func(k []jwk) any { return change(k, "EdDSA", "crv", "X25519") }, edDSA},
		"a symmetric key":                        {func(k []jwk) any { return append(k, jwk{"kty": "oct", "k": "AAAA", "kid": "RS256-1"}) }, testnode.IDToken{}},
		"keys of unknown kinds":                  {func(k []jwk) any { return append(k, jwk{"kty": "new", "kid": "x"}, jwk{}) }, testnode.IDToken{}},
		"kid as number":                          {func(k []jwk) any { return change(k, "RS256", "kid", 7) }, testnode.IDToken{}},
		"empty":                                  {func([]jwk) any { return []jwk{} }, testnode.IDToken{}},
		"no list":                                {func([]jwk) any { return "keys" }, testnode.IDToken{}},
		"with members of other purposes":         {func(k []jwk) any { return change(k, "RS256", "x5c", []string{"AAAA"}) }, testnode.IDToken{}},
		"the token names a key of another alg":   {func(k []jwk) any { return k }, testnode.IDToken{Header: map[string]any{"kid": "RS384-1"}}},
		"the token names a key of another kind":  {func(k []jwk) any { return k }, testnode.IDToken{Header: map[string]any{"kid": "ES256-1"}}},
		"the token says another type":            {func(k []jwk) any { return k }, testnode.IDToken{Header: map[string]any{"typ": "at+jwt"}}},
		"the token says no type":                 {func(k []jwk) any { return k }, testnode.IDToken{Header: map[string]any{"typ": nil}}},
		"the token has an unknown header member": {func(k []jwk) any { return k }, testnode.IDToken{Header: map[string]any{"x": 1}}},
		"the token has an empty crit":            {func(k []jwk) any { return k }, testnode.IDToken{Header: map[string]any{"crit": []string{}}}},
		"the token has kid as number":            {func(k []jwk) any { return k }, testnode.IDToken{Header: map[string]any{"kid": 7}}},
	} {
		t.Run(name, func(t *testing.T) {
			same(newWorld(t, setting{}), t, map[string]set{"token": c}, func(p *path, c set) string {
				person := p.mockPerson(nil)
				p.mock.Tamper(testnode.JWKS, testnode.Lie{Set: map[string]any{"keys": c.keys(p.keys())}})
				b := newBrowser(p.t)
				r := b.submit(p.end, p.mock.IDToken(c.token), nil)
				p.mock.Honest()
				if user := b.user(p.end); (user == nil) == (r.status == 200) || user != nil && user["name"] != "User "+person {
					p.t.Errorf("%d, and %v is signed in", r.status, user)
				}
				return http.StatusText(r.status)
			})
		})
	}
}

// TestKeysDown: while the keys cannot be read nobody signs in.
func TestKeysDown(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		p.mockPerson(nil)
		for _, l := range []testnode.Lie{{Status: 503}, {Drop: true}, replaced("<html>"), replaced(`{}`)} {
			p.mock.Tamper(testnode.JWKS, l)
			p.signInAtMock(newBrowser(p.t)).refuses("unable_to_get_user_info")
		}
		p.mock.Honest()
	})
}

// TestDiscoveredOnce: many who come first make one request for the metadata and
// one for the keys.
func TestDiscoveredOnce(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).ours(t, func(p *path) {
		asked := func(path string) int { return len(p.mock.RequestsTo(path)) }
		discoveries, keys := asked("/.well-known/openid-configuration"), asked("/jwks")
		p.mockPerson(nil)
		token := p.mock.IDToken(testnode.IDToken{})
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { newBrowser(p.t).submit(p.end, token, nil).is(200) })
		}
		all.Wait()
		if d, k := asked("/.well-known/openid-configuration")-discoveries, asked("/jwks")-keys; d != 1 || k != 1 {
			p.t.Errorf("%d requests for metadata, %d for keys", d, k)
		}
	})
}
