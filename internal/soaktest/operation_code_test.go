package soaktest

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// A code is the last one that was mailed to an address to sign in.
type code struct {
	digits           string // empty: nobody knows
	wrong            int    // attempts
	created, expires time.Time
}

const codeAttempts = 3

func requestCode(p *person, r *rand.Rand) *operation {
	email := p.known(r)
	body := map[string]any{"email": email, "type": "sign-in"}
	return &operation{request: postTo(nil, "/email-otp/send-verification-otp", body), run: func(w *world, now time.Time) *want {
		now = now.Truncate(time.Millisecond)
		c := &code{created: now, expires: now.Add(linkLifetime)}
		w.supersede(w.codes, email, c)
		e := ok(cookieKept).mails(mailCode, email, nil)
		e.mailed = func(m mail) { c.digits = m.Token }
		return e
	}}
}

// bringCode returns an address and a code for it, right or wrong.
func (p *person) bringCode(r *rand.Rand) (email, digits string) {
	email, digits = draw(slices.Sorted(maps.Keys(p.worlds[0].codes)), r, p.email(r)), "none"
	if c := p.worlds[0].codes[email]; c != nil && r.IntN(2) == 0 {
		digits = c.digits
	}
	return email, digits
}

// supersede puts a code in place of an earlier one: the last one by the clock counts.
func (w *world) supersede(codes map[string]*code, key string, c *code) {
	if earlier := codes[key]; earlier == nil || !earlier.created.After(c.created) {
		codes[key] = c
	}
}

// bring compares a code with the one that was mailed. It returns the refusal, nil for
// a right one.
func (w *world) bring(email, digits string, now time.Time) *want {
	c := w.codes[email]
	switch {
	case c == nil:
		return refuse(400, "INVALID_OTP")
	case c.expires.Before(now.Truncate(time.Millisecond)):
		delete(w.codes, email)
		e := refuse(400, "OTP_EXPIRED")
		e.otherwise = "INVALID_OTP" // if it was cleaned up
		return e
	case c.wrong >= codeAttempts:
		delete(w.codes, email)
		return refuse(403, "TOO_MANY_ATTEMPTS")
	case c.digits != digits:
		c.wrong++
		return refuse(400, "INVALID_OTP")
	}
	return nil
}

// checkCode asks whether a code is right, which costs it nothing.
func checkCode(p *person, r *rand.Rand) *operation {
	email, digits := p.bringCode(r)
	body := map[string]any{"email": email, "otp": digits, "type": "sign-in"}
	return &operation{request: postTo(nil, "/email-otp/check-verification-otp", body), run: func(w *world, now time.Time) *want {
		switch refusal := w.bring(email, digits, now); {
		case refusal != nil:
			return refusal
		case w.byEmail(email) == nil:
			return refuse(400, "USER_NOT_FOUND")
		}
		return ok(cookieKept)
	}}
}

func signInCode(p *person, r *rand.Rand) *operation {
	j, name := p.device(r), p.anyName(r)
	email, digits := p.bringCode(r)
	body := map[string]any{"email": email, "otp": digits, "name": name}
	return &operation{request: postTo(j, "/sign-in/email-otp", body), run: func(w *world, now time.Time) *want {
		if refusal := w.bring(email, digits, now); refusal != nil {
			return refusal
		}
		delete(w.codes, email)
		return w.prove(email, name, now)
	}}
}

// prove signs in who has proven to own an address, and makes them a user if they are
// none.
func (w *world) prove(email, name string, now time.Time) *want {
	u := w.byEmail(email)
	switch {
	case u == nil:
		u = &user{email: email, name: name, verified: true}
		w.users = append(w.users, u)
	case !u.verified: // whoever set the password has proven nothing
		w.endAll(u)
		u.password, u.verified, u.factor = "", true, false
		delete(w.apps, u)
	}
	return w.starts(w.signIn(u, now, false))
}

// handOver asks for a token that takes a session to another browser.
func handOver(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	return &operation{request: get(j, "/one-time-token/generate"), secret: kindHandOver, run: signedIn(j, reading{}, func(w *world, v *view, now time.Time) *want {
		e := ok(cookieKept)
		e.body = func(a *answer) error {
			var out struct{ Token string }
			if err := a.decode(&out); err != nil {
				return err
			}
			w.tokens[out.Token] = &token{kind: kindHandOver, session: v.token, expires: now.Truncate(time.Millisecond).Add(linkLifetime)}
			return nil
		}
		return e
	})}
}

const kindHandOver = "hand-over"

func takeOver(p *person, r *rand.Rand) *operation {
	j, text := p.device(r), p.secret(r, kindHandOver)
	return &operation{request: postTo(j, "/one-time-token/verify", map[string]any{"token": text}), run: func(w *world, now time.Time) *want {
		now = now.Truncate(time.Millisecond)
		t := w.tokens[text]
		if t == nil || t.kind != kindHandOver || t.expires.Before(now) {
			return refuse(400, "")
		}
		delete(w.tokens, text)
		s := w.session(t.session)
		if s == nil || !s.expires.After(now) {
			return refuse(400, "")
		}
		e := ok(cookieSet)
		e.started, e.body = s, s.handedOn
		return e
	}}
}
