package auth

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// CookieCache keeps a copy of session and user in a cookie, which answers most
// reads without the store. What is revoked stays readable until the copy expires;
// operations that change passwords, e-mail or sessions always ask the store.
type CookieCache struct {
	Enabled bool
	MaxAge  time.Duration // default 5 minutes

	// Strategy is the form of the copy. Default CacheCompact.
	Strategy CacheStrategy

	// Version is stored in the copy; changing it invalidates all copies. Default
	// "1". VersionFunc gives each session its own, out of what clients see of it.
	Version     string
	VersionFunc func(session *Session, user *User) string

	// RenewAge renews a copy that is used when less than this is left of it. It is
	// for Config.Stateless only, with a default of a fifth of MaxAge, which
	// NeverRenew turns off.
	RenewAge   time.Duration
	NeverRenew bool
}

// A CacheStrategy is a form of the copy in a CookieCache. All servers that share
// cookies agree on it.
type CacheStrategy string

const (
	CacheCompact CacheStrategy = "compact" // JSON with a signature; its reader knows this package or the original
	CacheJWT     CacheStrategy = "jwt"     // a JWS with HS256, for every JWT library
	CacheJWE     CacheStrategy = "jwe"     // a JWE with A256CBC-HS512: nobody but the servers can read it
)

// Lifetimes and version of contract section 8.4.
const (
	defaultCacheAge     = 5 * time.Minute
	forgottenCompactAge = time.Minute // without "remember me"
	forgottenTokenAge   = 5 * time.Minute
	defaultCacheVersion = "1"
)

func (c CookieCache) withDefaults() CookieCache {
	setDefault(&c.MaxAge, defaultCacheAge)
	setDefault(&c.Strategy, CacheCompact)
	setDefault(&c.Version, defaultCacheVersion)
	return c
}

// stateless is the cache of a server that stores nothing: it is the session.
func (c CookieCache) stateless(lifetime time.Duration) CookieCache {
	c.Enabled = true
	setDefault(&c.Strategy, CacheJWE)
	setDefault(&c.MaxAge, lifetime)
	if !c.NeverRenew {
		setDefault(&c.RenewAge, (c.MaxAge / 5).Truncate(time.Second))
	}
	return c
}

// check returns all mistakes.
func (c CookieCache) check(stateless bool) error {
	var errs [4]error
	switch c.Strategy {
	case "", CacheCompact, CacheJWT, CacheJWE:
	default:
		errs[0] = fmt.Errorf("auth: Config.Session.CookieCache.Strategy is %q; want compact, jwt or jwe", c.Strategy)
	}
	if c.Version != "" && c.VersionFunc != nil {
		errs[1] = errors.New("auth: Config.Session.CookieCache has both Version and VersionFunc")
	}
	if c.RenewAge != 0 && !stateless {
		errs[2] = errors.New("auth: Config.Session.CookieCache.RenewAge is for Config.Stateless: elsewhere revoked sessions would live on")
	}
	if c.RenewAge != 0 && c.NeverRenew {
		errs[3] = errors.New("auth: Config.Session.CookieCache has both RenewAge and NeverRenew")
	}
	return errors.Join(errs[:]...)
}

// version is what the copy of a session says, or should.
func (c *CookieCache) version(data *SessionData) string {
	if c.VersionFunc != nil {
		return c.VersionFunc(data.Session, data.User)
	}
	return c.Version
}

// forgottenAge is the lifetime of the copy of a session without "remember me".
func (c *CookieCache) forgottenAge() time.Duration {
	if c.Strategy == CacheCompact {
		return forgottenCompactAge
	}
	return forgottenTokenAge
}

func (c *CookieCache) renewalDue(expiresAt time.Time) bool {
	return c.RenewAge > 0 && time.Until(expiresAt) < c.RenewAge
}

// newCacheSeal makes the seal of a strategy under the secrets, the current one
// first.
func newCacheSeal(strategy CacheStrategy, s *signer, secrets []string) (cacheSeal, error) {
	switch strategy {
	case CacheJWT:
		return jwtSeal{s}, nil
	case CacheJWE:
		encrypter, err := newEncrypter(sessionSalt, secrets...)
		return jweSeal{encrypter}, err
	}
	return compactSeal{s}, nil
}

// sessionSalt derives the keys of session copies.
const sessionSalt = "better-auth-session"

// A cacheSeal makes the value of the session_data cookie out of the cached
// object, a JSON object with at least one member and without white space around
// it, and opens it again (contract section 8.4).
type cacheSeal interface {
	seal(object []byte, expiresAt time.Time) string

	// open returns the object and when the copy expires, which the caller checks.
	// The object may have further members. It is not ok unless it was sealed under
	// one of our secrets.
	open(value string) (object []byte, expiresAt time.Time, ok bool)
}

// A SessionSeal makes the value of the cookie that holds a copy of session and user,
// and opens it again.
type SessionSeal interface {
	// Seal returns the value for a JSON object with the members session and user,
	// among others.
	Seal(ctx context.Context, object []byte, expiresAt time.Time) (string, error)

	// Open returns the object, perhaps with further members, and when the copy
	// expires, which the caller checks. It is not ok unless Seal made the value.
	Open(ctx context.Context, value string) (object []byte, expiresAt time.Time, ok bool)
}

