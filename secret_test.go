package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"
)

// The secret and the value of the contract's vectors (sections 7.2 and 8.4).
const (
	vectorSecret = "better-auth-test-secret-0123456789"
	vectorToken  = "abcdefghijklmnopqrstuvwxyzABCDEF"
	vectorTag    = "kETVl37GFTa4oW3pwcjjK6fnKzSkRCUVmzVrAP8JAbo="
)

func TestSigner(t *testing.T) {
	s := newSigner(vectorSecret)
	if got := s.sign(vectorToken); got != vectorTag {
		t.Errorf("sign = %s, want %s", got, vectorTag)
	}
	const rawTag = "kETVl37GFTa4oW3pwcjjK6fnKzSkRCUVmzVrAP8JAbo" // the same bytes in base64url
	if got := s.signURL([]byte(vectorToken)); got != rawTag {
		t.Errorf("signURL = %s, want %s", got, rawTag)
	}
}

// What older secrets have signed holds until they are taken away; nothing new is
// signed with them.
func TestSignerRotated(t *testing.T) {
	older, rotated := newSigner(vectorSecret), newSigner("another secret", vectorSecret)
	token, err := older.signJWT(emailClaims{Email: "ann@example.com", ExpiresAt: time.Now().Add(time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	var claims emailClaims
	if value, ok := rotated.openCookie(older.signCookie("x")); !ok || value != "x" {
		t.Error("a cookie signed with an older secret was refused")
	}
	if err := rotated.verifyJWT(token, &claims); err != nil {
		t.Errorf("a token signed with an older secret: %v", err)
	}
	if _, ok := older.openCookie(rotated.signCookie("x")); ok {
		t.Error("a new cookie was signed with the older secret")
	}
	if _, ok := newSigner("another secret").openCookie(older.signCookie("x")); ok {
		t.Error("a cookie of a secret that is gone was accepted")
	}
}

func TestSignedCookieTags(t *testing.T) {
	tests := []struct {
		reason           string
		value, signature string
		want             bool
	}{
		{"the contract's vector", vectorToken, vectorTag, true},
		{"another value", vectorToken + "G", vectorTag, false},
		{"another tag", vectorToken, "A" + vectorTag[1:], false},
		{"second spelling of the same bytes", vectorToken, vectorTag[:42] + "p=", false},
		{"no padding", vectorToken, strings.TrimSuffix(vectorTag, "="), false},
		{"nothing", vectorToken, "", false},
		{"longer than a tag", vectorToken, vectorTag + "A", false},
	}
	s := newSigner(vectorSecret)
	for _, tt := range tests {
		if _, got := s.openCookie(tt.value + "." + tt.signature); got != tt.want {
			t.Errorf("%s: opened: %v, want %v", tt.reason, got, tt.want)
		}
	}
	if _, ok := newSigner(vectorSecret + "x").openCookie(vectorToken + "." + vectorTag); ok {
		t.Error("a tag made under another secret was accepted")
	}
}

// A pooled state must not remember the message before, whatever its length.
func TestSignerConcurrent(t *testing.T) {
	s := newSigner(vectorSecret)
	var wg sync.WaitGroup
	for n := range 300 {
		wg.Go(func() {
			value := strings.Repeat("x", n)
			if got, want := s.sign(value), independentTag(vectorSecret, value); got != want {
				t.Errorf("sign of %d bytes = %s, want %s", n, got, want)
			}
		})
	}
	wg.Wait()
}

func independentTag(secret, value string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(value))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func BenchmarkSignerSign(b *testing.B) {
	s := newSigner(vectorSecret)
	b.ReportAllocs()
	for b.Loop() {
		s.sign(vectorToken)
	}
}
