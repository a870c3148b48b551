package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"sync"
)

// tagLength is the length of a tag in standard base64 with padding.
const tagLength = (sha256.Size + 2) / 3 * 4

// A signer makes and checks HMAC-SHA256 tags under one secret. It is safe for
// concurrent use. Keyed states are pooled: keying costs more than a short
// message does, and checking a tag allocates nothing.
type signer struct {
	states sync.Pool // of *macState, reset
}

// macState is one keyed HMAC with the scratch space that its interface would
// otherwise push to the heap at every use.
type macState struct {
	hash.Hash
	text [128]byte
	sum  [sha256.Size]byte
}

// newSigner returns a signer keyed with the UTF-8 bytes of secret.
func newSigner(secret string) *signer {
	key := []byte(secret)
	s := &signer{}
	s.states.New = func() any { return &macState{Hash: hmac.New(sha256.New, key)} }
	return s
}

// sign returns the tag of value in standard base64 with padding: the form that
// signed cookies carry.
func (s *signer) sign(value string) string {
	tag := s.tag(value)
	return string(tag[:])
}

// matches reports in constant time whether got is the tag of value.
func (s *signer) matches(value string, got *[tagLength]byte) bool {
	want := s.tag(value)
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

func (s *signer) tag(value string) (tag [tagLength]byte) {
	m := s.states.Get().(*macState)
	m.writeString(value)
	base64.StdEncoding.Encode(tag[:], m.Sum(m.sum[:0]))
	s.put(m)
	return tag
}

// signURL returns the tag of msg in base64url without padding: the form of a
// JWS and of the session_data cookie.
func (s *signer) signURL(msg []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.appendMAC(nil, msg))
}

// verifyURL reports in constant time whether signature is what signURL returns
// for msg. Comparing the text refuses every second spelling of a tag.
func (s *signer) verifyURL(msg, signature []byte) bool {
	return subtle.ConstantTimeCompare([]byte(s.signURL(msg)), signature) == 1
}

// appendMAC appends the 32 raw bytes of the tag of msg to dst.
func (s *signer) appendMAC(dst, msg []byte) []byte {
	m := s.states.Get().(*macState)
	m.Write(msg)
	dst = m.Sum(dst)
	s.put(m)
	return dst
}

func (s *signer) put(m *macState) {
	m.Reset()
	s.states.Put(m)
}

func (m *macState) writeString(text string) {
	for text != "" {
		n := copy(m.text[:], text)
		m.Write(m.text[:n])
		text = text[n:]
	}
}