// ownSeal is one that needs nothing but the secrets.
type ownSeal struct{ cacheSeal }

func (s ownSeal) Seal(_ context.Context, object []byte, expiresAt time.Time) (string, error) {
	return s.seal(object, expiresAt), nil
}

func (s ownSeal) Open(_ context.Context, value string) ([]byte, time.Time, bool) {
	return s.open(value)
}

// compactSeal is CacheCompact.
type compactSeal struct{ *signer }

// jwtSeal is CacheJWT.
type jwtSeal struct{ *signer }

// jweSeal is CacheJWE.
type jweSeal struct{ *encrypter }

func (s jwtSeal) seal(object []byte, expiresAt time.Time) string {
	return s.signJWTPayload(withJWTTimes(object, expiresAt, ""))
}

func (s jwtSeal) open(value string) (object []byte, expiresAt time.Time, ok bool) {
	payload, err := s.openJWT(value)
	if err != nil {
		return nil, time.Time{}, false
	}
	return payload, jwtExpiry(payload), true
}

func (s jweSeal) seal(object []byte, expiresAt time.Time) string {
	return s.encrypt(withJWTTimes(object, expiresAt, newUUID()))
}

func (s jweSeal) open(value string) (object []byte, expiresAt time.Time, ok bool) {
	payload, ok := s.decrypt(value)
	if !ok || checkJWT(payload) != nil {
		return nil, time.Time{}, false
	}
	return payload, jwtExpiry(payload), true
}

// withJWTTimes appends the claims iat, exp and, if it is not empty, jti (RFC 7519
// section 4.1) to the members of an object.
func withJWTTimes(object []byte, expiresAt time.Time, jti string) []byte {
	payload := append(slices.Clip(bytes.TrimSuffix(object, []byte("}"))), `,"iat":`...)
	payload = strconv.AppendInt(payload, time.Now().Unix(), 10)
	payload = strconv.AppendInt(append(payload, `,"exp":`...), expiresAt.Unix(), 10)
	if jti != "" {
		payload = strconv.AppendQuote(append(payload, `,"jti":`...), jti)
	}
	return append(payload, '}')
}

// jwtExpiry returns the claim exp of a payload that checkJWT has seen. A copy
// that names none has expired.
func jwtExpiry(payload []byte) time.Time {
	claims, err := jsonMembers(payload)
	if err != nil {
		return time.Time{}
	}
	seconds, _, _ := numericDate(claims, "exp")
	return time.Unix(int64(seconds), 0)
}

// The members of the compact session_data cookie around the cached object, in
// the only order that either side writes (contract section 8.4).
const (
	compactSession   = `{"session":`
	compactExpiry    = `,"expiresAt":`
	compactSignature = `,"signature":"`
	compactEnd       = `"}`
)

// seal returns the compact cookie for d. The original checks its own
// serialization of d: it takes the cookie only if d is spelled as JSON.stringify
// spells it, without HTML escapes.
func (s compactSeal) seal(d []byte, expiresAt time.Time) string {
	expiry := strconv.AppendInt([]byte(compactExpiry), expiresAt.UnixMilli(), 10)
	signature := s.signURL(compactSigned(d, expiry))
	return base64.RawURLEncoding.EncodeToString(slices.Concat(
		[]byte(compactSession), d, expiry, []byte(compactSignature), []byte(signature), []byte(compactEnd)))
}

// open returns the object in a compact cookie, byte for byte as it was sealed. It
// is not looked into before its signature holds.
func (s compactSeal) open(raw string) (d []byte, expiresAt time.Time, ok bool) {
	text, err := decodeBase64URL(raw)
	if err != nil {
		return nil, time.Time{}, false
	}
	d, expiry, signature, ok := splitCompact(text)
	if !ok || !s.verifyURL(compactSigned(d, expiry), signature) {
		return nil, time.Time{}, false
	}
	ms, err := strconv.ParseInt(string(expiry[len(compactExpiry):]), 10, 64)
	return d, time.UnixMilli(ms), err == nil
}

// compactSigned returns what the signature covers: the object with expiry, which
// is the text of a member, as its last one.
func compactSigned(d, expiry []byte) []byte {
	return slices.Concat(bytes.TrimSuffix(d, []byte("}")), expiry, []byte("}"))
}

// splitCompact finds the parts of a cookie's text: the object, the text of the
// member expiresAt and the signature.
func splitCompact(text []byte) (d, expiry, signature []byte, ok bool) {
	text, begins := bytes.CutPrefix(text, []byte(compactSession))
	text, ends := bytes.CutSuffix(text, []byte(compactEnd))
	sig := bytes.LastIndex(text, []byte(compactSignature))
	exp := bytes.LastIndex(text[:max(sig, 0)], []byte(compactExpiry))
	if !begins || !ends || exp < 1 || text[0] != '{' || text[exp-1] != '}' {
		return nil, nil, nil, false
	}
	return text[:exp], text[exp:sig], text[sig+len(compactSignature):], true
}
