package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed3b05b409/auth"
	"golang.org/x/crypto/scrypt"
)

// BenchmarkSignUp stores a user, an account and a session. Passwords are stored
// as they are, so that the store is what takes the time; beside them stands the
// hash that people wait for. The bare handler inserts three rows in one
// transaction and leaves it to the database to refuse an address that is taken.
func BenchmarkSignUp(b *testing.B) {
	onEach(b, func(b *testing.B, on backend) {
		store, db := on.store(b)
		a := newAuth(b, store, auth.Passwords{Hasher: plain{}}, auth.SessionOptions{})
		if db != nil {
			bare := newBareSQL(b, db, on.server.Dialect)
			b.Run("bare", func(b *testing.B) { measureSignUp(b, bare) })
			b.Run("bare at once", func(b *testing.B) { measureSignUpAtOnce(b, bare) })
		}
		b.Run("auth", func(b *testing.B) { measureSignUp(b, a) })
		b.Run("auth at once", func(b *testing.B) { measureSignUpAtOnce(b, a) })
	})
	b.Run("scrypt", func(b *testing.B) {
		store, db := backends[1].store(b)
		a := newAuth(b, store, auth.Passwords{}, auth.SessionOptions{})
		bare := newBareSQL(b, db, auth.SQLite)
		bare.hash = hashScrypt
		b.Run("bare", func(b *testing.B) { measureSignUp(b, bare) })
		b.Run("auth", func(b *testing.B) { measureSignUp(b, a) })
	})
}

// hashScrypt has the form and the cost of the original's hash.
func hashScrypt(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	key, err := scrypt.Key([]byte(password), []byte(hex.EncodeToString(salt)), 16384, 16, 1, 64)
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(salt) + ":" + hex.EncodeToString(key)
}

func measureSignUp(b *testing.B, h http.Handler) {
	b.ReportAllocs()
	person := newPerson(b.Context())
	for b.Loop() && !b.Failed() {
		person.signUp(b, h)
	}
}

func measureSignUpAtOnce(b *testing.B, h http.Handler) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		person := newPerson(b.Context())
		for pb.Next() && !b.Failed() {
			person.signUp(b, h)
		}
	})
}

// A person signs up again and again, with another address each time.
type person struct {
	r     *http.Request
	w     *discard
	sent  body
	text  []byte
	name  string
	count int
}

func newPerson(ctx context.Context) *person {
	r := httptest.NewRequestWithContext(ctx, "POST", "/api/auth/sign-up/email", nil)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", origin)
	return &person{r: r, w: newDiscard(), name: rand.Text()}
}

func (p *person) signUp(b *testing.B, h http.Handler) {
	p.count++
	p.text = fmt.Appendf(p.text[:0], `{"name":"Ada Lovelace","email":"%s-%d@example.com","password":"correct horse battery"}`, p.name, p.count)
	p.sent.Reset(p.text)
	p.r.Body, p.r.ContentLength = &p.sent, int64(len(p.text))
	p.w.reset()
	h.ServeHTTP(p.w, p.r)
	if p.w.status != http.StatusOK || len(p.w.header["Set-Cookie"]) == 0 {
		b.Errorf("status %d with %d bytes", p.w.status, p.w.size)
	}
}
