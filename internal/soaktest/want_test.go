package soaktest

import (
	"errors"
	"fmt"
	"slices"
)

// A want is the answer that a world foretells.
type want struct {
	status int
	code   string
	cookie cookieChange

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
	if err := e.judgeMails(mails); err != nil {
		return err
	}
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

// same compares what clients see.
func (u user) same(stored *user) error {
	if u.name != stored.name || u.email != stored.email || u.verified != stored.verified || u.username != stored.username {
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
