package soaktest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// passes goes on with somebody whose password was right: with a session, or with a
// challenge.
func (w *world) passes(j *jar, u *user, now time.Time, forgotten bool) *want {
	now = now.Truncate(time.Millisecond)
	switch {
	case !u.factor:
		return w.starts(w.signIn(u, now, forgotten))
	case w.trusts(j, u, now):
		e := w.starts(w.signIn(u, now, forgotten))
		e.renews = j.deviceID()
		return e
	}
	e := ok(cookieCleared)
	e.changes(challengeCookie, cookieSet)
	if (*j)[deviceCookie] != "" {
		e.changes(deviceCookie, cookieCleared)
	}
	methods := []string{"otp"}
	if own := w.app(u); own != nil && own.verified {
		methods = []string{"totp", "otp"}
	}
	e.body = func(a *answer) error {
		var out struct {
			Token             string
			TwoFactorRedirect bool
			TwoFactorMethods  []string
		}
		if err := a.decode(&out); err != nil {
			return err
		}
		if !out.TwoFactorRedirect || out.Token != "" || !slices.Equal(out.TwoFactorMethods, methods) {
			return fmt.Errorf("want a challenge for %v", methods)
		}
		sent := jar{challengeCookie: a.sent(challengeCookie)}
		w.challenges[sent.challenge()] = &challenge{user: u, created: now, expires: now.Add(linkLifetime), bound: true}
		return nil
	}
	return e
}

// A factor is who gives a second factor: somebody with a session or with a challenge.
type factor struct {
	user      *user
	view      *view // nil: signs in
	token     string
	challenge *challenge
}

func (f *factor) key() string {
	if f.view != nil {
		return "session " + f.view.token
	}
	return "challenge " + f.token
}

// factorOf finds out who that is, nil for nobody.
func (w *world) factorOf(j *jar, now time.Time) (*factor, cookieChange) {
	v, cookie := w.read(j, now, stored)
	if v != nil {
		return &factor{user: w.byID(v.user.id), view: v}, cookie
	}
	token, c := w.challengeOf(j, now)
	if c == nil {
		return nil, cookie
	}
	return &factor{user: c.user, token: token, challenge: c}, cookie
}

// giving makes the run of an operation of somebody who gives a second factor.
func giving(j *jar, run func(w *world, f *factor, now time.Time) *want) func(*world, time.Time) *want {
	return func(w *world, now time.Time) *want {
		now = now.Truncate(time.Millisecond)
		f, cookie := w.factorOf(j, now)
		e := noChallenge()
		if f != nil {
			e = run(w, f, now)
		}
		if f != nil && f.view != nil {
			e.starting(w, f.view, cookie)
		}
		e.cookie = cookie.then(e.cookie)
		return e
	}
}

func noChallenge() *want { return refuse(401, "INVALID_TWO_FACTOR_COOKIE") }

// attempt tries a code of an app or a backup code.
func (w *world) attempt(f *factor, wrong string, check func(own *app) bool, right func() *want, now time.Time) *want {
	own := w.app(f.user)
	if f.view == nil {
		if e := w.bind(f, own, now); e != nil {
			return e
		}
	}
	if check(own) {
		return right()
	}
	if f.view == nil {
		f.challenge.spent++
		f.challenge.bound = true
	}
	return refuse(401, wrong)
}

