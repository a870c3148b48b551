package soaktest

import (
	"math/rand/v2"
	"time"
)

func changePassword(p *person, r *rand.Rand) *operation {
	j, current, next, revoke := p.device(r), p.password(r), p.password(r), r.IntN(2) == 0
	if v, _ := p.worlds[0].clone().read(j, p.now(), stored); v != nil && v.user.password != "" && r.IntN(4) > 0 {
		current = v.user.password
	}
	body := map[string]any{"currentPassword": current, "newPassword": next, "revokeOtherSessions": revoke}
	return &operation{request: postTo(j, "/change-password", body), later: true, run: signedIn(j, stored, func(w *world, v *view, now time.Time) *want {
		u := w.byID(v.user.id)
		switch {
		case u.password == "":
			return refuse(400, "CREDENTIAL_ACCOUNT_NOT_FOUND")
		case u.password != current:
			return refuse(400, "INVALID_PASSWORD")
		}
		u.password, u.passwordAt = next, now.Truncate(time.Millisecond)
		if !revoke {
			return ok(cookieKept)
		}
		w.endAll(u)
		return w.starts(w.signIn(u, now, false))
	})}
}

func verifyPassword(p *person, r *rand.Rand) *operation {
	j, password := p.device(r), p.password(r)
	return &operation{request: postTo(j, "/verify-password", map[string]any{"password": password}), run: signedIn(j, stored, func(w *world, v *view, _ time.Time) *want {
		if v.user.password != password {
			return refuse(400, "INVALID_PASSWORD")
		}
		return ok(cookieKept)
	})}
}

func requestReset(p *person, r *rand.Rand) *operation {
	email := p.known(r)
	body := map[string]any{"email": email, "redirectTo": "/new-password"}
	return &operation{request: postTo(nil, "/request-password-reset", body), run: func(w *world, now time.Time) *want {
		e := ok(cookieKept)
		if u := w.byEmail(email); u != nil {
			e.mails(mailReset, email, u)
			e.mailed = func(m mail) {
				w.tokens[m.Token] = &token{kind: mailReset, userID: u.id, expires: now.Truncate(time.Millisecond).Add(linkLifetime)}
			}
		}
		return e
	}}
}

func resetPassword(p *person, r *rand.Rand) *operation {
	text, password := p.secret(r, mailReset), p.password(r)
	body := map[string]any{"token": text, "newPassword": password}
	return &operation{request: postTo(nil, "/reset-password", body), later: true, run: func(w *world, now time.Time) *want {
		t := w.tokens[text]
		if t == nil || t.kind != mailReset || t.expires.Before(now.Truncate(time.Millisecond)) {
			return refuse(400, "INVALID_TOKEN")
		}
		u := w.byID(t.userID)
		if u == nil {
			return refuse(400, "USER_NOT_FOUND")
		}
		delete(w.tokens, text)
		u.password, u.passwordAt = password, now.Truncate(time.Millisecond)
		w.endAll(u)
		return ok(cookieKept)
	}}
}
