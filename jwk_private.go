package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
)

var errNoSigner = errors.New("auth: not a private JSON Web Key that signs")

// ParsePrivateJWK returns a private key (RFC 7518 section 6, RFC 8037 section 2): an
// *rsa.PrivateKey, an *ecdsa.PrivateKey or an ed25519.PrivateKey. Errors: it is none,
// or its halves do not belong together.
func ParsePrivateJWK(text []byte) (crypto.Signer, error) {
	members, err := jsonMembers(text)
	if err != nil {
		return nil, errNoSigner // which does not quote the key
	}
	k := jwkMembers(members)
	public, ok := k.public()
	if !ok {
		return nil, errNoSigner
	}
	switch public := public.(type) {
	case *rsa.PublicKey:
		return k.rsaPrivate(public)
	case *ecdsa.PublicKey:
		d, ok := k.bytes("d", coordinateSize(public.Curve))
		key, err := ecdsa.ParseRawPrivateKey(public.Curve, d)
		if ok && err == nil && key.PublicKey.Equal(public) {
			return key, nil
		}
	case ed25519.PublicKey:
		seed, ok := k.bytes("d", ed25519.SeedSize)
		if ok && public.Equal(ed25519.NewKeyFromSeed(seed).Public()) {
			return ed25519.NewKeyFromSeed(seed), nil
		}
	}
	return nil, errNoSigner
}

// rsaPrivate wants the two primes. What follows from them is computed again.
func (k jwkMembers) rsaPrivate(public *rsa.PublicKey) (crypto.Signer, error) {
	var numbers [3]*big.Int
	for i, name := range []string{"d", "p", "q"} {
		value, ok := k.bytes(name, 0)
		if !ok || len(value) > maxRSABits/8 {
			return nil, errNoSigner
		}
		numbers[i] = new(big.Int).SetBytes(value)
	}
	key := &rsa.PrivateKey{PublicKey: *public, D: numbers[0], Primes: numbers[1:]}
	if key.Validate() != nil {
		return nil, errNoSigner
	}
	key.Precompute()
	return key, nil
}

// MarshalPrivateJWK writes a private key of one of the types that ParsePrivateJWK
// returns as a JSON Web Key. Errors: a key of another type.
func MarshalPrivateJWK(key crypto.Signer) ([]byte, error) {
	var private []jwkMember
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if len(key.Primes) != 2 {
			return nil, errors.New("auth: a JSON Web Key holds an RSA key with two primes")
		}
		key.Precompute()
		private = []jwkMember{
			numberMember("d", key.D), numberMember("p", key.Primes[0]), numberMember("q", key.Primes[1]),
			numberMember("dp", key.Precomputed.Dp), numberMember("dq", key.Precomputed.Dq), numberMember("qi", key.Precomputed.Qinv),
		}
	case *ecdsa.PrivateKey:
		d, err := key.Bytes()
		if err != nil {
			return nil, err
		}
		private = []jwkMember{bytesMember("d", d)}
	case ed25519.PrivateKey:
		private = []jwkMember{bytesMember("d", key.Seed())}
	default:
		return nil, fmt.Errorf("auth: a JSON Web Key cannot hold a %T", key)
	}
	public, err := publicMembers(key.Public())
	if err != nil {
		return nil, err
	}
	return marshalMembers(append(public, private...)), nil
}
