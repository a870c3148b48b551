package soaktest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A want is the answer that a world foretells.
type want struct {
	status int
	code   string
	cookie cookieChange

	started *session                // that goes to the browser; nil: none, or one that has ended
	others  map[string]cookieChange // of plugins, by name
	holds   bool                    // the browser holds the session from now on
	renews  string                  // the device whose name is renewed; empty: none
	device  *trust                  // what is stored of the device that the browser becomes; nil: it does not
	undone  bool                    // nothing of it is stored

	otherwise string                // another code that may be; empty: none
	mail      *mail                 // that goes out, without what cannot be foretold; nil: none
	about     *user                 // of that mail; may be nil
	body      func(a *answer) error // judges the rest and learns from it; may be nil
	mailed    func(m mail)          // learns from the mail; may be nil
}

func refuse(status int, code string) *want { return &want{status: status, code: code} }

// ok is an answer of success.
func ok(cookie cookieChange) *want { return &want{status: 200, cookie: cookie} }

// mails adds a mail about a user, who may be nil.
func (e *want) mails(kind, to string, about *user) *want {
	e.mail, e.about = &mail{Kind: kind, To: to}, about
	return e
}

// changes adds what becomes of a cookie of a plugin.
func (e *want) changes(name string, change cookieChange) {
	if e.others == nil {
		e.others = make(map[string]cookieChange)
	}
	e.others[name] = change
}

// starting notes the session that goes to the browser because it was prolonged, unless
// another one goes there.
func (e *want) starting(w *world, v *view, read cookieChange) {
	if e.started == nil && read.then(e.cookie) == cookieSet {
		e.started = &session{token: v.token, user: w.byID(v.user.id)}
	}
}

// judge compares an answer and the mails that came with it with what was foretold.
// The world is that after the answer, and learns from it.
func (e *want) judge(w *world, a *answer, mails []mail) error {
	change, _ := a.cookie()
	switch {
	case a.status != e.status || a.code() != e.code && (e.otherwise == "" || a.code() != e.otherwise):
		return fmt.Errorf("want %d %s", e.status, e.code)
	case change != e.cookie:
		return fmt.Errorf("want the session's cookie %s", e.cookie)
	}
	if e.holds {
		_, token := a.cookie()
		e.changes(heldCookie(token), cookieSet)
	}
	if got := a.changes(); !maps.Equal(got, e.others) {
		return fmt.Errorf("want the other cookies %v, got %v", e.others, got)
	}
	if err := e.judgeMails(mails); err != nil {
		return err
	}
	w.learnDevice(e, a)
	if e.body != nil {
		if err := e.body(a); err != nil {
			return err
		}
	}
	return judgeCopy(w, a)
}

func (e *want) judgeMails(mails []mail) error {
	switch {
	case e.mail == nil && len(mails) > 0:
		return fmt.Errorf("want no mail, got %+v", mails)
	case e.mail == nil:
		return nil
	case len(mails) != 1 || mails[0].kind() != *e.mail:
		return fmt.Errorf("want the mail %+v, got %+v", *e.mail, mails)
	case e.about != nil && e.about.id == "":
		e.about.id = mails[0].UserID
	case e.about != nil && e.about.id != mails[0].UserID:
		return fmt.Errorf("want a mail about %s", e.about.id)
	}
	if e.mailed != nil {
		e.mailed(mails[0])
	}
	return nil
}

// judgeCopy: a copy that goes to the browser is one of what is stored.
func judgeCopy(w *world, a *answer) error {
	c := a.sealed()
	if c == nil {
		return nil
	}
	u := w.byID(c.user.id)
	if u == nil {
		return errors.New("want no copy of a user who is gone")
	}
	return c.user.same(u)
}

// learnDevice learns the name of the device that the browser has become.
func (w *world) learnDevice(e *want, a *answer) {
	if id := deviceIDOf(a.sent(deviceCookie)); id != "" && e.device != nil {
		w.trusted[id] = &trust{user: w.byEmail(e.device.user.email), expires: e.device.expires}
	}
}

// salvage learns from the cookies of a 5xx: what was done before the failure stays, and
// the browser is told of its session.
func (w *world) salvage(e *want, a *answer) {
	w.learnDevice(e, a)
	_, token := a.cookie()
	if token == "" || w.session(token) != nil {
		return
	}
	for _, s := range slices.Backward(w.sessions) {
		if s.token == "" {
			s.token = token
			if c := a.sealed(); c != nil && s.user.id == "" {
				s.user.id = c.user.id
			}
			return
		}
	}
}

// same compares what clients see.
func (u user) same(stored *user) error {
	if u.name != stored.name || u.email != stored.email || u.verified != stored.verified || u.username != stored.username || u.factor != stored.factor {
		return fmt.Errorf("want the user %+v, got %+v", *stored, u)
	}
	return nil
}

// learn compares what clients see of a user whose id may be unknown.
func (u *user) learn(seen userJSON) error {
	if u.id == "" {
		u.id = seen.ID
	}
	if seen.ID != u.id {
		return fmt.Errorf("want the user %s", u.id)
	}
	return seen.plain().same(u)
}

// starts expects a new session in the cookie, with the token that the body names.
func (s *session) starts(a *answer, token string) error {
	if _, got := a.cookie(); got != token || token == "" {
		return fmt.Errorf("want a cookie with the token %q, got %q", token, got)
	}
	s.token = token
	return nil
}

// handedOn expects the session in the cookie and, with its user, in the body.
func (s *session) handedOn(a *answer) error {
	var out struct {
		Session sessionJSON
		User    userJSON
	}
	if err := a.decode(&out); err != nil {
		return err
	}
	if err := s.starts(a, out.Session.Token); err != nil {
		return err
	}
	return s.user.learn(out.User)
}

func (c cookieChange) String() string { return [...]string{"kept", "set", "cleared"}[c] }

// distinct leaves out worlds that are equal to another one.
func distinct(worlds []*world) []*world {
	seen := make(map[string]bool)
	return slices.DeleteFunc(worlds, func(w *world) bool {
		text := w.String()
		defer func() { seen[text] = true }()
		return seen[text]
	})
}
