package soaktest

import (
	"cmp"
	"fmt"
	"maps"
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

	apps        map[*user]*app
	challenges  map[string]*challenge // by token
	trusted     map[string]*trust     // by the name of a device
	factorCodes map[string]*code      // by who was sent it
	once        bool                  // a code of an app is good once

	between []*world // what a request may have left that was interrupted
}

type user struct {
	id, name, email string
	username        string // empty: none
	password        string // empty: none
	verified        bool
	factor          bool      // a second one is wanted
	passwordAt      time.Time // of the last change
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

func newWorld() *world {
	return &world{
		tokens: make(map[string]*token), codes: make(map[string]*code), apps: make(map[*user]*app),
		challenges: make(map[string]*challenge), trusted: make(map[string]*trust), factorCodes: make(map[string]*code),
	}
}

func (w *world) clone() *world {
	c := newWorld()
	c.exact, c.once = w.exact, w.once
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
	w.cloneFactors(c, same)
	return c
}

func (w *world) cloneFactors(c *world, same map[*user]*user) {
	for u, own := range w.apps {
		copied := *own
		c.apps[same[u]] = &copied
	}
	for text, challenged := range w.challenges {
		copied := *challenged
		copied.user = same[challenged.user] // nil: deleted
		c.challenges[text] = &copied
	}
	for id, t := range w.trusted {
		copied := *t
		copied.user = same[t.user]
		c.trusted[id] = &copied
	}
	for key, last := range w.factorCodes {
		copied := *last
		c.factorCodes[key] = &copied
	}
}

// stage notes what is stored by now: the rest of the request may not be done.
func (w *world) stage() { w.between = append(w.between, w.clone()) }

// restore makes a world what it was.
func (w *world) restore(before *world) { *w = *before }

// renewTrust gives the device that let somebody in another name.
func (w *world) renewTrust(e *want, now time.Time) {
	w.stage()
	delete(w.trusted, e.renews)
	e.changes(deviceCookie, cookieSet)
	e.device = &trust{user: e.started.user, expires: now.Truncate(time.Millisecond).Add(trustTime)}
}

// forgetUnheld leaves out challenges and devices whose cookies nobody has.
func (w *world) forgetUnheld(jars []*jar) {
	challenges, devices := make(map[string]bool), make(map[string]bool)
	for _, j := range jars {
		challenges[j.challenge()], devices[j.deviceID()] = true, true
	}
	maps.DeleteFunc(w.challenges, func(token string, _ *challenge) bool { return !challenges[token] })
	maps.DeleteFunc(w.trusted, func(id string, _ *trust) bool { return !devices[id] })
	maps.DeleteFunc(w.factorCodes, func(key string, _ *code) bool {
		kind, token, _ := strings.Cut(key, " ")
		return kind == "session" && w.session(token) == nil || kind == "challenge" && w.challenges[token] == nil
	})
}

// String tells two worlds apart.
func (w *world) String() string {
	var lines []string
	for _, u := range w.users {
		lines = append(lines, fmt.Sprintf("user %+v", *u))
	}
	for _, s := range w.sessions {
		if s.token == "" && !w.exact { // one that nobody was told of is like another
			lines = append(lines, fmt.Sprintf("session of %s for %v", s.user.email, s.expires.Sub(s.created)))
			continue
		}
		lines = append(lines, fmt.Sprintf("session %q of %s, %d until %d", s.token, s.user.email, s.created.UnixMilli(), s.expires.UnixMilli()))
	}
	for text, t := range w.tokens {
		lines = append(lines, fmt.Sprintf("token %q %s %s%s%s until %d", text, t.kind, t.userID, t.email, t.session, t.expires.UnixMilli()))
	}
	for email, c := range w.codes {
		lines = append(lines, fmt.Sprintf("code %q for %s, %d wrong ones until %d", c.digits, email, c.wrong, c.expires.UnixMilli()))
	}
	for u, own := range w.apps {
		lines = append(lines, fmt.Sprintf("of %s: %v", u.email, own))
	}
	for text, c := range w.challenges {
		lines = append(lines, fmt.Sprintf("challenge %q of %s, %d until %d, %d wrong %v", text, emailOf(c.user), c.created.UnixMilli(), c.expires.UnixMilli(), c.spent, c.bound))
	}
	for id, t := range w.trusted {
		lines = append(lines, fmt.Sprintf("device %q of %s until %d", id, emailOf(t.user), t.expires.UnixMilli()))
	}
	for key, c := range w.factorCodes {
		lines = append(lines, fmt.Sprintf("factor %q for %s, %d wrong ones until %d", c.digits, key, c.wrong, c.expires.UnixMilli()))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func emailOf(u *user) string {
	if u == nil {
		return "nobody"
	}
	return u.email
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
	delete(w.apps, u)
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
