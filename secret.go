package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"sync"
)

// minSecretLength is in bytes.
const minSecretLength = 32

// tagLength is the length of a tag in standard base64 with padding.
const tagLength = (sha256.Size + 2) / 3 * 4

// A Secret is one version of the secret of an instance, see Config.Secrets.
type Secret struct {
	// Version is never used again for another value, and not negative.
	Version int
	Value   string
}

// checkSecrets refuses secrets that can be guessed and versions that say nothing,
// of the configuration with the given name.
func checkSecrets(config, secret string, versions []Secret) error {
	var errs []error
	if len(secret) < minSecretLength && (len(versions) == 0 || secret != "") {
		errs = append(errs, fmt.Errorf("auth: %s.Secret has %d bytes, it needs %d", config, len(secret), minSecretLength))
	}
	seen := make(map[int]bool)
	for i, secret := range versions {
		if len(secret.Value) < minSecretLength {
			errs = append(errs, fmt.Errorf("auth: %s.Secrets[%d] has %d bytes, it needs %d", config, i, len(secret.Value), minSecretLength))
		}
		if secret.Version < 0 || seen[secret.Version] {
			errs = append(errs, fmt.Errorf("auth: %s.Secrets[%d]: version %d is negative or that of another one", config, i, secret.Version))
		}
		seen[secret.Version] = true
	}
	return errors.Join(errs...)
}

// secretValues returns all values, the current one first.
func secretValues(secret string, versions []Secret) []string {
	var values []string
	for _, version := range versions {
		values = append(values, version.Value)
	}
	if secret != "" || len(values) == 0 {
		values = append(values, secret)
	}
	return values
}

// A signer makes HMAC-SHA256 tags under the current secret and checks them under
// every secret that it knows. It is safe for concurrent use.
type signer struct {
	keys []*macKey // the current one first
}

// A macKey is one secret. Keyed states are pooled: keying costs more than a short
// message does, and checking a tag allocates nothing.
type macKey struct {
	states sync.Pool // of *macState, reset
}

// macState is one keyed HMAC with the scratch space that its interface would
// otherwise push to the heap at every use.
type macState struct {
	hash.Hash
	text [128]byte
	sum  [sha256.Size]byte
}

// newSigner returns a signer keyed with the UTF-8 bytes of the secrets, the
// current one first.
func newSigner(secrets ...string) *signer {
	s := &signer{keys: make([]*macKey, len(secrets))}
	for i, secret := range secrets {
		key := []byte(secret)
		s.keys[i] = &macKey{}
		s.keys[i].states.New = func() any { return &macState{Hash: hmac.New(sha256.New, key)} }
	}
	return s
}

// sign returns the tag of value in standard base64 with padding: the form that
// signed cookies carry.
func (s *signer) sign(value string) string {
	tag := s.keys[0].tag(value)
	return string(tag[:])
}

// matches reports in constant time for each secret whether got is the tag of
// value.
func (s *signer) matches(value string, got *[tagLength]byte) bool {
	for _, key := range s.keys {
		want := key.tag(value)
		if subtle.ConstantTimeCompare(want[:], got[:]) == 1 {
			return true
		}
	}
	return false
}

// signURL returns the tag of msg in base64url without padding: the form of a
// JWS and of the session_data cookie.
func (s *signer) signURL(msg []byte) string { return s.keys[0].urlTag(msg) }

// verifyURL reports in constant time for each secret whether signature is what
// signURL returned for msg. Comparing the text refuses every second spelling of
// a tag.
func (s *signer) verifyURL(msg, signature []byte) bool {
	return slices.ContainsFunc(s.keys, func(key *macKey) bool {
		return subtle.ConstantTimeCompare([]byte(key.urlTag(msg)), signature) == 1
	})
}

func (k *macKey) tag(value string) (tag [tagLength]byte) {
	m := k.states.Get().(*macState)
	m.writeString(value)
	base64.StdEncoding.Encode(tag[:], m.Sum(m.sum[:0]))
	k.put(m)
	return tag
}

func (k *macKey) urlTag(msg []byte) string {
	m := k.states.Get().(*macState)
	m.Write(msg)
	tag := base64.RawURLEncoding.EncodeToString(m.Sum(m.sum[:0]))
	k.put(m)
	return tag
}

func (k *macKey) put(m *macState) {
	m.Reset()
	k.states.Put(m)
}

func (m *macState) writeString(text string) {
	for text != "" {
		n := copy(m.text[:], text)
		m.Write(m.text[:n])
		text = text[n:]
	}
}
