package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
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

// A JWK is a public key that verifies signatures, as a JSON Web Key (RFC 7517). Key
// is an *rsa.PublicKey, an *ecdsa.PublicKey or an ed25519.PublicKey.
type JWK struct {
	ID        string // kid, empty if it has none
	Algorithm string // the only algorithm that it is for, empty for any that fits
	Use       string // "sig" or empty
	Key       crypto.PublicKey
}

// parseKeySet returns the keys of a JWK Set (RFC 7517 section 5) that verify
// signatures. Keys that it does not understand or trust are left out, so that a
// provider can publish new kinds. Errors: the text is no key set.
func parseKeySet(text []byte) ([]JWK, error) {
	set, err := jsonMembers(text)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(set["keys"], &list) != nil || list == nil {
		return nil, errors.New("auth: not a JSON Web Key Set")
	}
	keys := make([]JWK, 0, min(len(list), maxKeys))
	for _, text := range list[:min(len(list), maxKeys)] {
		if key, err := ParseJWK(text); err == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// ParseJWK returns a public key. Errors: it is no JSON Web Key, or none that verifies
// signatures: of a kind that this package does not know, for something else, weak, or
// a private key, which nobody can trust any more once it was published.
func ParseJWK(text []byte) (key JWK, err error) {
	members, err := jsonMembers(text)
	if err != nil {
		return key, err
	}
	k := jwkMembers(members)
	_, private := k["d"]
	if private || !k.verifies() || !k.text("kid", &key.ID) || !k.text("alg", &key.Algorithm) || !k.text("use", &key.Use) {
		return JWK{}, errNoVerifier
	}
	var ok bool
	if key.Key, ok = k.public(); !ok {
		return JWK{}, errNoVerifier
	}
	return key, nil
}

var errNoVerifier = errors.New("auth: not a JSON Web Key that verifies signatures")

// jwkMembers are those of a JSON Web Key.
type jwkMembers map[string]json.RawMessage

// text stores a member that is a string or absent, and reports whether it is.
func (k jwkMembers) text(name string, value *string) (ok bool) { return textMember(k, name, value) }

func textMember(members map[string]json.RawMessage, name string, value *string) (ok bool) {
	raw, present := members[name]
	return !present || raw[0] == '"' && json.Unmarshal(raw, value) == nil
}

// verifies reports whether the key is meant to verify signatures (RFC 7517
// sections 4.2 and 4.3).
func (k jwkMembers) verifies() bool {
	var use string
	if _, present := k["use"]; present && (!k.text("use", &use) || use != "sig") {
		return false
	}
	raw, present := k["key_ops"]
	var operations []string
	return !present || json.Unmarshal(raw, &operations) == nil && slices.Contains(operations, "verify")
}

// public returns the key itself (RFC 7518 section 6, RFC 8037 section 2).
func (k jwkMembers) public() (key crypto.PublicKey, ok bool) {
	var kind, curve string
	if !k.text("kty", &kind) || !k.text("crv", &curve) {
		return nil, false
	}
	switch {
	case kind == "RSA":
		return k.rsa()
	case kind == "EC" && jwkCurve(curve) != nil:
		return k.ecdsa(jwkCurve(curve))
	case kind == "OKP" && curve == "Ed25519":
		x, ok := k.bytes("x", ed25519.PublicKeySize)
		return ed25519.PublicKey(x), ok
	}
	return nil, false
}

// rsa wants a modulus and an exponent that RSA can have. An exponent beyond 31
// bits would only make verification slow.
func (k jwkMembers) rsa() (crypto.PublicKey, bool) {
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
func (k jwkMembers) ecdsa(curve elliptic.Curve) (crypto.PublicKey, bool) {
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
func (k jwkMembers) bytes(name string, size int) (value []byte, ok bool) {
	var text string
	if !k.text(name, &text) {
		return nil, false
	}
	value, err := decodeBase64URL(text)
	return value, err == nil && (size == 0 || len(value) == size)
}

// jwkCurve returns the curve with a name, nil if this package does not know it.
func jwkCurve(name string) elliptic.Curve {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if curve.Params().Name == name {
			return curve
		}
	}
	return nil
}

// MarshalJSON writes the JSON Web Key: the key, then alg, use and kid if they are not
// empty. Errors: a key of another type.
func (k JWK) MarshalJSON() ([]byte, error) {
	members, err := publicMembers(k.Key)
	if err != nil {
		return nil, err
	}
	for _, named := range []jwkMember{{"alg", k.Algorithm}, {"use", k.Use}, {"kid", k.ID}} {
		if named.value != "" {
			members = append(members, named)
		}
	}
	return marshalMembers(members), nil
}

// A jwkMember is one member of a JSON Web Key to be written.
type jwkMember struct{ name, value string }

func marshalMembers(members []jwkMember) []byte {
	text := []byte("{")
	for i, m := range members {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendJSONString(append(appendJSONString(text, m.name), ':'), m.value)
	}
	return append(text, '}')
}

// publicMembers are those of a public key, in the order in which the original's
// library has them.
func publicMembers(key crypto.PublicKey) ([]jwkMember, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return []jwkMember{{"kty", "RSA"}, numberMember("n", key.N), numberMember("e", big.NewInt(int64(key.E)))}, nil
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil || jwkCurve(key.Params().Name) == nil {
			return nil, errors.New("auth: a JSON Web Key cannot be on this curve")
		}
		size := coordinateSize(key.Curve)
		return []jwkMember{
			{"kty", "EC"}, bytesMember("x", point[1:1+size]), bytesMember("y", point[1+size:]), {"crv", key.Params().Name},
		}, nil
	case ed25519.PublicKey:
		return []jwkMember{{"crv", "Ed25519"}, bytesMember("x", key), {"kty", "OKP"}}, nil
	}
	return nil, fmt.Errorf("auth: a JSON Web Key cannot hold a %T", key)
}

func bytesMember(name string, value []byte) jwkMember {
	return jwkMember{name, base64.RawURLEncoding.EncodeToString(value)}
}

func numberMember(name string, value *big.Int) jwkMember { return bytesMember(name, value.Bytes()) }
