package soaktest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

func getSession(p *person, r *rand.Rand) *operation { return p.readSession(p.device(r), r) }

// replay is get-session with cookies that were copied some time ago.
func replay(p *person, r *rand.Rand) *operation {
	p.steal(r)
	return p.readSession(p.thief(r), r)
}

func (p *person) readSession(j *jar, r *rand.Rand) *operation {
	path, how := "/get-session", reading{}
	switch r.IntN(4) {
	case 0:
		path, how.noCopy = path+"?disableCookieCache=true", true
	case 1:
		path, how.noRefresh = path+"?disableRefresh=true", true
	}
	return &operation{request: get(j, path), run: func(w *world, now time.Time) *want {
		v, cookie := w.read(j, now, how)
		e := ok(cookie)
		if v != nil {
			e.starting(w, v, cookie)
		}
		e.body = func(a *answer) error {
			var seen *struct {
				Session sessionJSON
				User    userJSON
			}
			switch err := a.decode(&seen); {
			case err != nil:
				return err
			case v == nil && seen != nil:
				return fmt.Errorf("want no session")
			case v == nil:
				return nil
			case seen == nil || seen.Session.Token != v.token || seen.Session.UserID != v.user.id || seen.User.ID != v.user.id:
				return fmt.Errorf("want the session %s of %s", v.token, v.user.email)
			case w.exact && !seen.Session.ExpiresAt.Equal(v.expires):
				return fmt.Errorf("want a session until %v", v.expires)
			}
			return seen.User.plain().same(&v.user)
		}
		return e
	}}
}

func listSessions(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	return &operation{request: get(j, "/list-sessions"), run: signedIn(j, reading{}, func(w *world, v *view, now time.Time) *want {
		if now.Truncate(time.Millisecond).Sub(v.created) >= freshAge {
			return refuse(403, "SESSION_NOT_FRESH")
		}
		e := ok(cookieKept)
		e.body = func(a *answer) error {
			var listed []sessionJSON
			if err := a.decode(&listed); err != nil {
				return err
			}
			return learnSessions(w.sessionsOf(v.user.id, now), listed)
		}
		return e
	})}
}

// learnSessions compares the sessions of a user with a list, and names those whose
// tokens no answer had told.
func learnSessions(alive []*session, listed []sessionJSON) error {
	left := slices.Clone(listed)
	var unknown []*session
	for _, s := range alive {
		i := slices.IndexFunc(left, func(l sessionJSON) bool { return l.Token == s.token })
		switch {
		case s.token == "":
			unknown = append(unknown, s)
		case i < 0:
			return fmt.Errorf("want the session %s in the list", s.token)
		default:
			left = slices.Delete(left, i, i+1)
		}
	}
	if len(left) != len(unknown) {
		return fmt.Errorf("want %d sessions", len(alive))
	}
	slices.SortFunc(left, func(a, b sessionJSON) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for i, s := range unknown {
		s.token = left[i].Token
	}
	return nil
}

func signUp(p *person, r *rand.Rand) *operation {
	j, email, password, name, forgotten := p.device(r), p.email(r), p.password(r), p.anyName(r), r.IntN(4) == 0
	body := map[string]any{"name": name, "email": strings.ToUpper(email[:1]) + email[1:], "password": password, "rememberMe": !forgotten}
	return &operation{request: postTo(j, "/sign-up/email", body), run: func(w *world, now time.Time) *want {
		if w.byEmail(email) != nil {
			return refuse(422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
		}
		u := &user{name: name, email: email, password: password, passwordAt: now.Truncate(time.Millisecond)}
		w.users = append(w.users, u)
		return w.starts(w.signIn(u, now, forgotten))
	}}
}

// starts foretells the answer that begins a session.
func (w *world) starts(s *session) *want {
	e := ok(cookieSet)
	e.started = s
	e.body = func(a *answer) error {
		var out struct {
			Token string
			User  userJSON
		}
		if err := a.decode(&out); err != nil {
			return err
		}
		if err := s.user.learn(out.User); err != nil {
			return err
		}
		return s.starts(a, out.Token)
	}
	return e
}

func signIn(p *person, r *rand.Rand) *operation {
	j, email, password, forgotten := p.device(r), p.known(r), p.password(r), r.IntN(4) == 0
	if u := p.worlds[0].byEmail(email); u != nil && u.password != "" && r.IntN(4) > 0 {
		password = u.password
	}
	body := map[string]any{"email": email, "password": password, "rememberMe": !forgotten}
	return &operation{request: postTo(j, "/sign-in/email", body), run: func(w *world, now time.Time) *want {
		u := w.byEmail(email)
		if u == nil || u.password != password {
			return refuse(401, "INVALID_EMAIL_OR_PASSWORD")
		}
		return w.passes(j, u, now, forgotten)
	}}
}

func signOut(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	return &operation{request: postTo(j, "/sign-out", nil), lenient: true, run: func(w *world, _ time.Time) *want {
		e := ok(cookieCleared)
		w.stage()
		failed := w.between[len(w.between)-1]
		failed.endHeld(new(want), j.held()) // although the session has not ended
		w.endToken(j.token())
		w.stage()
		w.endHeld(e, j.held())
		return e
	}}
}

func revokeSession(p *person, r *rand.Rand) *operation {
	j, token := p.device(r), p.anyToken(r)
	return &operation{request: postTo(j, "/revoke-session", map[string]any{"token": token}), run: signedIn(j, stored, func(w *world, v *view, _ time.Time) *want {
		w.end(func(s *session) bool { return s.token == token && s.user.id == v.user.id })
		if token == v.token {
			return ok(cookieCleared)
		}
		return ok(cookieKept)
	})}
}

func revokeOtherSessions(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	return &operation{request: postTo(j, "/revoke-other-sessions", nil), run: signedIn(j, stored, func(w *world, v *view, _ time.Time) *want {
		w.end(func(s *session) bool { return s.user.id == v.user.id && s.token != v.token })
		return ok(cookieKept)
	})}
}

func revokeSessions(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	return &operation{request: postTo(j, "/revoke-sessions", nil), run: signedIn(j, stored, func(w *world, v *view, _ time.Time) *want {
		w.endAll(w.byID(v.user.id))
		return ok(cookieCleared)
	})}
}
