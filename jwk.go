package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"slices"
)

// Limits of a key set. Its author is a provider that the application trusts; they
// bound what a broken or captured one costs.
const (
	maxKeys    = 100   // in a set; more are not looked at
	minRSABits = 2048  // RFC 7518 section 3.3
	maxRSABits = 16384 // which takes milliseconds to verify with
)

// A publicKey is what signatures are verified with. key is an *rsa.PublicKey, an
// *ecdsa.PublicKey or an ed25519.PublicKey.
type publicKey struct {
	id  string // kid, empty if it has none
	alg string // the only algorithm that it is for, empty for any that fits
	use string // sig or empty
	key crypto.PublicKey
}

// parseKeySet returns the keys of a JWK Set (RFC 7517 section 5) that verify
// signatures. Keys that it does not understand or trust are left out, so that a
// provider can publish new kinds. Errors: the text is no key set.
func parseKeySet(text []byte) ([]publicKey, error) {
	set, err := jsonMembers(text)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(set["keys"], &list) != nil || list == nil {
		return nil, errors.New("auth: not a JSON Web Key Set")
	}
	keys := make([]publicKey, 0, min(len(list), maxKeys))
	for _, text := range list[:min(len(list), maxKeys)] {
		if key, ok := parseKey(text); ok {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// parseKey returns a JSON Web Key. A private one that was published is not
// trusted any more.
func parseKey(text []byte) (key publicKey, ok bool) {
	members, err := jsonMembers(text)
	if err != nil {
		return key, false
	}
	k := jwk(members)
	_, private := k["d"]
	if private || !k.verifies() || !k.text("kid", &key.id) || !k.text("alg", &key.alg) || !k.text("use", &key.use) {
		return key, false
	}
	key.key, ok = k.public()
	return key, ok
}

// A jwk has the members of a JSON Web Key.
type jwk map[string]json.RawMessage

// text stores a member that is a string or absent, and reports whether it is.
func (k jwk) text(name string, value *string) (ok bool) { return textMember(k, name, value) }

func textMember(members map[string]json.RawMessage, name string, value *string) (ok bool) {
	raw, present := members[name]
	return !present || raw[0] == '"' && json.Unmarshal(raw, value) == nil
}

// verifies reports whether the key is meant to verify signatures (RFC 7517
// sections 4.2 and 4.3).
func (k jwk) verifies() bool {
	var use string
	if _, present := k["use"]; present && (!k.text("use", &use) || use != "sig") {
		return false
	}
	raw, present := k["key_ops"]
	var operations []string
	return !present || json.Unmarshal(raw, &operations) == nil && slices.Contains(operations, "verify")
}

// public returns the key itself (RFC 7518 section 6, RFC 8037 section 2).
func (k jwk) public() (key crypto.PublicKey, ok bool) {
	var kind, curve string
	if !k.text("kty", &kind) || !k.text("crv", &curve) {
		return nil, false
	}
	switch {
	case kind == "RSA":
		return k.rsa()
	case kind == "EC" && curve == "P-256":
		return k.ecdsa(elliptic.P256())
	case kind == "EC" && curve == "P-384":
		return k.ecdsa(elliptic.P384())
	case kind == "EC" && curve == "P-521":
		return k.ecdsa(elliptic.P521())
	case kind == "OKP" && curve == "Ed25519":
		x, ok := k.bytes("x", ed25519.PublicKeySize)
		return ed25519.PublicKey(x), ok
	}
	return nil, false
}

// rsa wants a modulus and an exponent that RSA can have. An exponent beyond 31
// bits would only make verification slow.
func (k jwk) rsa() (crypto.PublicKey, bool) {
	modulus, ok := k.bytes("n", 0)
	exponent, ok2 := k.bytes("e", 0)
	if !ok || !ok2 {
		return nil, false
	}
	n, e := new(big.Int).SetBytes(modulus), new(big.Int).SetBytes(exponent)
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || n.Bit(0) == 0 {
		return nil, false
	}
	if e.Cmp(big.NewInt(3)) < 0 || e.Cmp(big.NewInt(math.MaxInt32)) > 0 || e.Bit(0) == 0 {
		return nil, false
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, true
}

// ecdsa wants a point of the curve, with coordinates of full length (RFC 7518
// section 6.2.1.2).
func (k jwk) ecdsa(curve elliptic.Curve) (crypto.PublicKey, bool) {
	size := coordinateSize(curve)
	x, ok := k.bytes("x", size)
	y, ok2 := k.bytes("y", size)
	if !ok || !ok2 {
		return nil, false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	return key, err == nil
}

// coordinateSize is the length of a coordinate, and of each half of a signature,
// in bytes.
func coordinateSize(curve elliptic.Curve) int { return (curve.Params().BitSize + 7) / 8 }

// bytes returns a member in base64url. Its length must be size unless that is 0.
func (k jwk) bytes(name string, size int) (value []byte, ok bool) {
	var text string
	if !k.text(name, &text) {
		return nil, false
	}
	value, err := decodeBase64URL(text)
	return value, err == nil && (size == 0 || len(value) == size)
}
