package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// vectorClaims has the members of the e-mail JWT in the contract's order.
type vectorClaims struct {
	Email       string `json:"email"`
	UpdateTo    string `json:"updateTo,omitempty"`
	RequestType string `json:"requestType,omitempty"`
	UserID      string `json:"userId"`
	IssuedAt    int64  `json:"iat"`
	ExpiresAt   int64  `json:"exp"`
}

// vectorJWT was made by the original's JOSE library from vectorJWTClaims under
// vectorSecret.
const vectorJWT = "eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImFAeC5jbyIsInVwZGF0ZVRvIjoiYjxjPiZAeC5jbyIsInJlcXVlc3RUeXBlIjoiY2hhbmdlLWVtYWlsLXZlcmlmaWNhdGlvbiIsInVzZXJJZCI6InUxIiwiaWF0IjoxNzY3MjI1NjAwLCJleHAiOjE3NjcyMjkyMDB9.7yzS-9KncqpNfvxKOcXpmodIIYKMqjumLR6kg3t4mKk"

var vectorJWTClaims = vectorClaims{"a@x.co", "b<c>&@x.co", "change-email-verification", "u1", 1767225600, 1767229200}

func TestSignJWT(t *testing.T) {
	got, err := newSigner(vectorSecret).signJWT(vectorJWTClaims)
	if got != vectorJWT || err != nil {
		t.Errorf("signJWT = %s, %v, want %s", got, err, vectorJWT)
	}
	if _, err := newSigner(vectorSecret).signJWT(func() {}); err == nil {
		t.Error("claims that JSON cannot express were signed")
	}
}

func TestVerifyJWTExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(vectorSecret)
		var got vectorClaims
		time.Sleep(time.Until(time.Unix(vectorJWTClaims.ExpiresAt, 0)) - time.Nanosecond)
		if err := s.verifyJWT(vectorJWT, &got); err != nil || got != vectorJWTClaims {
			t.Errorf("just before exp: %+v, %v", got, err)
		}
		time.Sleep(time.Nanosecond)
		if err := s.verifyJWT(vectorJWT, &got); err != errJWTExpired {
			t.Errorf("at exp: %v, want %v", err, errJWTExpired)
		}
		if err := newSigner("another").verifyJWT(vectorJWT, &got); err != errJWTInvalid {
			t.Errorf("another secret: %v, want %v", err, errJWTInvalid)
		}
	})
}

// Each of these was also put before the original's library; the cases in which
// it is more lenient are marked.
func TestVerifyJWTSigned(t *testing.T) {
	const ours = `{"alg":"HS256"}`
	tests := []struct {
		reason          string
		header, payload string
		want            error
	}{
		{"no times at all", ours, `{}`, nil},
		{"exp is a string", ours, `{"exp":"4000000000"}`, errJWTInvalid},
		{"exp is null", ours, `{"exp":null}`, errJWTInvalid},
		{"exp passed", ours, `{"exp":1}`, errJWTExpired},
		{"exp with a fraction", ours, `{"exp":4000000000.5}`, nil},
		{"exp beyond numbers (lenient: never)", ours, `{"exp":1e400}`, errJWTInvalid},
		{"the last exp counts", ours, `{"exp":1,"exp":4000000000}`, nil},
		{"claims are case-sensitive", ours, `{"EXP":1}`, nil},
		{"nbf in the future", ours, `{"nbf":4000000000}`, errJWTInvalid},
		{"nbf is a string", ours, `{"nbf":"1"}`, errJWTInvalid},
		{"iat in the future", ours, `{"iat":4000000000}`, nil},
		{"iat is a string", ours, `{"iat":"1"}`, errJWTInvalid},
		{"iat before exp", ours, `{"iat":"1","exp":1}`, errJWTInvalid},
		{"claims are an array", ours, `[]`, errJWTInvalid},
		{"claims are null", ours, `null`, errJWTInvalid},
		{"claims are no JSON", ours, `{`, errJWTInvalid},
		{"claims are not UTF-8", ours, "{\"a\":\"\xff\"}", errJWTInvalid},
		{"claims of another type", ours, `{"email":1}`, errJWTInvalid},
		{"typ is ignored", `{"typ":"at+jwt","alg":"HS256"}`, `{}`, nil},
		{"crit", `{"alg":"HS256","crit":["exp"],"exp":1}`, `{}`, errJWTInvalid},
		{"empty crit", `{"alg":"HS256","crit":[]}`, `{}`, errJWTInvalid},
		{"crit b64 (lenient: understood)", `{"alg":"HS256","crit":["b64"],"b64":true}`, `{}`, errJWTInvalid},
		{"alg none", `{"alg":"none"}`, `{}`, errJWTInvalid},
		{"alg in lower case", `{"alg":"hs256"}`, `{}`, errJWTInvalid},
		{"member names are case-sensitive", `{"ALG":"HS256"}`, `{}`, errJWTInvalid},
		{"another HMAC (lenient: with its own tag)", `{"alg":"HS512"}`, `{}`, errJWTInvalid},
		{"alg is an array", `{"alg":["HS256"]}`, `{}`, errJWTInvalid},
		{"no alg", `{}`, `{}`, errJWTInvalid},
		{"header is null", `null`, `{}`, errJWTInvalid},
		{"header is no JSON", `{`, `{}`, errJWTInvalid},
	}
	s := newSigner(vectorSecret)
	for _, tt := range tests {
		b64 := base64.RawURLEncoding
		token := signedText(b64.EncodeToString([]byte(tt.header)) + "." + b64.EncodeToString([]byte(tt.payload)))
		var claims struct{ Email string }
		if err := s.verifyJWT(token, &claims); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.reason, err, tt.want)
		}
	}
}

