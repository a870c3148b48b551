package auth

import (
	"crypto/rand"
	"strings"
)

// Alphabets of random strings (contract section 11).
const (
	alphanumeric      = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	lowerAlphanumeric = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// newID returns a primary key: 190 bits in 32 letters and digits.
func newID() string { return randomString(32, alphanumeric) }

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
