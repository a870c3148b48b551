package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// errIDToken is in every error about an id_token. What else such an error says is
// for the log; whoever sent the token learns that it is invalid.
var errIDToken = errors.New("auth: id_token is invalid")

// idTokenTolerance is how far the clock of a provider may be off, in seconds.
const idTokenTolerance = 30

// idTokenRules are what an id_token has to fulfil (OpenID Connect Core 1.0 section
// 3.1.3.7) to be believed from whoever sent it. The zero value accepts none.
type idTokenRules struct {
	keys        *remoteKeys
	issuers     []string      // one of which it must come from; empty: any
	audiences   []string      // one of which it must be for; empty: nothing verifies
	algs        []string      // that it may be signed with; empty: all of VerifyJWS
	maxAge      time.Duration // since iat; 0: not checked, iat may then lie in the future
	hashedNonce bool          // the hex SHA-256 of the nonce will also do

	// check is the last word on a token that is fine in all other respects. It
	// may be nil.
	check func(claims map[string]any) bool
}

// verify returns the claims of a token that fulfils the rules. The nonce is
// compared if it is not empty. Errors: errIDToken.
//
// azp is not looked at, like in the original: an app for Android gets tokens from
// Google whose azp is itself and whose aud is the server.
func (r *idTokenRules) verify(ctx context.Context, token, nonce string) (claims map[string]any, err error) {
	payload, err := r.signed(ctx, token)
	if err == nil {
		claims, err = r.claims(payload, nonce)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errIDToken, err)
	}
	return claims, nil
}

// signed returns the payload once its signature holds. An algorithm that is not
// allowed does not get as far as a fetch.
func (r *idTokenRules) signed(ctx context.Context, token string) (payload []byte, err error) {
	if r.keys == nil || !slices.ContainsFunc(r.audiences, notEmpty) {
		return nil, errors.New("there is no key set or audience to verify it with")
	}
	header, err := ParseJWSHeader(token)
	if err != nil {
		return nil, err
	}
	if !allowsAlg(r.algs, header.Algorithm) {
		return nil, errors.New("its algorithm is not allowed")
	}
	keys, err := r.keys.find(ctx, header.KeyID)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", r.keys.url, err)
	}
	return VerifyJWS(token, keys, r.algs)
}

func notEmpty(s string) bool { return s != "" }

// claims decodes and checks the payload.
func (r *idTokenRules) claims(payload []byte, nonce string) (map[string]any, error) {
	members, err := jsonMembers(payload)
	if err != nil {
		return nil, err
	}
	if err := r.checkTimes(members); err != nil {
		return nil, err
	}
	claims, err := decodeClaims(payload)
	if err != nil {
		return nil, err
	}
	switch {
	case !r.issuedBy(claims["iss"]):
		return nil, errors.New("iss is not accepted")
	case !isSubject(claims["sub"]):
		return nil, errors.New("sub is missing")
	case !isFor(claims["aud"], r.audiences):
		return nil, errors.New("aud is not accepted")
	case nonce != "" && !r.hasNonce(claims["nonce"], nonce):
		return nil, errors.New("nonce is another")
	case r.check != nil && !r.check(claims):
		return nil, errors.New("the provider's own check failed")
	}
	return claims, nil
}

// checkTimes wants exp and iat. Like the original's library it counts in whole
// seconds.
func (r *idTokenRules) checkTimes(claims map[string]json.RawMessage) error {
	times, err := timesOf(claims)
	if err == nil {
		err = times.check(idTokenTolerance)
	}
	age := float64(time.Now().Unix()) - times.iat
	switch {
	case err != nil:
		return err
	case !times.hasExp || !times.hasIat:
		return errors.New("exp or iat is missing")
	case r.maxAge > 0 && age > r.maxAge.Seconds()+idTokenTolerance:
		return errors.New("iat is too long ago")
	case r.maxAge > 0 && age < -idTokenTolerance:
		return errors.New("iat is still to come")
	}
	return nil
}

// issuedBy reports whether the token is from an issuer that is accepted.
func (r *idTokenRules) issuedBy(iss any) bool {
	if len(r.issuers) > 0 {
		return issuedBy(iss, r.issuers)
	}
	_, named := iss.(string)
	return named
}

// isSubject reports whether a claim identifies somebody. There are providers that
// do it by a number.
func isSubject(sub any) bool {
	switch s := sub.(type) {
	case string:
		return s != ""
	case float64:
		return true
	}
	return false
}

// hasNonce compares the claim with what the client was given, or its hash.
func (r *idTokenRules) hasNonce(claim any, nonce string) bool {
	got, ok := claim.(string)
	if !ok {
		return false
	}
	sum := sha256.Sum256([]byte(nonce))
	exact := subtle.ConstantTimeCompare([]byte(got), []byte(nonce))
	hashed := subtle.ConstantTimeCompare([]byte(got), []byte(hex.EncodeToString(sum[:])))
	return exact == 1 || r.hashedNonce && hashed == 1
}

// decodeIDToken returns the claims of a token without any verification, for those
// that came over TLS from the provider's token endpoint (OpenID Connect Core 1.0
// section 3.1.3.7 number 6). Errors: errIDToken.
func decodeIDToken(token string) (claims map[string]any, err error) {
	_, encoded, err := splitJWS(token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errIDToken, err)
	}
	payload, err := decodeBase64URL(encoded)
	if err == nil {
		_, err = jsonMembers(payload)
	}
	if err == nil {
		claims, err = decodeClaims(payload)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errIDToken, err)
	}
	return claims, nil
}

// decodeClaims decodes what jsonMembers took for a JSON object. Numbers become a
// float64, as they do in the original: an identifier that is one has the same text
// on both sides.
func decodeClaims(payload []byte) (claims map[string]any, err error) {
	err = json.Unmarshal(payload, &claims)
	return claims, err
}
