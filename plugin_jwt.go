package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// JWT is the plugin that tells other servers who is signed in, by tokens that they
// verify with public keys (JSON Web Tokens, RFC 7519). Its ID is "jwt". The private
// keys are in the table jwks, encrypted; the public ones are at GET /jwks. Tokens come
// from GET /token and with every get-session, in the header set-auth-jwt.
//
// A token is good until it expires: signing out does not end it.
//
// Errors of Extend: options that contradict each other, and algorithms that there are
// not.
type JWT struct {
	// KeyPair is the kind of the keys that sign. Default: EdDSA.
	KeyPair JWTKeyPair

	// MoreKeyPairs are other kinds, of which a key is made when somebody asks for its
	// algorithm (JWTSigning).
	MoreKeyPairs []JWTKeyPair

	// RotationInterval is how long a key signs: the first token after that is signed
	// with a new one. Zero: for ever.
	RotationInterval time.Duration

	// GracePeriod is how long a key that does not sign any more still verifies and is
	// published. Default 30 days. NoGracePeriod ends that at once.
	GracePeriod   time.Duration
	NoGracePeriod bool

	// PlainPrivateKeys stores private keys without encryption: whoever reads the
	// database can then sign tokens. Both forms are read.
	PlainPrivateKeys bool

	// KeysPath is where the public keys are, below the base path. Default "/jwks".
	KeysPath string

	// RemoteKeysURL says that the public keys are published elsewhere, which needs
	// KeyPair.Algorithm: KeysPath answers 404.
	RemoteKeysURL string

	// Claims are those of tokens whose payload does not have them.
	Claims JWTClaims

	// DefinePayload returns what a token says about a session and its user, as clients
	// see them: anything that is a JSON object. Its claims iat, nbf, exp, jti, iss and
	// aud replace those of the plugin. Times are numbers of seconds, a time.Time, or
	// spans such as "2h" from now. Default: the user.
	DefinePayload func(ctx context.Context, data *SessionData) (any, error)

	// GetSubject returns the claim sub. Default, also for an empty one: the user's id.
	GetSubject func(ctx context.Context, data *SessionData) (string, error)

	// Sign signs claims, a JSON object, in place of the plugin: with a key that does
	// not leave its hardware, for instance. It needs RemoteKeysURL.
	Sign func(ctx context.Context, claims []byte, signing JWTSigning) (string, error)

	// NoHeader keeps get-session from sending tokens.
	NoHeader bool

	// SessionCookieCache signs the copies of sessions in cookies with the plugin's
	// keys, so that other servers can read them without a secret. It needs
	// CookieCache.Strategy CacheJWT and excludes Sign. A Verifier does not know such
	// copies and asks its storage or server.
	SessionCookieCache bool

	// FindKeys and CreateKey keep the keys elsewhere than in the table. FindKeys
	// returns all of them, CreateKey stores one and gives it an ID. Both or neither.
	FindKeys  func(ctx context.Context) ([]*JWTKey, error)
	CreateKey func(ctx context.Context, key *JWTKey) error

	// The endpoints, once New has returned. SignJWT and VerifyJWT have no URL.
	GetJWKS   *Endpoint[GetJWKSRequest, GetJWKSResponse]
	GetToken  *Endpoint[GetTokenRequest, GetTokenResponse]
	SignJWT   *Endpoint[SignJWTRequest, SignJWTResponse]
	VerifyJWT *Endpoint[VerifyJWTRequest, VerifyJWTResponse]

	services *Services
	rows     *Records[JWTKey]

	minting sync.Mutex // held while a key is generated; nothing is stored meanwhile
	minted  *jwtMinted // the last one, until it is stored

	public  jwtMemo[JWK]
	private jwtMemo[*jwtSigner]
}

// A JWTKeyPair is a kind of key: "EdDSA" (Ed25519), "ES256", "ES512", "RS256" or
// "PS256". RSABits is for the last two: 2048 to 8192, default 2048.
type JWTKeyPair struct {
	Algorithm string
	RSABits   int
}

const (
	defaultJWTAlgorithm = "EdDSA"
	defaultJWKSPath     = "/jwks"
	defaultJWTGrace     = 30 * 24 * time.Hour

	minJWTBits, maxJWTBits = 2048, 8192
)

// ID is "jwt".
func (p *JWT) ID() string { return "jwt" }

