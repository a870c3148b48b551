package auth

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// envelopeSalt derives the keys of all purposes (contract oauth section 7).
const envelopeSalt = "better-auth:oauth-encryption:v1"

// Purposes of envelopes. What was sealed for one is nothing for another.
const (
	purposeStateCookie = "oauth-state-cookie"
	purposeLinkSession = "oauth-link-session-token"
)

// envelopePrefix stands before the version of the secret, where there are several.
const envelopePrefix = "$ba$"

var errEnvelope = errors.New("auth: ciphertext cannot be opened")

// An envelope encrypts short texts with XChaCha20-Poly1305 under a key that was
// derived from the current secret, and opens what every secret that it knows has
// sealed. It is safe for concurrent use.
type envelope struct {
	versioned bool
	keys      []envelopeKey // the current one first
}

type envelopeKey struct {
	version string // in decimal; empty: the secret that had none
	cipher.AEAD
}

// newEnvelope makes the envelope of a purpose. The empty purpose is that of an
// account's tokens, whose key is the secret itself.
func newEnvelope(purpose, secret string, versions []Secret) (*envelope, error) {
	e := &envelope{versioned: len(versions) > 0}
	for _, version := range versions {
		if err := e.add(strconv.Itoa(version.Version), purpose, version.Value); err != nil {
			return nil, err
		}
	}
	if secret == "" && e.versioned {
		return e, nil
	}
	return e, e.add("", purpose, secret)
}

func (e *envelope) add(version, purpose, secret string) error {
	if purpose != "" {
		derived, err := hkdf.Key(sha256.New, []byte(secret), []byte(envelopeSalt), "better-auth:"+purpose+":v1", sha256.Size)
		if err != nil {
			return err
		}
		secret = hex.EncodeToString(derived)
	}
	key := sha256.Sum256([]byte(secret))
	aead, err := chacha20poly1305.NewX(key[:])
	e.keys = append(e.keys, envelopeKey{version, aead})
	return err
}

// seal returns nonce, ciphertext and tag in hexadecimal digits.
func (e *envelope) seal(text string) string {
	key := e.keys[0]
	nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(text)+key.Overhead())
	rand.Read(nonce) // never fails
	sealed := hex.EncodeToString(key.Seal(nonce, nonce, []byte(text), nil))
	if e.versioned {
		return envelopePrefix + key.version + "$" + sealed
	}
	return sealed
}

// open returns the text of a ciphertext. Errors: errEnvelope, without a reason.
func (e *envelope) open(sealed string) (string, error) {
	version := ""
	if rest, ok := strings.CutPrefix(sealed, envelopePrefix); ok {
		if version, sealed, ok = strings.Cut(rest, "$"); !ok || version == "" {
			return "", errEnvelope
		}
	}
	raw, err := hex.DecodeString(sealed)
	if err != nil {
		return "", errEnvelope
	}
	for _, key := range e.keys {
		if key.version != version || len(raw) < key.NonceSize() {
			continue
		}
		if text, err := key.Open(nil, raw[:key.NonceSize()], raw[key.NonceSize():], nil); err == nil {
			return string(text), nil
		}
	}
	return "", errEnvelope
}

// looksSealed reports whether a stored token is a ciphertext; others were stored
// before encryption was turned on.
func looksSealed(token string) bool {
	if strings.HasPrefix(token, envelopePrefix) {
		return true
	}
	_, err := hex.DecodeString(token)
	return err == nil && token != ""
}
