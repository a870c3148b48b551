package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// The original's scrypt parameters (contract section 11.1) and the lengths of
// the two halves of a stored hash, which is hexsalt:hexkey in lower case.
const (
	scryptN       = 16384
	scryptR       = 16
	scryptP       = 1
	scryptKeySize = 64

	scryptSaltText = 32
	scryptKeyText  = 2 * scryptKeySize
)

func newScryptHash(password string) (string, error) {
	var salt [scryptSaltText / 2]byte
	rand.Read(salt[:])
	return scryptHash(password, hex.EncodeToString(salt[:]))
}

func verifyScrypt(hash, password string) (bool, error) {
	salt, err := parseScrypt(hash)
	if err != nil {
		return false, err
	}
	want, err := scryptHash(password, salt)
	return subtle.ConstantTimeCompare([]byte(want), []byte(hash)) == 1, err
}

// scryptHash returns the stored form. The salt of the key derivation is the
// hexadecimal text itself, not the bytes that it spells.
func scryptHash(password, salt string) (string, error) {
	key, err := scrypt.Key([]byte(password), []byte(salt), scryptN, scryptR, scryptP, scryptKeySize)
	if err != nil {
		return "", err
	}
	return salt + ":" + hex.EncodeToString(key), nil
}

// parseScrypt returns the salt of a stored hash. Errors: errMalformedHash.
func parseScrypt(hash string) (salt string, err error) {
	salt, key, _ := strings.Cut(hash, ":")
	if !isLowerHex(salt, scryptSaltText) || !isLowerHex(key, scryptKeyText) {
		return "", fmt.Errorf("%w: not hexsalt:hexkey", errMalformedHash)
	}
	return salt, nil
}

func isLowerHex(text string, length int) bool {
	return len(text) == length && strings.Trim(text, "0123456789abcdef") == ""
}
