package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of RFC 7518 section 3.1
	_ "crypto/sha512"
	"errors"
	"math/big"
	"slices"
	"strings"
)

// maxJWS is the length of a token in bytes. The largest ones in use, with the
// groups of their user, have a fifth of it.
const maxJWS = 64 << 10

// verifyJWS returns what one of the keys signed (RFC 7515 section 5.2). algs are
// the algorithms that are allowed; none stands for all that this package knows.
// All of these have a public key: neither "none" nor an HMAC, for which a public
// key would be the secret, can be allowed. A token that names its key is
// verified with no other. Errors: everything that is wrong with the token, not
// to be told to whoever sent it.
func verifyJWS(token string, keys []publicKey, algs []string) (payload []byte, err error) {
	kid, alg, err := jwsHeader(token)
	if err != nil {
		return nil, err
	}
	if !allowsAlg(algs, alg) {
		return nil, errors.New("its algorithm is not allowed")
	}
	dot := strings.LastIndexByte(token, '.')
	signature, err := decodeBase64URL(token[dot+1:])
	if err != nil {
		return nil, errors.New("its signature is no base64url")
	}
	signed := []byte(token[:dot])
	if !slices.ContainsFunc(keys, func(k publicKey) bool {
		return (kid == "" || k.id == kid) && k.signed(alg, signed, signature)
	}) {
		return nil, errors.New("no key verifies its signature")
	}
	_, encoded, _ := strings.Cut(token[:dot], ".")
	return decodeBase64URL(encoded)
}

// jwsHeader returns the members of a token's header that select its key. None
// of it is verified. kid is empty if there is none. Errors: it is no compact
// JWS, or one with extensions (RFC 7515 section 4.1.11, RFC 7797).
func jwsHeader(token string) (kid, alg string, err error) {
	encoded, _, err := splitJWS(token)
	if err != nil {
		return "", "", err
	}
	text, err := decodeBase64URL(encoded)
	if err != nil {
		return "", "", errors.New("its header is no base64url")
	}
	header, err := jsonMembers(text)
	if err != nil {
		return "", "", errors.New("its header is no JSON object")
	}
	_, critical := header["crit"]
	_, unencoded := header["b64"]
	if critical || unencoded {
		return "", "", errors.New("its header has extensions")
	}
	if !textMember(header, "kid", &kid) || !textMember(header, "alg", &alg) {
		return "", "", errors.New("alg or kid is no string")
	}
	return kid, alg, nil
}

// splitJWS returns the first two parts of a token, which has three.
func splitJWS(token string) (header, payload string, err error) {
	if len(token) > maxJWS {
		return "", "", errors.New("it is too long")
	}
	if strings.Count(token, ".") != 2 {
		return "", "", errors.New("it has not three parts")
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, _, _ = strings.Cut(rest, ".")
	return header, payload, nil
}

// allowsAlg reports whether the package knows a signature algorithm and the list
// has it or is empty.
func allowsAlg(algs []string, alg string) bool {
	switch alg {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
		"EdDSA", "Ed25519": // RFC 8037, and its name in RFC 9864
		return len(algs) == 0 || slices.Contains(algs, alg)
	}
	return false
}

// signed reports whether the key is for the algorithm, which allowsAlg admitted,
// and made the signature of a text with it. The key decides how to verify, the
// token's header only has to agree.
func (k *publicKey) signed(alg string, text, signature []byte) bool {
	if k.alg != "" && k.alg != alg {
		return false
	}
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		return signedRSA(key, alg, text, signature)
	case *ecdsa.PublicKey:
		return signedECDSA(key, alg, text, signature)
	case ed25519.PublicKey:
		return (alg == "EdDSA" || alg == "Ed25519") && ed25519.Verify(key, text, signature)
	}
	return false
}

// signedRSA is RFC 7518 sections 3.3 and 3.5, where the salt is as long as the
// hash.
func signedRSA(key *rsa.PublicKey, alg string, text, signature []byte) bool {
	switch alg[:2] {
	case "RS":
		hash, digest := jwsDigest(alg, text)
		return rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
	case "PS":
		hash, digest := jwsDigest(alg, text)
		return rsa.VerifyPSS(key, hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	}
	return false
}

// signedECDSA is RFC 7518 section 3.4: each algorithm has one curve, and a
// signature is two numbers of the length of a coordinate.
func signedECDSA(key *ecdsa.PublicKey, alg string, text, signature []byte) bool {
	curve := map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg]
	size := coordinateSize(key.Curve)
	if key.Params().Name != curve || len(signature) != 2*size {
		return false
	}
	_, digest := jwsDigest(alg, text)
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(key, digest, r, s)
}

// jwsDigest hashes a text as the end of an algorithm's name says.
func jwsDigest(alg string, text []byte) (crypto.Hash, []byte) {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	h := hash.New()
	h.Write(text)
	return hash, h.Sum(nil)
}
