package auth

import (
	"net/http"
	"strings"
)

// Sets of characters for RandomString.
const (
	Digits       = "0123456789"
	Letters      = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	Alphanumeric = alphanumeric
	URLSafe      = flowAlphabet // letters, digits, - and _
)

// RandomString returns n characters of an alphabet, each drawn independently and
// with equal probability from the system's secure source. The alphabet has at most
// 256 characters, all ASCII.
func RandomString(n int, alphabet string) string { return randomString(n, alphabet) }

// Sign returns the HMAC-SHA256 of a text under the secret, in base64url without
// padding. The text begins with what the signature is for, so that it is none for
// anything else.
func (s *Services) Sign(text string) string { return s.local().signer.signURL([]byte(text)) }

// Verify reports in constant time whether a signature is what Sign returned for the
// text, under this secret or an older one.
func (s *Services) Verify(text, signature string) bool {
	return s.local().signer.verifyURL([]byte(text), []byte(signature))
}

// Encrypt encrypts a short text with XChaCha20-Poly1305 under a key of its own for
// the purpose, derived from the current secret. The empty purpose is the original's
// form of secrets in the database, whose key is the secret itself.
func (s *Services) Encrypt(purpose, text string) (string, error) {
	e, err := s.envelope(purpose)
	if err != nil {
		return "", err
	}
	return e.seal(text), nil
}

// Decrypt opens what Encrypt made for the same purpose, under this secret or an
// older one. Errors: the text is none of that.
func (s *Services) Decrypt(purpose, sealed string) (string, error) {
	e, err := s.envelope(purpose)
	if err != nil {
		return "", err
	}
	return e.open(sealed)
}

func (s *Services) envelope(purpose string) (*envelope, error) {
	if made, ok := s.local().envelopes.Load(purpose); ok {
		return made.(*envelope), nil
	}
	made, err := newEnvelope(purpose, s.config.Secret, s.config.Secrets)
	if err == nil {
		s.local().envelopes.Store(purpose, made)
	}
	return made, err
}

// OpenSessionToken returns the session token in a signed value, as the session's
// cookie has it, percent-encoded or not. It is not ok if the signature does not hold.
func (s *Services) OpenSessionToken(signed string) (token string, ok bool) {
	return s.local().signer.openCookie(signed)
}

// BearerToken returns what a request carries in "Authorization: Bearer …" (RFC 6750
// section 2.1), empty if it does not.
func BearerToken(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.Trim(token, " \t")
}