// bind counts a code of somebody who signs in. It returns the refusal, if that is one.
func (w *world) bind(f *factor, own *app, now time.Time) *want {
	switch {
	case own.checkLock(now):
		return refuse(429, "ACCOUNT_TEMPORARILY_LOCKED")
	case !f.challenge.bound:
		return noChallenge()
	}
	f.challenge.bound = false
	if f.challenge.spent >= challengeAttempts {
		delete(w.challenges, f.token)
		e := refuse(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE")
		e.changes(challengeCookie, cookieCleared)
		return e
	}
	own.count(now)
	return nil
}

// admit is what a right code does.
func (w *world) admit(j *jar, f *factor, trusting bool, now time.Time) *want {
	if f.view != nil {
		return f.kept()
	}
	delete(w.challenges, f.token)
	if f.user.password != "" && f.user.passwordAt.After(f.challenge.created) {
		e := noChallenge()
		e.changes(challengeCookie, cookieCleared)
		return e
	}
	w.app(f.user).forgive()
	s := w.signIn(f.user, now, j.forgets())
	e := w.starts(s)
	e.changes(challengeCookie, cookieCleared)
	if trusting {
		e.changes(deviceCookie, cookieSet)
		e.device = &trust{user: f.user, expires: now.Add(trustTime)}
	}
	return e
}

// told expects the token of a session, empty for none, and the user in the body.
func (u *user) told(token string) func(a *answer) error {
	return func(a *answer) error {
		var out struct {
			Token string
			User  userJSON
		}
		if err := a.decode(&out); err != nil {
			return err
		}
		if out.Token != token {
			return fmt.Errorf("want the session %q", token)
		}
		return u.learn(out.User)
	}
}

// kept foretells the answer to somebody who has a session.
func (f *factor) kept() *want {
	e := ok(cookieKept)
	e.body = f.user.told(f.view.token)
	return e
}

func verifyTOTP(p *person, r *rand.Rand) *operation {
	j := p.tried(r)
	code, trusting := p.totp(j, r), r.IntN(4) == 0
	body := map[string]any{"code": code, "trustDevice": trusting}
	return &operation{request: postTo(j, "/two-factor/verify-totp", body), run: giving(j, func(w *world, f *factor, now time.Time) *want {
		own := w.app(f.user)
		if own == nil || f.view == nil && !own.verified {
			return refuse(400, "TOTP_NOT_ENABLED")
		}
		check := func(own *app) bool {
			step, right := own.stepFor(code, now)
			if !right || w.once && step <= own.step {
				return false
			}
			own.step = step
			return true
		}
		return w.attempt(f, "INVALID_CODE", check, func() *want {
			if f.view != nil && !own.verified && !f.user.factor {
				own.verified = true
				return w.restarts(w.turn(j, f.user, f.view, true, now))
			}
			e := w.admit(j, f, trusting, now)
			own.verified = own.verified || e.status == 200
			return e
		}, now)
	})}
}

// restarts expects the body of a session's begin in an answer that replaces one.
func (w *world) restarts(e *want) *want {
	began := w.starts(e.started)
	e.body = began.body
	return e
}

// totp draws a code of an app, right or wrong. Where times are not exact a code has to be
// good for longer than an answer may take.
func (p *person) totp(j *jar, r *rand.Rand) string {
	own, known := p.appOf(j)
	if known && own.secret != "" && p.guesses(r) {
		return totp(own.secret, stepOf(p.now())+100)
	}
	offset := []int64{0, 0, 0, 0, 0, -8, 8, 100}[r.IntN(8)]
	if p.worlds[0].exact {
		offset = []int64{0, 0, 0, -1, 1, -2, 2, 100}[r.IntN(8)]
	}
	if !known || own.secret == "" {
		return "none" // nobody knows whether any other one is right
	}
	return totp(own.secret, stepOf(p.now())+offset)
}

func sendFactorCode(p *person, r *rand.Rand) *operation {
	j := p.tried(r)
	return &operation{request: postTo(j, "/two-factor/send-otp", nil), run: giving(j, func(w *world, f *factor, now time.Time) *want {
		c := &code{created: now, expires: now.Add(linkLifetime)}
		w.supersede(w.factorCodes, f.key(), c)
		e := ok(cookieKept).mails(mailFactor, f.user.email, f.user)
		e.mailed = func(m mail) { c.digits = m.Token }
		return e
	})}
}

func verifyFactorCode(p *person, r *rand.Rand) *operation {
	j := p.tried(r)
	w, digits, trusting := p.worlds[0].clone(), "none", r.IntN(4) == 0
	if f, _ := w.factorOf(j, p.now().Truncate(time.Millisecond)); f != nil && !p.guesses(r) {
		if c := w.factorCodes[f.key()]; c != nil {
			digits = c.digits
		}
	}
	body := map[string]any{"code": digits, "trustDevice": trusting}
	return &operation{request: postTo(j, "/two-factor/verify-otp", body), run: giving(j, func(w *world, f *factor, now time.Time) *want {
		own, key := w.app(f.user), f.key()
		c := w.factorCodes[key]
		alive := c != nil && !c.expires.Before(now)
		if f.view == nil {
			if own.checkLock(now) {
				return refuse(429, "ACCOUNT_TEMPORARILY_LOCKED")
			}
			if alive && c.wrong < factorAttempts {
				own.count(now)
			}
		}
		switch {
		case !alive:
			delete(w.factorCodes, key)
			return refuse(400, "OTP_HAS_EXPIRED")
		case c.wrong >= factorAttempts:
			delete(w.factorCodes, key)
			return refuse(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE")
		case c.digits != digits:
			c.wrong++
			return refuse(401, "INVALID_CODE")
		}
		return w.useFactorCode(j, f, trusting, now)
	})}
}

// useFactorCode is what a right code that was sent does.
func (w *world) useFactorCode(j *jar, f *factor, trusting bool, now time.Time) *want {
	switch {
	case f.view == nil && f.user.factor && f.user.password != "" && f.user.passwordAt.After(f.challenge.created):
		e := noChallenge()
		e.changes(challengeCookie, cookieCleared)
		e.undone = true
		return e
	case f.view != nil && !f.user.factor:
		delete(w.factorCodes, f.key())
		return w.restarts(w.turn(j, f.user, f.view, true, now))
	}
	delete(w.factorCodes, f.key())
	if !f.user.factor {
		return refuse(400, "FAILED_TO_CREATE_SESSION")
	}
	return w.admit(j, f, trusting, now)
}

func verifyBackupCode(p *person, r *rand.Rand) *operation {
	j := p.tried(r)
	text, trusting, without := "wrong", r.IntN(4) == 0, r.IntN(8) == 0
	if n := r.IntN(1 << 20); !p.guesses(r) {
		text = draw(p.backups[max(0, len(p.backups)-2*backupCodes):], r, "wrong")
		if own, known := p.appOf(j); known && n%4 > 0 && len(own.codes) > 0 {
			text = own.codes[n/4%len(own.codes)]
		}
	}
	body := map[string]any{"code": text, "trustDevice": trusting, "disableSession": without}
	return &operation{request: postTo(j, "/two-factor/verify-backup-code", body), run: giving(j, func(w *world, f *factor, now time.Time) *want {
		if w.app(f.user) == nil {
			return refuse(400, "BACKUP_CODES_NOT_ENABLED")
		}
		check := func(own *app) bool { return own.spend(text) }
		return w.attempt(f, "INVALID_BACKUP_CODE", check, func() *want {
			if !without || f.view != nil {
				return w.admit(j, f, trusting, now)
			}
			w.app(f.user).forgive()
			e := ok(cookieKept)
			e.body = f.user.told("")
			return e
		}, now)
	})}
}
