package bench

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/redisstorage"
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

func newConfig(store auth.Store, passwords auth.Passwords, session auth.SessionOptions) auth.Config {
	return auth.Config{
		BaseURL:       origin,
		Secret:        secret,
		Store:         store,
		EmailPassword: auth.EmailPassword{Enabled: true},
		Passwords:     passwords,
		Session:       session,
		RateLimit:     auth.RateLimit{Disabled: true},
		Logger:        slog.New(slog.DiscardHandler), // records would stand between the results
	}
}

// newAuth returns an instance whose tables exist.
func newAuth(b *testing.B, store auth.Store, passwords auth.Passwords, session auth.SessionOptions) *auth.Auth {
	b.Helper()
	a, err := auth.New(newConfig(store, passwords, session))
	if err != nil {
		b.Fatal(err)
	}
	if _, ok := store.(auth.SchemaStore); ok {
		if err := a.Migrate(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return a
}

// signUp returns the request headers of somebody who is signed in, with the cookies
// that a browser then has.
func signUp(b *testing.B, a *auth.Auth) http.Header {
	b.Helper()
	var sent http.Header
	_, err := a.API.SignUpEmail.Call(b.Context(), auth.SignUpEmailRequest{
		Name: "Ada Lovelace", Email: "ada@example.com", Password: "correct horse battery",
	}, auth.ReturnHeaders(&sent))
	if err != nil {
		b.Fatal(err)
	}
	var pairs []string
	for _, line := range sent.Values("Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		if err != nil {
			b.Fatal(err)
		}
		if cookie.MaxAge >= 0 {
			pairs = append(pairs, cookie.Name+"="+cookie.Value)
		}
	}
	return http.Header{"Cookie": {strings.Join(pairs, "; ")}}
}

// A peer serves get-session to somebody who is signed in with it.
type peer struct {
	name    string
	handler http.Handler
	headers http.Header
}

// BenchmarkGetSession is the request that every page makes, one at a time and
// several at once. The bare handler does the least that it takes: the MAC of the
// cookie, the same look-ups and the JSON. The budget: 0.75 times its requests per
// second in memory, 0.8 times in a database.
func BenchmarkGetSession(b *testing.B) {
	onEach(b, func(b *testing.B, on backend) {
		store, db := on.store(b)
		a := newAuth(b, store, auth.Passwords{Hasher: plain{}}, auth.SessionOptions{})
		headers := signUp(b, a)
		var bare http.Handler
		if db == nil {
			bare = newBare(b, a, headers)
		} else {
			bare = newBareSQL(b, db, on.server.Dialect)
		}
		measurePeers(b, []peer{
			{"bare", bare, headers}, {"auth", a, headers},
			newSCS(b, db, on.server.Dialect, readSession(b, a, headers)),
		})
	})
	b.Run("Redis", func(b *testing.B) {
		client, prefix := connectRedis(b)
		config := newConfig(auth.NewMemoryStore(), auth.Passwords{Hasher: plain{}}, auth.SessionOptions{})
		config.SecondaryStorage = redisstorage.New(client, redisstorage.Options{Prefix: prefix})
		a, err := auth.New(config)
		if err != nil {
			b.Fatal(err)
		}
		headers := signUp(b, a)
		measurePeers(b, []peer{{"bare", &bareShared{client, prefix}, headers}, {"auth", a, headers}})
	})
	b.Run("cookie cache", func(b *testing.B) {
		a, headers := signUpCached(b, auth.CacheCompact)
		measurePeers(b, []peer{{"bare", http.HandlerFunc(answerCopy), headers}, {"auth", a, headers}})
	})
}

// measurePeers measures all, who have to return the same session.
func measurePeers(b *testing.B, peers []peer) {
	compare(b, peers)
	for _, p := range peers {
		b.Run(p.name, func(b *testing.B) { measureGet(b, p.handler, p.headers) })
	}
	for _, p := range peers {
		b.Run(p.name+" at once", func(b *testing.B) { measureGetAtOnce(b, p.handler, p.headers) })
	}
}

func measureGet(b *testing.B, h http.Handler, headers http.Header) {
	measure(b, h, getSession(headers), nil)
}

func measureGetAtOnce(b *testing.B, h http.Handler, headers http.Header) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r, w := getSession(headers), newDiscard()
		for pb.Next() {
			w.reset()
			h.ServeHTTP(w, r)
			if w.status != http.StatusOK || w.size == 0 {
				b.Errorf("status %d with %d bytes", w.status, w.size)
				return
			}
		}
	})
}

func getSession(headers http.Header) *http.Request {
	r := httptest.NewRequest("GET", "/api/auth/get-session", nil)
	r.Header = headers
	return r
}

// compare ends the benchmark if two peers do not return the same session.
func compare(b *testing.B, peers []peer) {
	b.Helper()
	var first sessionJSON
	for i, p := range peers {
		w := httptest.NewRecorder()
		p.handler.ServeHTTP(w, getSession(p.headers))
		var answer sessionJSON
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.User.ID == "" {
			b.Fatalf("%s: status %d: %s (%v)", p.name, w.Code, w.Body, err)
		}
		if i == 0 {
			first = answer
		}
		if !reflect.DeepEqual(answer, first) {
			b.Fatalf("%s: %+v is not %+v", p.name, answer, first)
		}
	}
}

// BenchmarkGetSessionCall is the same from Go code. The budget: twice the time
// of the bare work. Auth.Session, which reads only, stands beside it.
func BenchmarkGetSessionCall(b *testing.B) {
	a := newAuth(b, auth.NewMemoryStore(), auth.Passwords{Hasher: plain{}}, auth.SessionOptions{})
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
	data := readSession(b, a, headers)
	return &bare{sessions: map[string]sessionRow{data.Session.Token: {*data.Session, *data.User}}}
}

// readSession returns the session that the headers have.
func readSession(b *testing.B, a *auth.Auth, headers http.Header) *auth.SessionData {
	b.Helper()
	data, err := a.API.GetSession.Call(b.Context(), auth.GetSessionRequest{}, auth.WithHeaders(headers))
	if err != nil || data == nil {
		b.Fatal(data, err)
	}
	return data
}

// read returns a copy that belongs to the caller.
func (s *bare) read(r *http.Request) *auth.SessionData {
	token := signedToken(r)
	if token == "" {
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

// signedToken returns the token of the request's cookie if it is signed.
func signedToken(r *http.Request) string {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	value, err := url.QueryUnescape(cookie.Value)
	if err != nil {
		return ""
	}
	token, signature, _ := strings.Cut(value, ".")
	if !signed(token, signature) {
		return ""
	}
	return token
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
	answer(w, plainJSON(data))
}

func answer(w http.ResponseWriter, content any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_ = json.NewEncoder(w).Encode(content)
}

// plainJSON has the members of the answer in structs that encoding/json knows
// how to write, without methods of ours.
func plainJSON(data *auth.SessionData) *sessionJSON {
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
