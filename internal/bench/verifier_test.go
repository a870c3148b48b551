package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
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

// signUpCached returns an instance with a cookie cache, and the headers of somebody
// who has a copy.
func signUpCached(b *testing.B, strategy auth.CacheStrategy) (*auth.Auth, http.Header) {
	b.Helper()
	cache := auth.CookieCache{Enabled: true, Strategy: strategy, MaxAge: 24 * time.Hour}
	a := newAuth(b, auth.NewMemoryStore(), auth.Passwords{Hasher: plain{}}, auth.SessionOptions{CookieCache: cache})
	return a, signUp(b, a)
}

// withCopy is the request of somebody who is signed in and has a copy.
func withCopy(b *testing.B, strategy auth.CacheStrategy) *http.Request {
	b.Helper()
	_, headers := signUpCached(b, strategy)
	return getSession(headers)
}

// copyJSON is what a compact copy holds.
type copyJSON struct {
	Session   json.RawMessage `json:"session"`
	ExpiresAt int64           `json:"expiresAt"`
	Signature string          `json:"signature"`
}

type copiedJSON struct {
	sessionJSON
	Version string `json:"version"`
}

// answerCopy is get-session by hand from a copy alone.
func answerCopy(w http.ResponseWriter, r *http.Request) {
	data := bareCopy(r)
	if data == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	answer(w, &data.sessionJSON)
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
