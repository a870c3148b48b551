package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A stored Argon2id hash is a PHC string:
// $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<key>, the last two in
// base64 without padding. New ones have OWASP's parameters.
const (
	argon2idPrefix = "$argon2id$v=19$"
	argon2idParams = "m=19456,t=2,p=1$"
)

// argon2idHash is a parsed PHC string.
type argon2idHash struct {
	memory, passes uint32 // KiB, count
	lanes          uint8
	salt, key      []byte
}

func newArgon2idHash(password string) string {
	h := argon2idHash{memory: 19456, passes: 2, lanes: 1, salt: make([]byte, 16), key: make([]byte, 32)}
	rand.Read(h.salt)
	h.key = h.derive(password)
	return h.String()
}

func verifyArgon2id(hash, password string) (bool, error) {
	h, err := parseArgon2id(hash)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(h.derive(password), h.key) == 1, nil
}

// derive computes a key as long as the stored one.
func (h argon2idHash) derive(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
}

// String returns the canonical PHC string.
func (h argon2idHash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("%sm=%d,t=%d,p=%d$%s$%s", argon2idPrefix, h.memory, h.passes, h.lanes,
		b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

// parseArgon2id reads a stored hash. Only the canonical spelling is accepted,
// and only parameters within bounds: whoever could write a row must not be able
// to spend all memory with it. Errors: errMalformedHash.
func parseArgon2id(hash string) (argon2idHash, error) {
	var h argon2idHash
	params, rest, _ := strings.Cut(strings.TrimPrefix(hash, argon2idPrefix), "$")
	salt, key, _ := strings.Cut(rest, "$")
	_, err := fmt.Sscanf(params, "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes)
	h.salt, _ = base64.RawStdEncoding.DecodeString(salt)
	h.key, _ = base64.RawStdEncoding.DecodeString(key)
	if err != nil || h.String() != hash {
		return argon2idHash{}, fmt.Errorf("%w: not a PHC string of Argon2id", errMalformedHash)
	}
	if !h.bounded() {
		return argon2idHash{}, fmt.Errorf("%w: Argon2id parameters out of bounds", errMalformedHash)
	}
	return h, nil
}

// bounded reports whether the parameters are at least what RFC 9106 demands
// and at most what common libraries use by default: 64 MiB.
func (h argon2idHash) bounded() bool {
	within := func(n, low, high int) bool { return low <= n && n <= high }
	return within(int(h.lanes), 1, 16) &&
		within(int(h.memory), 8*int(h.lanes), 64<<10) &&
		within(int(h.passes), 1, 16) &&
		within(len(h.salt), 8, 64) &&
		within(len(h.key), 16, 64)
}
