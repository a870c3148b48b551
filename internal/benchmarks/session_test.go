package benchmarks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

const (
	origin     = "http://localhost"
	secret     = "a secret for tests, 32 bytes long"
	cookieName = "better-auth.session_token"
)

// plain stores passwords as they are: these benchmarks are not about hashing.
type plain struct{}

func (plain) Hash(_ context.Context, password string) (string, error) { return password, nil }

func (plain) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == password, nil
}

func newAuth(b *testing.B, passwords auth.Passwords) *auth.Auth {
	b.Helper()
	a, err := auth.New(auth.Config{
		BaseURL:       origin,
		Secret:        secret,
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Passwords:     passwords,
		RateLimit:     auth.RateLimit{Disabled: true},
	})
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// signUp returns the request headers of somebody who is signed in.
func signUp(b *testing.B, a *auth.Auth) http.Header {
	b.Helper()
	var sent http.Header
	_, err := a.API.SignUpEmail.Call(b.Context(), auth.SignUpEmailRequest{
		Name: "Ada Lovelace", Email: "ada@example.com", Password: "correct horse battery",
	}, auth.ReturnHeaders(&sent))
	if err != nil {
		b.Fatal(err)
	}
	cookie, err := http.ParseSetCookie(sent.Get("Set-Cookie"))
	if err != nil {
		b.Fatal(err)
	}
	return http.Header{"Cookie": {cookieName + "=" + cookie.Value}}
}

// BenchmarkGetSession is the request that every page makes. The budget: 0.75
// times the requests per second of the bare handler.
func BenchmarkGetSession(b *testing.B) {
	a := newAuth(b, auth.Passwords{Hasher: plain{}})
	headers := signUp(b, a)
	for _, contestant := range []struct {
		name    string
		handler http.Handler
	}{
		{"bare", newBare(b, a, headers)},
		{"auth", a},
	} {
		b.Run(contestant.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/api/auth/get-session", nil)
			r.Header = headers
			measure(b, contestant.handler, r, nil)
		})
	}
}

// BenchmarkGetSessionCall is the same from Go code. The budget: twice the time
// of the bare work. Auth.Session, which reads only, stands beside it.
func BenchmarkGetSessionCall(b *testing.B) {
	a := newAuth(b, auth.Passwords{Hasher: plain{}})
	headers := signUp(b, a)
	bare := newBare(b, a, headers)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = headers
	for _, contestant := range []struct {
		name string
		read func() (*auth.SessionData, error)
	}{
		{"bare", func() (*auth.SessionData, error) { return bare.read(r), nil }},
		{"GetSession.Call", func() (*auth.SessionData, error) {
			return a.API.GetSession.Call(r.Context(), auth.GetSessionRequest{}, auth.WithHeaders(headers))
		}},
		{"Auth.Session", func() (*auth.SessionData, error) { return a.Session(r) }},
	} {
		b.Run(contestant.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if data, err := contestant.read(); err != nil || data == nil {
					b.Fatal(data, err)
				}
			}
		})
	}
}

// bare is the least that a session costs: the cookie's MAC, a map, a copy.
type bare struct {
	mu       sync.RWMutex
	sessions map[string]sessionRow
}

type sessionRow struct {
	session auth.Session
	user    auth.User
}

func newBare(b *testing.B, a *auth.Auth, headers http.Header) *bare {
	b.Helper()
	data, err := a.API.GetSession.Call(b.Context(), auth.GetSessionRequest{}, auth.WithHeaders(headers))
	if err != nil || data == nil {
		b.Fatal(data, err)
	}
	return &bare{sessions: map[string]sessionRow{data.Session.Token: {*data.Session, *data.User}}}
}

// read returns a copy that belongs to the caller.
func (s *bare) read(r *http.Request) *auth.SessionData {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	value, err := url.QueryUnescape(cookie.Value)
	if err != nil {
		return nil
	}
	token, signature, _ := strings.Cut(value, ".")
	if !signed(token, signature) {
		return nil
	}
	s.mu.RLock()
	row, ok := s.sessions[token]
	s.mu.RUnlock()
	if !ok {
		return nil
	}
	return &auth.SessionData{Session: &row.session, User: &row.user}
}

func signed(token, signature string) bool {
	want, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return hmac.Equal(mac.Sum(nil), want)
}

func (s *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data := s.read(r)
	if data == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_ = json.NewEncoder(w).Encode(plainJSON(data))
}

// plainJSON has the members of the answer in structs that encoding/json knows
// how to write, without methods of ours.
func plainJSON(data *auth.SessionData) any {
	s, u := data.Session, data.User
	return &sessionJSON{
		Session: sessionColumns{s.ExpiresAt, s.Token, s.CreatedAt, s.UpdatedAt, s.IPAddress, s.UserAgent, s.UserID, s.ID},
		User:    userColumns{u.Name, u.Email, u.EmailVerified, u.Image, u.CreatedAt, u.UpdatedAt, u.ID},
	}
}

type sessionJSON struct {
	Session sessionColumns `json:"session"`
	User    userColumns    `json:"user"`
}

type sessionColumns struct {
	ExpiresAt time.Time `json:"expiresAt"`
	Token     string    `json:"token"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	IPAddress *string   `json:"ipAddress"`
	UserAgent *string   `json:"userAgent"`
	UserID    string    `json:"userId"`
	ID        string    `json:"id"`
}

type userColumns struct {
	Name          string    `json:"name"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"emailVerified"`
	Image         *string   `json:"image"`
	CreatedAt     time.Time `json:"createdAt"`
	UpdatedAt     time.Time `json:"updatedAt"`
	ID            string    `json:"id"`
}
