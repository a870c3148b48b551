package auth

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// Alphabets of random strings (contract section 11).
const (
	alphanumeric      = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	lowerAlphanumeric = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// newID returns a primary key: 190 bits in 32 letters and digits.
func newID() string { return randomString(32, alphanumeric) }

// newUUID returns a random UUID (RFC 9562, version 4).
func newUUID() string {
	var random [16]byte
	rand.Read(random[:])
	return uuidOf(random)
}

// uuidOf makes a version 4 of 16 bytes.
func uuidOf(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// idSource returns what makes the ids of a table, nil if the store counts them.
func idSource(kind IDType, custom func(table string) string, table string) func() string {
	switch {
	case kind == IDSerial:
		return nil
	case custom != nil:
		return func() string { return custom(table) }
	case kind == IDUUID:
		return newUUID
	}
	return newID
}

// nobodysID returns an id that no entity has, to ask the store for it in vain.
func nobodysID(kind IDType) string {
	switch kind {
	case IDSerial:
		return "0" // databases count from 1
	case IDUUID:
		return newUUID()
	}
	return newID()
}

// newSessionToken returns the secret of a session.
func newSessionToken() string { return randomString(32, alphanumeric) }

// newResetToken returns the token of a password-reset link.
func newResetToken() string { return randomString(24, alphanumeric) }

// newDeleteToken returns the token of a link that confirms the deletion of an
// account.
func newDeleteToken() string { return randomString(32, lowerAlphanumeric) }

// randomString returns n characters of alphabet, each drawn independently and
// with equal probability from the system's secure source. The alphabet has at
// most 256 characters, all ASCII.
func randomString(n int, alphabet string) string {
	fair := 256 - 256%len(alphabet) // bytes from here on would favour the alphabet's first characters
	random := make([]byte, n+n/4+8) // enough in one read: at worst about one byte in thirty is unfair
	var text strings.Builder
	text.Grow(n)
	for text.Len() < n {
		rand.Read(random)
		for _, b := range random {
			if int(b) < fair && text.Len() < n {
				text.WriteByte(alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return text.String()
}

// Alphabet and lengths of the secrets of a flow at a provider.
const (
	flowAlphabet       = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	flowTokenLength    = 32
	codeVerifierLength = 128 // the longest of RFC 7636 section 4.1
)

// newFlowToken returns a state or a nonce.
func newFlowToken() string { return randomString(flowTokenLength, flowAlphabet) }

// newCodeVerifier returns a PKCE verifier.
func newCodeVerifier() string { return randomString(codeVerifierLength, flowAlphabet) }
