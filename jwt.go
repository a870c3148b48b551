package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// Why a JWT is refused. Everything but the passing of time is errJWTInvalid:
// whoever holds such a token learns nothing about it.
var (
	errJWTExpired = errors.New("auth: JWT has expired")
	errJWTInvalid = errors.New("auth: JWT is invalid")
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
// payload into claims, a pointer. Errors: errJWTExpired, errJWTInvalid; claims are
// then untouched or undefined.
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
	return payload, checkJWTTimes(payload)
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

// checkJWTTimes applies RFC 7519 sections 4.1.4 to 4.1.6 as the original's
// library does: each time is optional but must be a number; exp and nbf are
// compared with whole seconds and no leeway; iat may lie in the future.
func checkJWTTimes(payload []byte) error {
	claims, err := jsonMembers(payload)
	if err != nil {
		return errJWTInvalid
	}
	_, _, iatErr := numericDate(claims, "iat")
	nbf, hasNbf, nbfErr := numericDate(claims, "nbf")
	exp, hasExp, expErr := numericDate(claims, "exp")
	now := float64(time.Now().Unix())
	switch {
	case iatErr != nil, nbfErr != nil, expErr != nil, hasNbf && nbf > now:
		return errJWTInvalid
	case hasExp && exp <= now:
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
