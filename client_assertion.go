package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
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

type assertionClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	ID        string `json:"jti,omitempty"`
}

// signAssertion signs claims with the algorithm that goes with the key.
func signAssertion(key crypto.Signer, keyID string, claims assertionClaims) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	token, err := SignJWS(key, JWSHeader{KeyID: keyID, Type: "JWT"}, payload)
	if err != nil {
		return "", fmt.Errorf("auth: signing a client assertion: %w", err)
	}
	return token, nil
}
