package soaktest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The lifetimes that the server has by default.
const (
	sessionLifetime   = 7 * 24 * time.Hour
	forgottenLifetime = 24 * time.Hour
	updateAge         = 24 * time.Hour
	freshAge          = 24 * time.Hour
	linkLifetime      = time.Hour // of what mails bring
)

// A world is what the server should have stored of the users of one person, and
// nobody else touches these. What only an answer could have told is empty.
type world struct {
	users    []*user
	sessions []*session
	tokens   map[string]*token // of mails that can be spent once
	codes    map[string]*code  // by address
	exact    bool              // times are known to the millisecond
}

type user struct {
	id, name, email string
	username        string // empty: none
	password        string // empty: none
	verified        bool
}

type session struct {
	token            string
	user             *user
	created, expires time.Time
}

// A token is one of a mail.
type token struct {
	kind    string
	userID  string // of a reset
	email   string // of a link
	session string // that goes to another browser
	expires time.Time
}

func newWorld() *world { return &world{tokens: make(map[string]*token), codes: make(map[string]*code)} }

func (w *world) clone() *world {
	c := newWorld()
	c.exact = w.exact
	same := make(map[*user]*user)
	for _, u := range w.users {
		copied := *u
		same[u] = &copied
		c.users = append(c.users, &copied)
	}
	for _, s := range w.sessions {
		copied := *s
		copied.user = same[s.user]
		c.sessions = append(c.sessions, &copied)
	}
	for text, t := range w.tokens {
		copied := *t
		c.tokens[text] = &copied
	}
	for email, last := range w.codes {
		copied := *last
		c.codes[email] = &copied
	}
	return c
}

// String tells two worlds apart.
func (w *world) String() string {
	var lines []string
	for _, u := range w.users {
		lines = append(lines, fmt.Sprintf("user %+v", *u))
	}
	for _, s := range w.sessions {
		lines = append(lines, fmt.Sprintf("session %q of %s, %d until %d", s.token, s.user.email, s.created.UnixMilli(), s.expires.UnixMilli()))
	}
	for text, t := range w.tokens {
		lines = append(lines, fmt.Sprintf("token %q %s %s%s%s until %d", text, t.kind, t.userID, t.email, t.session, t.expires.UnixMilli()))
	}
	for email, c := range w.codes {
		lines = append(lines, fmt.Sprintf("code %q for %s, %d wrong ones until %d", c.digits, email, c.wrong, c.expires.UnixMilli()))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (w *world) byEmail(email string) *user {
	return w.first(func(u *user) bool { return u.email == email })
}

func (w *world) byID(id string) *user {
	return w.first(func(u *user) bool { return u.id == id })
}

func (w *world) first(is func(*user) bool) *user {
	if i := slices.IndexFunc(w.users, is); i >= 0 {
		return w.users[i]
	}
	return nil
}

func (w *world) session(token string) *session {
	if i := slices.IndexFunc(w.sessions, func(s *session) bool { return token != "" && s.token == token }); i >= 0 {
		return w.sessions[i]
	}
	return nil
}

// sessionsOf returns those of a user that are listed: at the very end of its time a
// session is still good, but is not.
func (w *world) sessionsOf(id string, now time.Time) (alive []*session) {
	for _, s := range w.sessions {
		if s.user.id == id && s.expires.After(now.Truncate(time.Millisecond)) {
			alive = append(alive, s)
		}
	}
	return alive
}

func (w *world) signIn(u *user, now time.Time, forgotten bool) *session {
	lifetime := sessionLifetime
	if forgotten {
		lifetime = forgottenLifetime
	}
	now = now.Truncate(time.Millisecond)
	s := &session{user: u, created: now, expires: now.Add(lifetime)}
	w.sessions = append(w.sessions, s)
	return s
}

// end ends the sessions that are meant.
func (w *world) end(meant func(*session) bool) { w.sessions = slices.DeleteFunc(w.sessions, meant) }

func (w *world) endToken(token string) {
	w.end(func(s *session) bool { return token != "" && s.token == token })
}

func (w *world) endAll(u *user) { w.end(func(s *session) bool { return s.user == u }) }

func (w *world) delete(u *user) {
	w.endAll(u)
	w.users = slices.DeleteFunc(w.users, func(other *user) bool { return other == u })
}

// A view is what a request sees of its session: the stored one, or a copy in a cookie.
type view struct {
	token            string
	created, expires time.Time
	user             user // as the copy has it, or as it is
}

// A cookieChange is what becomes of the session's cookie.
type cookieChange int

const (
	cookieKept cookieChange = iota
	cookieSet
	cookieCleared
)

// then is what becomes of it in the end.
func (c cookieChange) then(later cookieChange) cookieChange { return cmp.Or(later, c) }

// How a session is read.
type reading struct{ noCopy, noRefresh bool }

// read finds the session of cookies as every endpoint does: it may prolong one or
// remove an expired one.
func (w *world) read(j *jar, now time.Time, how reading) (*view, cookieChange) {
	if j.token() == "" {
		return nil, cookieKept
	}
	if c := j.copy(); c != nil && !how.noCopy && c.good(j.token(), now) {
		return &view{c.token, c.created, c.expires, c.user}, cookieKept
	}
	s := w.session(j.token())
	if s == nil || s.expires.Before(now.Truncate(time.Millisecond)) {
		w.endToken(j.token())
		return nil, cookieCleared
	}
	v, change := &view{s.token, s.created, s.expires, *s.user}, cookieKept
	if due := s.expires.Add(updateAge - sessionLifetime); !due.After(now) && !how.noRefresh && !j.forgets() {
		s.expires, change = now.Truncate(time.Millisecond).Add(sessionLifetime), cookieSet
		v.expires = s.expires
	}
	return v, change
}
