package bench

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"github.com/seed3b05b409/auth"
)

// bareHandler is the least that reading a session takes: the MAC of the cookie, one
// look-up, the JSON.
func bareHandler(s setting) (http.Handler, error) {
	switch {
	case s.Dialect != "":
		return newBareDatabase(s)
	case s.Redis != "":
		return &bareShared{s.openRedis(), s.Prefix}, nil
	case s.CookieCache:
		return http.HandlerFunc(serveBareCopy), nil
	}
	return &bareMemory{bare{sessions: make(map[string]sessionRow)}}, nil
}

func newBareDatabase(s setting) (http.Handler, error) {
	db, err := s.openDatabase()
	if err != nil {
		return nil, err
	}
	h := &bareSQL{db: db, dialect: s.Dialect}
	h.session, err = db.Prepare(h.query(bareQuery))
	return h, err
}

// bareMemory is bare, where people can also sign up.
type bareMemory struct{ bare }

func (h *bareMemory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		h.bare.ServeHTTP(w, r)
		return
	}
	row, err := newRow(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	h.sessions[row.session.Token] = row
	h.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: sign(row.session.Token), Path: "/"})
}

// newRow returns a new session of whom a request to sign up names.
func newRow(r *http.Request) (row sessionRow, err error) {
	var in struct{ Name, Email, Image string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return row, err
	}
	now, address, agent := time.Now().UTC().Truncate(time.Millisecond), "127.0.0.1", ""
	row.user = auth.User{ID: rand.Text(), Name: in.Name, Email: in.Email, Image: &in.Image, CreatedAt: now, UpdatedAt: now}
	row.session = auth.Session{
		ID: rand.Text(), Token: rand.Text(), UserID: row.user.ID, IPAddress: &address, UserAgent: &agent,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(7 * 24 * time.Hour),
	}
	return row, nil
}

func serveBareCopy(w http.ResponseWriter, r *http.Request) {
	data := bareCopy(r)
	if data == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s, u := data.Session, data.User
	answer(w, &sessionJSON{
		Session: sessionColumns{s.ExpiresAt, s.Token, s.CreatedAt, s.UpdatedAt, s.IPAddress, s.UserAgent, s.UserID, s.ID},
		User:    userColumns{u.Name, u.Email, u.EmailVerified, u.Image, u.CreatedAt, u.UpdatedAt, u.ID},
	})
}
