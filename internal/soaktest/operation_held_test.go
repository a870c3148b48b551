package soaktest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// maximumHeld is how many sessions a browser holds. A person has three users.
const maximumHeld = 2

// live returns the session with a token if it goes on, nil otherwise.
func (w *world) live(token string, now time.Time) *session {
	if s := w.session(token); s != nil && s.expires.After(now.Truncate(time.Millisecond)) {
		return s
	}
	return nil
}

// remember does to the sessions that a browser holds what follows when an answer sends
// it one: those of the same user and those that are over go. It may be that this has
// not been done, while the rest has.
func (w *world) remember(j *jar, e *want, now time.Time) {
	token, u := e.started.token, e.started.user
	if token != "" && (*j)[heldCookie(token)] != "" {
		return
	}
	var ended []string
	for _, other := range j.held() {
		if s := w.live(other, now); s == nil || s.user == u {
			ended = append(ended, other)
		}
	}
	w.stage()
	w.endHeld(e, ended)
	e.holds = len(j.held())-len(ended) < maximumHeld
}

// endHeld ends sessions and makes the browser forget them.
func (w *world) endHeld(e *want, tokens []string) {
	for _, token := range tokens {
		w.endToken(token)
		e.changes(heldCookie(token), cookieCleared)
	}
}

func listHeld(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	return &operation{request: get(j, "/multi-session/list-device-sessions"), run: func(w *world, now time.Time) *want {
		var alive []*session
		for _, token := range j.held() {
			if s := w.live(token, now); s != nil && !slices.ContainsFunc(alive, func(other *session) bool { return other.user == s.user }) {
				alive = append(alive, s)
			}
		}
		e := ok(cookieKept)
		e.body = func(a *answer) error {
			var listed []struct {
				Session sessionJSON
				User    userJSON
			}
			if err := a.decode(&listed); err != nil {
				return err
			}
			if len(listed) != len(alive) {
				return fmt.Errorf("want %d sessions", len(alive))
			}
			for i, s := range alive {
				if listed[i].Session.Token != s.token {
					return fmt.Errorf("want the session %s", s.token)
				}
				if err := s.user.learn(listed[i].User); err != nil {
					return err
				}
			}
			return nil
		}
		return e
	}}
}

// heldToken returns the token of a session that a browser holds, or another one.
func (p *person) heldToken(j *jar, r *rand.Rand) string {
	token, n := p.anyToken(r), r.IntN(1<<20)
	if held := j.held(); n%4 > 0 && len(held) > 0 {
		token = held[n/4%len(held)]
	}
	if n%3 == 0 {
		token = strings.ToUpper(token)
	}
	return token
}

// switchTo makes a session that the browser holds the active one.
func switchTo(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	called := p.heldToken(j, r)
	return &operation{request: postTo(j, "/multi-session/set-active", map[string]any{"sessionToken": called}), run: func(w *world, now time.Time) *want {
		token := tokenOf((*j)[heldCookie(called)])
		if token == "" {
			return refuse(401, "INVALID_SESSION_TOKEN")
		}
		s := w.live(token, now)
		if s == nil {
			e := refuse(401, "INVALID_SESSION_TOKEN")
			e.changes(heldCookie(token), cookieCleared)
			return e
		}
		e := ok(cookieSet)
		e.started, e.body = s, s.handedOn
		return e
	}}
}

// endOne ends a session that the browser holds.
func endOne(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	called := p.heldToken(j, r)
	return &operation{request: postTo(j, "/multi-session/revoke", map[string]any{"sessionToken": called}), run: signedIn(j, reading{}, func(w *world, v *view, now time.Time) *want {
		token := tokenOf((*j)[heldCookie(called)])
		if token == "" {
			return refuse(401, "INVALID_SESSION_TOKEN")
		}
		w.endToken(token)
		e := ok(cookieKept)
		e.changes(heldCookie(token), cookieCleared)
		if v.token != token {
			return e
		}
		e.cookie = cookieCleared
		for _, next := range j.held() {
			if s := w.live(next, now); s != nil {
				e.cookie, e.started = cookieSet, s
				e.body = func(a *answer) error { return s.starts(a, s.token) }
				break
			}
		}
		return e
	})}
}
