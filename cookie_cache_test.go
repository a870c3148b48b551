package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// The vector of contract section 8.4.
const (
	vectorData      = `{"session":{"expiresAt":"2030-01-08T00:00:00.000Z","token":"abcdefghijklmnopqrstuvwxyzABCDEF","createdAt":"2030-01-01T00:00:00.000Z","updatedAt":"2030-01-01T00:00:00.000Z","ipAddress":"","userAgent":"","userId":"u1","id":"s1"},"user":{"name":"A&B <é>","email":"a@x.co","emailVerified":false,"image":null,"createdAt":"2030-01-01T00:00:00.000Z","updatedAt":"2030-01-01T00:00:00.000Z","id":"u1"},"updatedAt":1893456000000,"version":"1"}`
	vectorDataTag   = "EW1wk5sCc2IhdzORlGNV_jZ6_k9FWr1JPw-H6HnhXRw"
	vectorExpiresAt = 1893456300000
)

func TestSealCompact(t *testing.T) {
	s := compactSeal{newSigner(vectorSecret)}
	raw := s.seal([]byte(vectorData), time.UnixMilli(vectorExpiresAt))
	text, err := base64.RawURLEncoding.DecodeString(raw)
	want := `{"session":` + vectorData + `,"expiresAt":1893456300000,"signature":"` + vectorDataTag + `"}`
	if err != nil || string(text) != want {
		t.Errorf("compact seal = %s, %v\nwant %s", text, err, want)
	}
	d, expiresAt, ok := s.open(raw)
	if !ok || string(d) != vectorData || expiresAt.UnixMilli() != vectorExpiresAt {
		t.Errorf("compact open = %s, %v, %v", d, expiresAt, ok)
	}
	if _, _, ok := (compactSeal{newSigner("another")}).open(raw); ok {
		t.Error("a cookie sealed under another secret was accepted")
	}
}

func TestOpenCompact(t *testing.T) {
	const text = `{"session":` + vectorData + `,"expiresAt":1893456300000,"signature":"` + vectorDataTag + `"}`
	tests := []struct {
		reason, old, new string
		ok               bool
	}{
		{"as the original makes it", "", "", true},
		{"prolonged", `"expiresAt":18934563`, `"expiresAt":28934563`, false},
		{"another user", `"userId":"u1"`, `"userId":"u2"`, false},
		{"another version", `"version":"1"`, `"version":"2"`, false},
		{"another signature", `"EW1w`, `"FW1w`, false},
		{"second spelling of the signature", `hXRw"`, `hXRx"`, false},
		{"no signature", vectorDataTag, "", false},
		{"signature is no text", `"` + vectorDataTag + `"`, "null", false},
		{"no expiry", `,"expiresAt":1893456300000`, "", false},
		{"a space", `{"session":{`, `{"session": {`, false},
		{"another order", `{"session":`, `{"x":1,"session":`, false},
		{"expiry moved into the object", `"version":"1"},"expiresAt":1893456300000`, `"version":"1","expiresAt":1893456300000}`, false},
		{"session is an array", `{"session":{`, `{"session":[`, false},
	}
	s := compactSeal{newSigner(vectorSecret)}
	for _, tt := range tests {
		raw := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(text, tt.old, tt.new, 1)))
		if _, _, ok := s.open(raw); ok != tt.ok {
			t.Errorf("%s: %v, want %v", tt.reason, ok, tt.ok)
		}
	}
	for _, raw := range []string{"", "e30", "e30=", "e3\n0", "%", base64.RawURLEncoding.EncodeToString([]byte(text)) + "="} {
		if _, _, ok := s.open(raw); ok {
			t.Errorf("accepted %q", raw)
		}
	}
}

func FuzzOpenCompact(f *testing.F) {
	s := compactSeal{newSigner(vectorSecret)}
	f.Add(`{"session":` + vectorData + `,"expiresAt":1893456300000,"signature":"` + vectorDataTag + `"}`)
	f.Add(`{"session":{"a":1},"expiresAt":1,"signature":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		s.open(text)
		raw := base64.RawURLEncoding.EncodeToString([]byte(text))
		d, expiresAt, ok := s.open(raw)
		if ok && s.seal(d, expiresAt) != raw {
			t.Fatalf("accepted %q, which is not what it seals", text)
		}
	})
}

// FuzzSealedCopy opens copies that are tokens, signed or encrypted: none but what was
// sealed, and what was sealed comes back as it was, with the time that it was given.
func FuzzSealedCopy(f *testing.F) {
	until, good := time.Unix(4102444800, 0), make(map[CacheStrategy]string)
	seals := make(map[CacheStrategy]cacheSeal)
	for _, strategy := range []CacheStrategy{CacheJWT, CacheJWE} {
		seal, err := newCacheSeal(strategy, newSigner(vectorSecret), []string{vectorSecret})
		if err != nil {
			f.Fatal(err)
		}
		seals[strategy], good[strategy] = seal, seal.seal([]byte(`{"session":1}`), until)
		f.Add(good[strategy], `{"exp":1,"a":[null,"\ud800"]}`)
	}
	f.Add(encodeURL(`{"alg":"none"}`)+".e30.", `"}"`)
	f.Add(encodeURL(`{"alg":"dir","enc":"A256CBC-HS512"}`)+"....", "1e400")
	f.Fuzz(func(t *testing.T, value, member string) {
		object := []byte(`{"session":` + member + `}`)
		for strategy, seal := range seals {
			// In another process of the fuzzer the same was encrypted as another text.
			if opened, end, ok := seal.open(value); !ok && value == good[strategy] || ok && (!bytes.HasPrefix(opened, []byte(`{"session":1,`)) || !end.Equal(until)) {
				t.Fatalf("%s: %q is opened as %q until %v, %v", strategy, value, opened, end, ok)
			}
			if !json.Valid(object) || !utf8.Valid(object) {
				continue // which nobody seals
			}
			opened, end, ok := seal.open(seal.seal(object, until))
			var before, after map[string]json.RawMessage
			if !ok || !end.Equal(until) || json.Unmarshal(opened, &after) != nil || json.Unmarshal(object, &before) != nil || !bytes.Equal(before["session"], after["session"]) {
				t.Fatalf("%s: %q is opened as %q until %v, %v", strategy, object, opened, end, ok)
			}
		}
	})
}

func BenchmarkOpenCompact(b *testing.B) {
	s := compactSeal{newSigner(vectorSecret)}
	raw := s.seal([]byte(vectorData), time.UnixMilli(vectorExpiresAt))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := s.open(raw); !ok {
			b.Fatal("refused")
		}
	}
}
