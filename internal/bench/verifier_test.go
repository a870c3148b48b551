package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

const copyName = "better-auth.session_data"

// BenchmarkVerifier reads a session from its copy. Beside it stands the least that
// a hand-written reader of the compact form does: both MACs and decoding once with
// encoding/json. x-bare is the time in that of the bare reader. The budget: 1.5, and 3
// for the other forms, which have more to undo.
func BenchmarkVerifier(b *testing.B) {
	var bareTime float64
	b.Run("bare", func(b *testing.B) {
		r := withCopy(b, auth.CacheCompact)
		if data := bareCopy(r); data == nil || data.User.Name == "" || data.User.ID != data.Session.UserID {
			b.Fatal(data)
		}
		b.ReportAllocs()
		for b.Loop() {
			if bareCopy(r) == nil {
				b.Fatal("refused")
			}
		}
		bareTime = float64(b.Elapsed()) / float64(b.N)
	})
	for _, strategy := range []auth.CacheStrategy{auth.CacheCompact, auth.CacheJWT, auth.CacheJWE} {
		b.Run(string(strategy), func(b *testing.B) {
			v, err := auth.NewVerifier(auth.VerifierConfig{Secret: secret})
			if err != nil {
				b.Fatal(err)
			}
			r := withCopy(b, strategy)
			b.ReportAllocs()
			for b.Loop() {
				if data, err := v.Session(r); err != nil || data == nil {
					b.Fatal(data, err)
				}
			}
			if bareTime > 0 {
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/bareTime, "x-bare")
			}
		})
	}
}

// withCopy is the request of somebody who is signed in and has a copy.
func withCopy(b *testing.B, strategy auth.CacheStrategy) *http.Request {
	b.Helper()
	cache := auth.CookieCache{Enabled: true, Strategy: strategy, MaxAge: 24 * time.Hour}
	a := newAuth(b, auth.NewMemoryStore(), auth.Passwords{Hasher: plain{}}, auth.SessionOptions{CookieCache: cache})
	var sent http.Header
	_, err := a.API.SignUpEmail.Call(b.Context(), auth.SignUpEmailRequest{
		Name: "Ada Lovelace", Email: "ada@example.com", Password: "correct horse battery",
	}, auth.ReturnHeaders(&sent))
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	for _, line := range sent.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			b.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

// copyJSON is what a compact copy holds.
type copyJSON struct {
	Session   json.RawMessage `json:"session"`
	ExpiresAt int64           `json:"expiresAt"`
	Signature string          `json:"signature"`
}

type copiedJSON struct {
	Session struct {
		ID, Token, UserID    string
		IPAddress, UserAgent *string
		ExpiresAt            time.Time
		CreatedAt, UpdatedAt time.Time
	}
	User struct {
		ID, Name, Email      string
		EmailVerified        bool
		Image                *string
		CreatedAt, UpdatedAt time.Time
	}
	Version string
}

// bareCopy returns the session in a compact copy.
func bareCopy(r *http.Request) *copiedJSON {
	token := signedToken(r)
	cookie, err := r.Cookie(copyName)
	if token == "" || err != nil {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	var sent copyJSON
	if err != nil || json.Unmarshal(text, &sent) != nil || time.UnixMilli(sent.ExpiresAt).Before(time.Now()) {
		return nil
	}
	end := bytes.LastIndex(text, []byte(`,"signature":`))
	begin := strings.LastIndex(string(text[:end]), `,"expiresAt":`)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(bytes.TrimSuffix(sent.Session, []byte("}")))
	mac.Write(text[begin:end])
	mac.Write([]byte("}"))
	if !hmac.Equal([]byte(base64.RawURLEncoding.EncodeToString(mac.Sum(nil))), []byte(sent.Signature)) {
		return nil
	}
	var data copiedJSON
	if json.Unmarshal(sent.Session, &data) != nil || data.Session.Token != token || data.Version != "1" || data.Session.ExpiresAt.Before(time.Now()) {
		return nil
	}
	return &data
}
