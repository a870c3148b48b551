package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Why a JWT is refused.
var (
	errJWTExpired  = errors.New("auth: JWT has expired")
	errJWTEarly    = errors.New("auth: JWT is not valid yet")
	errJWTInvalid  = errors.New("auth: JWT is invalid")
	errJWTIssuer   = errors.New("auth: JWT is from another issuer")
	errJWTAudience = errors.New("auth: JWT is for another audience")
)

// jwtHeader is the only header that signJWT writes, {"alg":"HS256"} encoded.
const jwtHeader = "eyJhbGciOiJIUzI1NiJ9"

// signJWT returns claims as a compact JWS with HS256 (RFC 7515, RFC 7518
// section 3.2). The members of the payload stand in the order of the struct's
// fields. Errors: claims that JSON cannot express.
func (s *signer) signJWT(claims any) (string, error) {
	var payload bytes.Buffer
	enc := json.NewEncoder(&payload)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(claims); err != nil {
		return "", err
	}
	return s.signJWTPayload(bytes.TrimSuffix(payload.Bytes(), []byte("\n"))), nil
}

// signJWTPayload is signJWT for a JSON object, which it does not change.
func (s *signer) signJWTPayload(payload []byte) string {
	token := append([]byte(jwtHeader), '.')
	token = base64.RawURLEncoding.AppendEncode(token, payload)
	signature := s.signURL(token)
	return string(append(append(token, '.'), signature...))
}

// verifyJWT checks a token that signJWT or the original made and decodes its
// payload into claims, a pointer. Errors: errJWTExpired, and errJWTInvalid for everything
// else: whoever holds such a token learns nothing about it. claims are then untouched
// or undefined.
func (s *signer) verifyJWT(token string, claims any) error {
	payload, err := s.openJWT(token)
	if err == nil && json.Unmarshal(payload, claims) != nil {
		err = errJWTInvalid
	}
	return err
}

// openJWT checks a token and returns its payload. Nothing in the token is looked
// at before its signature holds, and the signature is HS256 whatever the header
// says. Errors: errJWTExpired, errJWTInvalid.
func (s *signer) openJWT(token string) (payload []byte, err error) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || !s.verifyURL([]byte(token[:dot]), []byte(token[dot+1:])) {
		return nil, errJWTInvalid
	}
	header, encoded, _ := strings.Cut(token[:dot], ".")
	payload, err = decodeBase64URL(encoded)
	if err != nil || !validJWTHeader(header) {
		return nil, errJWTInvalid
	}
	return payload, checkJWT(payload)
}

// checkJWT checks the times of a payload, as the original's library does. Errors:
// errJWTExpired, errJWTInvalid.
func checkJWT(payload []byte) error {
	err := JWTRules{}.Check(payload)
	if err != nil && err != errJWTExpired {
		return errJWTInvalid
	}
	return err
}

// validJWTHeader admits a typ and other members that are only hints, but no
// critical extension: RFC 7515 section 4.1.11 wants those understood.
func validJWTHeader(encoded string) bool {
	if encoded == jwtHeader {
		return true
	}
	text, err := decodeBase64URL(encoded)
	if err != nil {
		return false
	}
	header, err := jsonMembers(text)
	_, critical := header["crit"]
	return err == nil && !critical && string(header["alg"]) == `"HS256"`
}

// JWTRules are what the claims of a JSON Web Token have to fulfil (RFC 7519 section
// 4.1), once VerifyJWS has returned them. The zero value wants a token that is valid
// now, from anybody and for anybody.
type JWTRules struct {
	Issuers   []string      // one of which it must come from (iss); empty: any
	Audiences []string      // one of which it must be for (aud); empty: any
	Tolerance time.Duration // how far the clocks of two servers may be apart
}

// Check reports why a payload does not fulfil the rules. Each time is optional but
// must be a number; exp and nbf are compared in whole seconds; iat may lie in the
// future. Errors: not to be told to whoever sent the token.
func (r JWTRules) Check(payload []byte) error {
	members, err := jsonMembers(payload)
	if err != nil {
		return errJWTInvalid
	}
	times, err := timesOf(members)
	if err == nil {
		err = times.check(r.Tolerance.Seconds())
	}
	if err != nil {
		return err
	}
	switch {
	case len(r.Issuers) > 0 && !issuedBy(decodeMember(members["iss"]), r.Issuers):
		return errJWTIssuer
	case len(r.Audiences) > 0 && !isFor(decodeMember(members["aud"]), r.Audiences):
		return errJWTAudience
	}
	return nil
}

// decodeMember returns the value of a member, nil if it is missing.
func decodeMember(raw json.RawMessage) (value any) {
	if json.Unmarshal(raw, &value) != nil {
		return nil
	}
	return value
}

// issuedBy reports whether the token is from one of the issuers.
func issuedBy(iss any, issuers []string) bool {
	issuer, ok := iss.(string)
	return ok && slices.Contains(issuers, issuer)
}

// isFor reports whether the token is for one of the audiences, and others perhaps.
func isFor(aud any, audiences []string) bool {
	list, ok := aud.([]any)
	if !ok {
		list = []any{aud}
	}
	return slices.ContainsFunc(list, func(entry any) bool {
		audience, ok := entry.(string)
		return ok && audience != "" && slices.Contains(audiences, audience)
	})
}

// jwtTimes are the times in a token, in seconds since the epoch.
type jwtTimes struct {
	iat, nbf, exp          float64
	hasIat, hasNbf, hasExp bool
}

// timesOf reads the times among claims. Errors: one is no number.
func timesOf(claims map[string]json.RawMessage) (t jwtTimes, err error) {
	var errs [3]error
	t.iat, t.hasIat, errs[0] = numericDate(claims, "iat")
	t.nbf, t.hasNbf, errs[1] = numericDate(claims, "nbf")
	t.exp, t.hasExp, errs[2] = numericDate(claims, "exp")
	if errors.Join(errs[:]...) != nil {
		return t, errJWTInvalid
	}
	return t, nil
}

// check reports that a token is not valid yet or not any more, by a clock that may be
// off by some seconds.
func (t *jwtTimes) check(tolerance float64) error {
	now := float64(time.Now().Unix())
	switch {
	case t.hasNbf && t.nbf > now+tolerance:
		return errJWTEarly
	case t.hasExp && t.exp <= now-tolerance:
		return errJWTExpired
	}
	return nil
}

// numericDate returns a time claim in seconds since the epoch.
func numericDate(claims map[string]json.RawMessage, name string) (seconds float64, present bool, err error) {
	raw, present := claims[name]
	if !present {
		return 0, false, nil
	}
	if string(raw) == "null" { // which Unmarshal would take for zero
		return 0, true, errJWTInvalid
	}
	err = json.Unmarshal(raw, &seconds)
	return seconds, true, err
}

// jsonMembers returns the members of a JSON object under their exact names;
// decoding into a struct would ignore case.
func jsonMembers(text []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	if members == nil || !utf8.Valid(text) {
		return nil, errors.New("auth: not a JSON object in UTF-8")
	}
	return members, nil
}

// decodeBase64URL decodes base64url without padding. It refuses what the
// standard decoder lets pass: line breaks, and bits beyond the last byte.
func decodeBase64URL(text string) ([]byte, error) {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}
