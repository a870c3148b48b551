package oauthtest

import (
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// submit signs in with an id_token.
func (b *browser) submit(at *site, token string, more map[string]any) reply {
	b.t.Helper()
	return b.post(at, "/sign-in/social", map[string]any{"provider": "mock", "idToken": merge(map[string]any{"token": token}, more)})
}

// TestIDTokenSignIn: the token of a mobile application signs its user in, under
// each algorithm of the provider, and the next time it is the same user.
func TestIDTokenSignIn(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		person := p.mockPerson(nil)
		var id string
		for _, algorithm := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
			b := newBrowser(p.t)
			var answer struct {
				Redirect bool
				Token    string
				User     struct{ ID, Email string }
			}
			b.submit(p.begun, p.mock.IDToken(testnode.IDToken{Algorithm: algorithm}), nil).decode(&answer)
			if answer.Redirect || answer.Token == "" || answer.User.Email != person+"@example.com" || p.id(b) != answer.User.ID {
				p.t.Fatalf("%s: %+v", algorithm, answer)
			}
			if id == "" {
				id = answer.User.ID
			} else if answer.User.ID != id {
				p.t.Errorf("%s: another user", algorithm)
			}
			if accounts := b.accounts(p.end); len(accounts) != 1 || accounts[0].AccountID != person || len(accounts[0].Scopes) != 0 {
				p.t.Errorf("accounts %+v", accounts)
			}
		}
	})
}

// TestIDTokenRefused: a token that was forged, or that was made for somebody else
// or for another time, signs nobody in. Anybody can send one.
func TestIDTokenRefused(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		p.mockPerson(nil)
		honest := p.mock.IDToken(testnode.IDToken{})
		for reason, token := range map[string]string{
			"alg none":                 p.mock.IDToken(testnode.IDToken{Forgery: testnode.AlgorithmNone}),
			"alg None":                 p.mock.IDToken(testnode.IDToken{Forgery: testnode.AlgorithmNone, Header: map[string]any{"alg": "None"}}),
			"no signature":             p.mock.IDToken(testnode.IDToken{Forgery: testnode.Unsigned}),
			"broken":                   p.mock.IDToken(testnode.IDToken{Forgery: testnode.Broken}),
			"broken ES256":             p.mock.IDToken(testnode.IDToken{Algorithm: "ES256", Forgery: testnode.Broken}),
			"broken EdDSA":             p.mock.IDToken(testnode.IDToken{Algorithm: "EdDSA", Forgery: testnode.Broken}),
			"stranger":                 p.mock.IDToken(testnode.IDToken{Forgery: testnode.Stranger}),
			"stranger ES256":           p.mock.IDToken(testnode.IDToken{Algorithm: "ES256", Forgery: testnode.Stranger}),
			"stranger EdDSA":           p.mock.IDToken(testnode.IDToken{Algorithm: "EdDSA", Forgery: testnode.Stranger}),
			"own key":                  p.mock.IDToken(testnode.IDToken{Forgery: testnode.Embedded}),
			"public key as secret":     p.mock.IDToken(testnode.IDToken{Forgery: testnode.Confusion}),
			"wrong kid":                p.mock.IDToken(testnode.IDToken{Header: map[string]any{"kid": "unknown"}}),
			"key for another alg":      p.mock.IDToken(testnode.IDToken{Header: map[string]any{"kid": "PS256-1"}}),
			"another audience":         p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"aud": "another"}}),
			"audience in one word":     p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"aud": "app another"}}),
			"another issuer":           p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"iss": p.op.Issuer}}),
			"expired":                  p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"exp": ago(time.Minute)}}),
			"not yet":                  p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"nbf": ago(-time.Minute)}}),
			"no subject":               p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"sub": nil}}),
			"no expiry":                p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"exp": nil}}),
			"no issuing time":          p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"iat": nil}}),
			"empty":                    "",
			"no token":                 "token",
			"two parts":                honest[:len(honest)/2],
			"five parts":               honest + ".a.b",
			"another encoding":         honest + "=",
			"header of another token":  p.mock.IDToken(testnode.IDToken{Algorithm: "ES256"})[:20] + honest[20:],
			"an access token's opaque": "0123456789abcdef",
		} {
			b := newBrowser(p.t)
			if r := b.submit(p.end, token, nil); r.status != 401 && !(token == "" && r.status == 400) {
				p.t.Errorf("%s: %d %s", reason, r.status, r.body)
			}
			p.anonymous(b)
		}
		newBrowser(p.t).submit(p.end, honest, nil).is(200) // the table differs from this in what it says only
	})
}

// TestIDTokenNonce: an application that sends the nonce has it compared, exactly.
func TestIDTokenNonce(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		p.mockPerson(nil)
		token := p.mock.IDToken(testnode.IDToken{Claims: map[string]any{"nonce": "a nonce"}})
		for nonce, status := range map[string]int{"a nonce": 200, "another": 401, "a nonce ": 401, "A NONCE": 401} {
			newBrowser(p.t).submit(p.end, token, map[string]any{"nonce": nonce}).is(status)
		}
		bare := p.mock.IDToken(testnode.IDToken{})
		newBrowser(p.t).submit(p.end, bare, map[string]any{"nonce": "a nonce"}).fails(401, "INVALID_TOKEN")
		newBrowser(p.t).submit(p.end, token, nil).is(200)
	})
}

// TestIDTokenUser: what a verified token says of the address decides as in a flow
// with a redirect.
func TestIDTokenUser(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		b, ann := p.signUp()
		p.mockPerson(map[string]any{"email": ann + "@example.com", "email_verified": false})
		newBrowser(p.t).submit(p.end, p.mock.IDToken(testnode.IDToken{}), nil).fails(401, "OAUTH_LINK_ERROR")
		p.mockPerson(map[string]any{"email": nil})
		newBrowser(p.t).submit(p.end, p.mock.IDToken(testnode.IDToken{}), nil).fails(401, "FAILED_TO_GET_USER_INFO")
		p.mockPerson(map[string]any{"email": ann + "@example.com"})
		linked := newBrowser(p.t)
		linked.submit(p.end, p.mock.IDToken(testnode.IDToken{}), nil).is(200)
		if p.id(linked) != p.id(b) {
			p.t.Error("a verified address belongs to two users")
		}
	})
}

// TestKeyRotation: a token of a key that the provider took away is refused by who
// has not fetched that key before.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		p.mockPerson(nil)
		old := p.mock.IDToken(testnode.IDToken{})
		p.mock.RotateKeys()
		newBrowser(p.t).submit(p.end, old, nil).fails(401, "INVALID_TOKEN")
		newBrowser(p.t).submit(p.end, p.mock.IDToken(testnode.IDToken{}), nil).is(200)
		if n := len(p.mock.RequestsTo("/jwks")); n == 0 {
			p.t.Error("nobody asked for the keys")
		}
	})
}

// TestManyUnknownKeys: tokens with made-up keys do not make the server ask the
// provider each time.
func TestManyUnknownKeys(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		before := len(p.mock.RequestsTo("/jwks"))
		for range 20 {
			newBrowser(p.t).submit(p.end, p.mock.IDToken(testnode.IDToken{Header: map[string]any{"kid": "unknown"}}), nil).is(401)
		}
		if n := len(p.mock.RequestsTo("/jwks")) - before; n > 2 {
			p.t.Errorf("%d requests for keys", n)
		}
	})
}
