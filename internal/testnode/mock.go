package testnode

import (
	"testing"
	"time"
)

// A MockProvider is oauth2-mock-server, which checks nothing but PKCE and signs
// in everybody as one user, at first johndoe. It signs with a key for each of the
// algorithms of RFC 7518 and EdDSA, and lies when it is told to.
type MockProvider struct{ Provider }

// StartMockProvider starts one until the end of the test.
func StartMockProvider(tb testing.TB) *MockProvider {
	tb.Helper()
	p := &MockProvider{startProvider(tb, "mock.mjs", nil)}
	p.SetUser("johndoe", map[string]any{"email": "johndoe@example.com", "email_verified": true, "name": "John Doe"})
	return p
}

// SetUser replaces who signs in and what userinfo and ID tokens say of them. The
// subject is the id.
func (p *MockProvider) SetUser(id string, claims map[string]any) {
	p.tb.Helper()
	p.ask("user", map[string]any{"user": id, "claims": claims}, nil)
}

// An Endpoint is one that can be tampered with.
type Endpoint string

// The endpoints.
const (
	Discovery Endpoint = "discovery" // /.well-known/openid-configuration
	Authorize Endpoint = "authorize"
	Token     Endpoint = "token"
	UserInfo  Endpoint = "userinfo"
	JWKS      Endpoint = "jwks"
)

// A Lie is how an answer differs from the honest one.
type Lie struct {
	Delay   time.Duration     // before anything else
	Drop    bool              // closes the connection
	Status  int               // with Body instead of the honest answer
	Headers map[string]string // of Body, and of Status
	Body    *string           // instead of the honest answer
	Set     map[string]any    // members of the JSON; nil takes one away
	IDToken IDToken           // of the token endpoint
}

// An IDToken is how one differs from the honest one.
type IDToken struct {
	Claims    map[string]any `json:"claims,omitempty"` // nil takes one away
	Algorithm string         `json:"alg,omitempty"`    // that signs, default RS256; decides the key
	Header    map[string]any `json:"header,omitempty"` // nil takes a member away
	Forgery   Forgery        `json:"forgery,omitempty"`
}

// A Forgery is a way to make a token without the provider's key.
type Forgery string

// The ways to forge.
const (
	AlgorithmNone Forgery = "none"     // alg none and no signature
	Unsigned      Forgery = "unsigned" // the honest header and no signature
	Broken        Forgery = "broken"   // a signature in which one bit differs
	Stranger      Forgery = "stranger" // a signature with another key, which it calls by the kid of the provider's
	Embedded      Forgery = "embedded" // a signature with a key that the header brings along as jwk
	Confusion     Forgery = "hmac"     // HS256 with the public key as the secret
)

// Tamper makes an endpoint lie until Tamper or Honest is called.
func (p *MockProvider) Tamper(e Endpoint, l Lie) {
	p.tb.Helper()
	p.ask("rule", map[string]any{"endpoint": e, "rule": map[string]any{
		"delay": l.Delay.Milliseconds(), "drop": l.Drop, "status": l.Status, "headers": l.Headers,
		"body": l.Body, "set": l.Set, "idToken": l.IDToken,
	}}, nil)
}

// Honest ends all lies.
func (p *MockProvider) Honest() {
	p.tb.Helper()
	for _, e := range []Endpoint{Discovery, Authorize, Token, UserInfo, JWKS} {
		p.Tamper(e, Lie{})
	}
}

// RotateKeys replaces all keys. Those that were no longer verify anything.
func (p *MockProvider) RotateKeys() {
	p.tb.Helper()
	p.ask("rotate", nil, nil)
}

// IDToken signs a token for the client about the user, but for the changes.
func (p *MockProvider) IDToken(change IDToken) string {
	p.tb.Helper()
	var signed struct{ Token string }
	p.ask("token", map[string]any{"audience": p.ClientID, "token": change}, &signed)
	return signed.Token
}
