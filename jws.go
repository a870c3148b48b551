package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of RFC 7518 section 3.1
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// maxJWS is the length of a token in bytes. The largest ones in use, with the
// groups of their user, have a fifth of it.
const maxJWS = 64 << 10

// VerifyJWS returns what one of the keys signed, out of a token in the compact form
// (RFC 7515 section 5.2). algs are the algorithms that are allowed; none stands for
// all that this package knows: RS256, RS384, RS512, PS256, PS384, PS512, ES256,
// ES384, ES512, EdDSA and Ed25519. All of these have a public key: neither "none" nor
// an HMAC, for which a public key would be the secret, can be allowed. A token that
// names its key is verified with no other. Errors: everything that is wrong with the
// token, not to be told to whoever sent it.
func VerifyJWS(token string, keys []JWK, algs []string) (payload []byte, err error) {
	header, err := ParseJWSHeader(token)
	if err != nil {
		return nil, err
	}
	if !allowsAlg(algs, header.Algorithm) {
		return nil, errors.New("its algorithm is not allowed")
	}
	dot := strings.LastIndexByte(token, '.')
	signature, err := decodeBase64URL(token[dot+1:])
	if err != nil {
		return nil, errors.New("its signature is no base64url")
	}
	signed := []byte(token[:dot])
	if !slices.ContainsFunc(keys, func(k JWK) bool {
		return (header.KeyID == "" || k.ID == header.KeyID) && k.signed(header.Algorithm, signed, signature)
	}) {
		return nil, errors.New("no key verifies its signature")
	}
	_, encoded, _ := strings.Cut(token[:dot], ".")
	return decodeBase64URL(encoded)
}

// A JWSHeader has the members of a token's header that this package writes and heeds.
type JWSHeader struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid,omitempty"`
	Type      string `json:"typ,omitempty"`
}

