package soaktest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// rightPassword returns the password of who is signed in in a browser, or another one.
func (p *person) rightPassword(j *jar, r *rand.Rand) string {
	password := p.password(r)
	if v, _ := p.worlds[0].clone().read(j, p.now(), stored); v != nil && v.user.password != "" && r.IntN(8) > 0 {
		return v.user.password
	}
	return password
}

// withPassword makes the run of an operation that a password has to confirm.
func withPassword(j *jar, password string, run func(w *world, u *user, v *view, now time.Time) *want) func(*world, time.Time) *want {
	return signedIn(j, stored, func(w *world, v *view, now time.Time) *want {
		u := w.byID(v.user.id)
		if u.password == "" || u.password != password {
			return refuse(400, "INVALID_PASSWORD")
		}
		return run(w, u, v, now)
	})
}

func enableFactor(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	password, method := p.rightPassword(j, r), "totp"
	if r.IntN(4) == 0 {
		method = "otp"
	}
	body := map[string]any{"password": password, "method": method}
	return &operation{request: postTo(j, "/two-factor/enable", body), then: kindSetUp, run: withPassword(j, password, func(w *world, u *user, v *view, now time.Time) *want {
		if method == "otp" {
			return w.turn(j, u, v, true, now)
		}
		old := w.app(u)
		if old != nil && old.verified {
			return refuse(400, "TOTP_ALREADY_ENABLED")
		}
		fresh := &app{untold: backupCodes}
		if old != nil {
			fresh.failed, fresh.locked = old.failed, old.locked
		}
		w.apps[u] = fresh
		e := ok(cookieKept)
		e.body = func(a *answer) (err error) {
			var out struct {
				Method, TOTPURI string
				BackupCodes     []string
			}
			if err := a.decode(&out); err != nil {
				return err
			}
			fresh.secret, err = secretOf(out.TOTPURI)
			return errors.Join(err, fresh.tell(out.BackupCodes))
		}
		return e
	})}
}

// kindSetUp is what comes after an app has been set up: its first code.
const kindSetUp = "set-up"

// tell tells the backup codes.
func (a *app) tell(codes []string) error {
	if len(codes) != backupCodes {
		return errors.New("want all backup codes")
	}
	a.codes, a.untold = codes, 0
	return nil
}

// turn turns the second factor on or off: the session is replaced.
func (w *world) turn(j *jar, u *user, v *view, on bool, now time.Time) *want {
	u.factor = on
	s := w.signIn(u, now, j.forgets())
	w.endToken(v.token)
	return w.replaces(s)
}

// replaces foretells the answer that begins a session and says no more of it.
func (w *world) replaces(s *session) *want {
	e := ok(cookieSet)
	e.started = s
	e.body = func(a *answer) error {
		_, s.token = a.cookie()
		return nil
	}
	return e
}

func disableFactor(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	password := p.rightPassword(j, r)
	return &operation{request: postTo(j, "/two-factor/disable", map[string]any{"password": password}), run: withPassword(j, password, func(w *world, u *user, v *view, now time.Time) *want {
		e := w.turn(j, u, v, false, now)
		delete(w.apps, u)
		if (*j)[deviceCookie] != "" {
			delete(w.trusted, j.deviceID())
			e.changes(deviceCookie, cookieCleared)
		}
		return e
	})}
}

func renewBackupCodes(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	password := p.rightPassword(j, r)
	return &operation{request: postTo(j, "/two-factor/generate-backup-codes", map[string]any{"password": password}), run: signedIn(j, stored, func(w *world, v *view, _ time.Time) *want {
		u := w.byID(v.user.id)
		own := w.app(u)
		switch {
		case !u.factor:
			return refuse(400, "TWO_FACTOR_NOT_ENABLED")
		case u.password == "" || u.password != password:
			return refuse(400, "INVALID_PASSWORD")
		case own == nil:
			return refuse(400, "TWO_FACTOR_NOT_ENABLED")
		}
		own.codes, own.untold = nil, backupCodes
		e := ok(cookieKept)
		e.body = func(a *answer) error {
			var out struct{ BackupCodes []string }
			if err := a.decode(&out); err != nil {
				return err
			}
			return own.tell(out.BackupCodes)
		}
		return e
	})}
}

// showApp asks for the secret again, which nobody may have been told.
func showApp(p *person, r *rand.Rand) *operation {
	j := p.device(r)
	password := p.rightPassword(j, r)
	return &operation{request: postTo(j, "/two-factor/get-totp-uri", map[string]any{"password": password}), run: signedIn(j, stored, func(w *world, v *view, _ time.Time) *want {
		u := w.byID(v.user.id)
		own := w.app(u)
		switch {
		case own == nil:
			return refuse(400, "TOTP_NOT_ENABLED")
		case u.password == "" || u.password != password:
			return refuse(400, "INVALID_PASSWORD")
		}
		e := ok(cookieKept)
		e.body = func(a *answer) error {
			var out struct{ TOTPURI string }
			if err := a.decode(&out); err != nil {
				return err
			}
			secret, err := secretOf(out.TOTPURI)
			if err == nil && own.secret != "" && own.secret != secret {
				err = errors.New("want the same secret")
			}
			own.secret = secret
			return err
		}
		return e
	})}
}

// tried returns a browser that waits for a second factor, or another one.
func (p *person) tried(r *rand.Rand) *jar {
	n, other, stolen := r.IntN(len(p.devices)), r.IntN(4), r.IntN(16)
	if stolen == 0 && len(p.stolen) > 0 {
		return p.stolen[n%len(p.stolen)]
	}
	if i := slices.IndexFunc(p.devices[:], p.waits); i >= 0 && other > 0 {
		return p.devices[i]
	}
	return p.devices[n]
}

// waits reports whether a sign-in in a browser wants a second factor.
func (p *person) waits(j *jar) bool {
	_, c := p.worlds[0].challengeOf(j, p.now())
	return c != nil && j.token() == ""
}

// guesses reports whether a code is to be a wrong one. Every fourth person hardly knows
// any.
func (p *person) guesses(r *rand.Rand) bool { return r.IntN(8) < 1 || p.number%4 == 0 && r.IntN(8) > 0 }

// appOf returns the app that a code from a browser would be of, as far as is known.
func (p *person) appOf(j *jar) (app, bool) {
	w := p.worlds[0].clone()
	f, _ := w.factorOf(j, p.now().Truncate(time.Millisecond))
	if f == nil || w.app(f.user) == nil {
		return app{}, false
	}
	return *w.app(f.user), true
}