// Extend implements Plugin.
func (p *JWT) Extend(s *Services) (*Extension, error) {
	if err := p.check(s.Config().Session.CookieCache); err != nil {
		return nil, err
	}
	p.services = s
	p.rows = NewRecords[JWTKey](jwtKeyTable())
	p.GetJWKS = NewEndpoint(http.MethodGet, p.keysPath(), p.getJWKS)
	p.GetToken = NewEndpoint(http.MethodGet, "/token", p.getToken)
	p.SignJWT = NewEndpoint(http.MethodPost, "", p.signJWT)
	p.VerifyJWT = NewEndpoint(http.MethodPost, "", p.verifyJWT)
	p.describe()
	added := &Extension{
		Endpoints: []PluginEndpoint{
			{Name: "getJwks", Endpoint: p.GetJWKS, ReadOnly: true},
			{Name: "getToken", Endpoint: p.GetToken, Session: SessionRequired, NeedHeaders: true, ReadOnly: true},
			{Name: "signJWT", Endpoint: p.SignJWT},
			{Name: "verifyJWT", Endpoint: p.VerifyJWT},
		},
		Tables: []PluginTable{p.rows},
	}
	if !p.NoHeader {
		added.After = []RouteHook{{Paths: []string{"/get-session"}, Run: p.sendToken}}
	}
	if p.SessionCookieCache {
		added.SessionSeal = jwtSessionSeal{p}
	}
	return added, nil
}

// check returns all mistakes in the options.
func (p *JWT) check(cache CookieCache) error {
	var errs []error
	wrong := func(is bool, text string) {
		if is {
			errs = append(errs, errors.New(text))
		}
	}
	wrong(p.Sign != nil && p.RemoteKeysURL == "", "Sign needs RemoteKeysURL")
	wrong(p.RemoteKeysURL != "" && p.KeyPair.Algorithm == "", "RemoteKeysURL needs KeyPair.Algorithm")
	wrong(!strings.HasPrefix(p.keysPath(), "/") || strings.Contains(p.keysPath(), ".."), "KeysPath does not begin with a slash, or has two dots")
	wrong(p.RotationInterval < 0 || p.GracePeriod < 0, "RotationInterval or GracePeriod is negative")
	wrong(p.NoGracePeriod && p.GracePeriod != 0, "there are both GracePeriod and NoGracePeriod")
	wrong(p.Claims.ExpiresIn != 0 && !p.Claims.ExpiresAt.IsZero(), "Claims has both ExpiresIn and ExpiresAt")
	wrong((p.FindKeys == nil) != (p.CreateKey == nil), "there is only one of FindKeys and CreateKey")
	wrong(p.SessionCookieCache && cache.Strategy != CacheJWT, "SessionCookieCache needs the strategy CacheJWT of the cookie cache")
	wrong(p.SessionCookieCache && p.Sign != nil, "SessionCookieCache needs keys of the plugin's own, not Sign")
	for _, pair := range append([]JWTKeyPair{p.keyPair()}, p.MoreKeyPairs...) {
		errs = append(errs, pair.check())
	}
	return errors.Join(errs...)
}

func (pair JWTKeyPair) check() error {
	rsa := pair.Algorithm == "RS256" || pair.Algorithm == "PS256"
	switch {
	case !rsa && !slices.Contains([]string{"EdDSA", "ES256", "ES512"}, pair.Algorithm):
		return fmt.Errorf("%q is no algorithm for a key; want EdDSA, ES256, ES512, RS256 or PS256", pair.Algorithm)
	case pair.RSABits != 0 && (!rsa || pair.RSABits < minJWTBits || pair.RSABits > maxJWTBits):
		return fmt.Errorf("a key for %s cannot have %d bits", pair.Algorithm, pair.RSABits)
	}
	return nil
}

// keyPair is the kind of key that signs by default.
func (p *JWT) keyPair() JWTKeyPair {
	pair := p.KeyPair
	if pair.Algorithm == "" {
		pair.Algorithm = defaultJWTAlgorithm
	}
	return pair
}

func (p *JWT) keysPath() string {
	if p.KeysPath == "" {
		return defaultJWKSPath
	}
	return p.KeysPath
}

func (p *JWT) grace() time.Duration {
	if p.GracePeriod == 0 && !p.NoGracePeriod {
		return defaultJWTGrace
	}
	return p.GracePeriod
}

// describe says what documents say of the endpoints.
func (p *JWT) describe() {
	p.GetJWKS.Describe(Description{
		Summary: "Get the keys that verify tokens",
		Details: "A JSON Web Key Set (RFC 7517) with the keys that sign, and those that have signed tokens that may still be " +
			"good. The answer is 404 where the keys are published elsewhere.",
		Errors: map[int][]Code{404: nil},
	})
	p.GetToken.Describe(Description{
		Summary: "Get a token about the session",
		Details: "A JSON Web Token (RFC 7519) that says who is signed in, for servers that verify it with the keys of the " +
			"server. It is good until it expires, also after a sign-out.",
	})
	p.SignJWT.Describe(Description{
		Summary: "Sign a token with a payload",
	})
	p.VerifyJWT.Describe(Description{
		Summary: "Verify a token",
		Details: "`payload` is null unless the token is good.",
	})
}