// ParseJWSHeader returns the header of a token. Nothing of it is verified: it says
// which key to look for. Errors: it is no compact JWS, or one with extensions (RFC
// 7515 section 4.1.11, RFC 7797).
func ParseJWSHeader(token string) (h JWSHeader, err error) {
	encoded, _, err := splitJWS(token)
	if err != nil {
		return h, err
	}
	text, err := decodeBase64URL(encoded)
	if err != nil {
		return h, errors.New("its header is no base64url")
	}
	header, err := jsonMembers(text)
	if err != nil {
		return h, errors.New("its header is no JSON object")
	}
	_, critical := header["crit"]
	_, unencoded := header["b64"]
	if critical || unencoded {
		return h, errors.New("its header has extensions")
	}
	if !textMember(header, "kid", &h.KeyID) || !textMember(header, "alg", &h.Algorithm) {
		return h, errors.New("alg or kid is no string")
	}
	textMember(header, "typ", &h.Type) // which is only a hint
	return h, nil
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

// Verifies reports whether the key is for an algorithm, one of those that VerifyJWS
// knows.
func (k *JWK) Verifies(alg string) bool {
	return allowsAlg(nil, alg) && fitsAlg(k.Key, alg) && (k.Algorithm == "" || k.Algorithm == alg)
}

// signed reports whether the key made the signature of a text with an algorithm. The
// key decides how to verify, the token's header only has to agree.
func (k *JWK) signed(alg string, text, signature []byte) bool {
	if !k.Verifies(alg) {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return signedRSA(key, alg, text, signature)
	case *ecdsa.PublicKey:
		return signedECDSA(key, alg, text, signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, text, signature)
	}
	return false
}

// signedRSA is RFC 7518 sections 3.3 and 3.5, where the salt is as long as the
// hash.
func signedRSA(key *rsa.PublicKey, alg string, text, signature []byte) bool {
	hash, digest := jwsDigest(alg, text)
	if alg[:2] == "PS" {
		return rsa.VerifyPSS(key, hash, digest, signature, pssOptions(hash)) == nil
	}
	return rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
}

// signedECDSA is RFC 7518 section 3.4: each algorithm has one curve, and a
// signature is two numbers of the length of a coordinate.
func signedECDSA(key *ecdsa.PublicKey, alg string, text, signature []byte) bool {
	size := coordinateSize(key.Curve)
	if len(signature) != 2*size {
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

// pssOptions are those of RFC 7518 section 3.5.
func pssOptions(hash crypto.Hash) *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
}

// algOfCurve is the one algorithm for keys on a curve (RFC 7518 section 3.4), empty
// if there is none.
func algOfCurve(curve elliptic.Curve) string {
	switch curve {
	case elliptic.P256():
		return "ES256"
	case elliptic.P384():
		return "ES384"
	case elliptic.P521():
		return "ES512"
	}
	return ""
}

// SignJWS returns a token in the compact form (RFC 7515 section 5.1): a payload,
// signed with a key, which may be one that does not leave its hardware. The header's
// Algorithm is one of those that VerifyJWS knows; empty stands for the one that goes
// with the key, RS256 if several do. Errors: a key that is for another algorithm, and
// one that cannot sign.
func SignJWS(key crypto.Signer, header JWSHeader, payload []byte) (string, error) {
	if key == nil {
		return "", errors.New("auth: a JWS needs a key")
	}
	if header.Algorithm == "" {
		header.Algorithm = algOfKey(key.Public())
	}
	if !allowsAlg(nil, header.Algorithm) || !fitsAlg(key.Public(), header.Algorithm) {
		return "", fmt.Errorf("auth: a key of type %T cannot sign with algorithm %q", key.Public(), header.Algorithm)
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(header); err != nil {
		return "", err
	}
	token := append(base64.RawURLEncoding.AppendEncode(nil, bytes.TrimSpace(text.Bytes())), '.')
	token = base64.RawURLEncoding.AppendEncode(token, payload)
	signature, err := signJWSText(key, header.Algorithm, token)
	if err != nil {
		return "", err
	}
	return string(base64.RawURLEncoding.AppendEncode(append(token, '.'), signature)), nil
}

// algOfKey is the algorithm that goes with a public key, empty if none does.
func algOfKey(public crypto.PublicKey) string {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return "RS256"
	case *ecdsa.PublicKey:
		return algOfCurve(public.Curve)
	case ed25519.PublicKey:
		return "EdDSA"
	}
	return ""
}

// fitsAlg reports whether signatures of an algorithm that allowsAlg admitted are made
// with such a key.
func fitsAlg(public crypto.PublicKey, alg string) bool {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return alg[:2] == "RS" || alg[:2] == "PS"
	case *ecdsa.PublicKey:
		return algOfCurve(public.Curve) == alg
	case ed25519.PublicKey:
		return alg == "EdDSA" || alg == "Ed25519"
	}
	return false
}

// signJWSText signs as RFC 7518 sections 3.3 to 3.5 and RFC 8037 section 3.1 say.
func signJWSText(key crypto.Signer, alg string, text []byte) ([]byte, error) {
	if alg[:2] == "Ed" {
		return key.Sign(rand.Reader, text, crypto.Hash(0))
	}
	hash, digest := jwsDigest(alg, text)
	var options crypto.SignerOpts = hash
	if alg[:2] == "PS" {
		options = pssOptions(hash)
	}
	signature, err := key.Sign(rand.Reader, digest, options)
	public, ok := key.Public().(*ecdsa.PublicKey)
	if err != nil || !ok {
		return signature, err
	}
	return fixedLengths(signature, coordinateSize(public.Curve))
}

// fixedLengths turns an ASN.1 signature of ECDSA into two numbers of the length of a
// coordinate.
func fixedLengths(signature []byte, size int) ([]byte, error) {
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &numbers); err != nil {
		return nil, err
	}
	fixed := make([]byte, 2*size)
	numbers.R.FillBytes(fixed[:size])
	numbers.S.FillBytes(fixed[size:])
	return fixed, nil
}
