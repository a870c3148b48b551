package auth

import (
	"context"
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
	"time"
)

const (
	assertionLifetime = 2 * time.Minute

	// maxAppleSecretLifetime is six months as Apple counts them.
	maxAppleSecretLifetime = 15777000 * time.Second
	appleIssuer            = "https://appleid.apple.com"
)

// SignClientAssertion is for Provider.ClientAssertion: the function makes a JWT by
// which the client proves that it holds a key whose public half the provider knows
// (RFC 7523 section 2.2). Each is good for two minutes and one request. The key
// decides on the algorithm: RS256, ES256, ES384, ES512 or EdDSA. keyID may be empty.
// The function's errors: a key of another kind, and one that cannot sign.
func SignClientAssertion(key crypto.Signer, keyID, clientID string) func(ctx context.Context, tokenURL string) (string, error) {
	return func(_ context.Context, tokenURL string) (string, error) {
		issued := time.Now()
		return signAssertion(key, keyID, assertionClaims{
			Issuer: clientID, Subject: clientID, Audience: tokenURL,
			IssuedAt: issued.Unix(), ExpiresAt: issued.Add(assertionLifetime).Unix(), ID: rand.Text(),
		})
	}
}

// AppleClientSecret makes the client secret that Sign in with Apple wants: a JWT,
// signed with the key of the developer account's that has the keyID. clientID is the
// Services ID, or the App ID of an app. It is good for the lifetime, at most six
// months; Provider.ClientSecretFunc can make one for each request. Errors: a longer lifetime, and a key that is not on
// P-256.
func AppleClientSecret(teamID, keyID, clientID string, key *ecdsa.PrivateKey, lifetime time.Duration) (string, error) {
	switch {
	case lifetime <= 0 || lifetime > maxAppleSecretLifetime:
		return "", fmt.Errorf("auth: a client secret for Apple lives up to %v", maxAppleSecretLifetime)
	case key == nil || key.Curve != elliptic.P256():
		return "", errors.New("auth: a client secret for Apple needs a key on P-256")
	}
	issued := time.Now()
	return signAssertion(key, keyID, assertionClaims{
		Issuer: teamID, Subject: clientID, Audience: appleIssuer,
		IssuedAt: issued.Unix(), ExpiresAt: issued.Add(lifetime).Unix(),
	})
}

type assertionHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid,omitempty"`
}

type assertionClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	ID        string `json:"jti,omitempty"`
}

// signAssertion returns a compact JWS (RFC 7515 section 3.1).
func signAssertion(key crypto.Signer, keyID string, claims assertionClaims) (string, error) {
	alg, hash, err := assertionAlg(key)
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(assertionHeader{alg, "JWT", keyID})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	token := append(base64.RawURLEncoding.AppendEncode(nil, header), '.')
	token = base64.RawURLEncoding.AppendEncode(token, payload)
	signature, err := signText(key, hash, token)
	if err != nil {
		return "", fmt.Errorf("auth: signing a client assertion: %w", err)
	}
	return string(base64.RawURLEncoding.AppendEncode(append(token, '.'), signature)), nil
}

// assertionAlg is the algorithm for a key and its hash, 0 for Ed25519, which takes
// the text itself.
func assertionAlg(key crypto.Signer) (alg string, hash crypto.Hash, err error) {
	if key == nil {
		return "", 0, errors.New("auth: a client assertion needs a key")
	}
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return "RS256", crypto.SHA256, nil
	case ed25519.PublicKey:
		return "EdDSA", 0, nil
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			return "ES256", crypto.SHA256, nil
		case elliptic.P384():
			return "ES384", crypto.SHA384, nil
		case elliptic.P521():
			return "ES512", crypto.SHA512, nil
		}
	}
	return "", 0, fmt.Errorf("auth: a client assertion cannot be signed with a key of type %T", key.Public())
}

// signText signs as RFC 7518 section 3.4 and RFC 8037 section 3.1 say.
func signText(key crypto.Signer, hash crypto.Hash, text []byte) ([]byte, error) {
	digest := text
	if hash != 0 {
		h := hash.New()
		h.Write(text)
		digest = h.Sum(nil)
	}
	signature, err := key.Sign(rand.Reader, digest, hash)
	public, ok := key.Public().(*ecdsa.PublicKey)
	if err != nil || !ok {
		return signature, err
	}
	return fixedLengths(signature, (public.Params().BitSize+7)/8)
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