// One token has one spelling, also where its signature does not depend on it.
func TestVerifyJWTShape(t *testing.T) {
	valid := signedText(jwtHeader + ".e30")
	dot := strings.LastIndex(valid, ".")
	tests := []struct{ reason, token string }{
		{"empty", ""},
		{"no dot", "e30"},
		{"unsigned", valid[:dot]},
		{"empty signature", valid[:dot+1]},
		{"padded signature", valid + "="},
		{"line break after the signature", valid + "\n"},
		{"stray bits in the signature", valid[:len(valid)-1] + string(valid[len(valid)-1]+1)},
		{"four parts", valid + ".e30"},
		{"signed: one part", signedText(jwtHeader)},
		{"signed: three parts", signedText(jwtHeader + ".e30.e30")},
		{"signed: line break in the claims", signedText(jwtHeader + ".e3\n0")},
		{"signed: padded claims", signedText(jwtHeader + ".e30=")},
		{"signed: stray bits in the claims", signedText(jwtHeader + ".e31")},
		{"signed: standard base64", signedText(jwtHeader + ".eyI/Pz8iOjF9")},
		{"signed: header is no base64", signedText("{}.e30")},
	}
	s := newSigner(vectorSecret)
	if err := s.verifyJWT(valid, new(vectorClaims)); err != nil {
		t.Fatalf("the token that all others derive from: %v", err)
	}
	for _, tt := range tests {
		if err := s.verifyJWT(tt.token, new(vectorClaims)); err != errJWTInvalid {
			t.Errorf("%s: %v, want %v", tt.reason, err, errJWTInvalid)
		}
	}
}

// signedText appends the signature of text under vectorSecret.
func signedText(text string) string {
	h := hmac.New(sha256.New, []byte(vectorSecret))
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func FuzzVerifyJWT(f *testing.F) {
	f.Add(vectorJWT, false)
	f.Add(jwtHeader+".e30", true)
	f.Add("eyJhbGciOiJub25lIn0.e30.", false)
	f.Add("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjF9", true)
	s := newSigner(vectorSecret)
	f.Fuzz(func(t *testing.T, token string, sign bool) {
		if sign { // past the signature, so that the parser behind it is fuzzed too
			token = signedText(token)
		}
		var claims map[string]any
		err := s.verifyJWT(token, &claims)
		if err != nil {
			if !errors.Is(err, errJWTInvalid) && !errors.Is(err, errJWTExpired) {
				t.Fatalf("%q: unexpected error %v", token, err)
			}
			return
		}
		parts := strings.Split(token, ".")
		if len(parts) != 3 || signedText(parts[0]+"."+parts[1]) != token {
			t.Fatalf("accepted %q, whose signature does not hold", token)
		}
		header, err := base64.RawURLEncoding.DecodeString(parts[0])
		if err != nil || !bytes.Contains(header, []byte(`"HS256"`)) {
			t.Fatalf("accepted %q with header %q", token, header)
		}
	})
}
