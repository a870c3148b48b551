package auth

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"
	"time"
)

// The members of the compact session_data cookie around the cached object, in
// the only order that either side writes (contract section 8.4).
const (
	compactSession   = `{"session":`
	compactExpiry    = `,"expiresAt":`
	compactSignature = `,"signature":"`
	compactEnd       = `"}`
)

// sealCompact returns the compact session_data cookie for d, a JSON object with
// at least one member, without HTML escapes and without white space around it.
// The original checks its own serialization of d: it takes the cookie only if
// d is spelled as JSON.stringify spells it.
func sealCompact(s *signer, d []byte, expiresAt time.Time) string {
	expiry := strconv.AppendInt([]byte(compactExpiry), expiresAt.UnixMilli(), 10)
	signature := s.signURL(compactSigned(d, expiry))
	return base64.RawURLEncoding.EncodeToString(slices.Concat(
		[]byte(compactSession), d, expiry, []byte(compactSignature), []byte(signature), []byte(compactEnd)))
}

// openCompact returns the object in a compact session_data cookie, byte for byte
// as it was sealed, and when the cookie expires, which the caller checks. The
// object is not looked into before its signature holds; ok is then true.
func openCompact(s *signer, raw string) (d []byte, expiresAt time.Time, ok bool) {
	text, err := decodeBase64URL(raw)
	if err != nil {
		return nil, time.Time{}, false
	}
	d, expiry, signature, ok := splitCompact(text)
	if !ok || !s.verifyURL(compactSigned(d, expiry), signature) {
		return nil, time.Time{}, false
	}
	ms, err := strconv.ParseInt(string(expiry[len(compactExpiry):]), 10, 64)
	return d, time.UnixMilli(ms), err == nil
}

// compactSigned returns what the signature covers: the object with expiry, which
// is the text of a member, as its last one.
func compactSigned(d, expiry []byte) []byte {
	return slices.Concat(bytes.TrimSuffix(d, []byte("}")), expiry, []byte("}"))
}

// splitCompact finds the parts of a cookie's text: the object, the text of the
// member expiresAt and the signature.
func splitCompact(text []byte) (d, expiry, signature []byte, ok bool) {
	text, begins := bytes.CutPrefix(text, []byte(compactSession))
	text, ends := bytes.CutSuffix(text, []byte(compactEnd))
	sig := bytes.LastIndex(text, []byte(compactSignature))
	exp := bytes.LastIndex(text[:max(sig, 0)], []byte(compactExpiry))
	if !begins || !ends || exp < 1 || text[0] != '{' || text[exp-1] != '}' {
		return nil, nil, nil, false
	}
	return text[:exp], text[exp:sig], text[sig+len(compactSignature):], true
}
