package soaktest

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"time"
)

func updateUser(p *person, r *rand.Rand) *operation {
	j, name := p.device(r), p.anyName(r)
	return &operation{request: postTo(j, "/update-user", map[string]any{"name": name}), run: signedIn(j, reading{}, func(w *world, v *view, _ time.Time) *want {
		u := w.byID(v.user.id)
		if u == nil { // the copy outlives its user
			return refuse(400, "FAILED_TO_UPDATE_USER")
		}
		u.name = name
		return ok(cookieSet)
	})}
}

func changeEmail(p *person, r *rand.Rand) *operation {
	j, email := p.device(r), p.email(r)
	return &operation{request: postTo(j, "/change-email", map[string]any{"newEmail": email}), run: signedIn(j, stored, func(w *world, v *view, _ time.Time) *want {
		u := w.byID(v.user.id)
		switch {
		case u.email == email:
			return refuse(400, "") // it is the same
		case w.byEmail(email) != nil:
			return ok(cookieKept) // nobody is told
		case u.verified:
			return ok(cookieKept).mails(mailConfirm, u.email, u)
		}
		u.email = email
		return ok(cookieSet).mails(mailVerify, email, u)
	})}
}

func sendVerification(p *person, r *rand.Rand) *operation {
	j, email := p.device(r), p.email(r)
	if v, _ := p.worlds[0].clone().read(j, p.now(), reading{}); v != nil && r.IntN(4) > 0 {
		email = v.user.email
	}
	return &operation{request: postTo(j, "/send-verification-email", map[string]any{"email": email}), run: func(w *world, now time.Time) *want {
		v, cookie := w.read(j, now, reading{})
		e := ok(cookie)
		if v != nil {
			e.starting(w, v, cookie)
		}
		switch {
		case v == nil:
			if u := w.byEmail(email); u != nil && !u.verified {
				e.mails(mailVerify, email, u)
			}
		case v.user.email != email:
			e.status, e.code = 400, "EMAIL_MISMATCH"
		case v.user.verified:
			e.status, e.code = 400, "EMAIL_ALREADY_VERIFIED"
		default:
			e.mails(mailVerify, email, &v.user)
		}
		return e
	}}
}

// emailClaims are what the token in a mail says. Nothing of it is stored.
type emailClaims struct {
	Email       string `json:"email"`
	UpdateTo    string `json:"updateTo"`
	RequestType string `json:"requestType"`
	UserID      string `json:"userId"`
	ExpiresAt   int64  `json:"exp"`
}

func claimsOf(token string) (c emailClaims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	return c, err == nil && json.Unmarshal(text, &c) == nil
}

func verifyEmail(p *person, r *rand.Rand) *operation {
	j, text := p.device(r), p.secret(r, mailVerify)
	claims, valid := claimsOf(text)
	return &operation{request: get(j, "/verify-email?token="+text), run: func(w *world, now time.Time) *want {
		switch {
		case !valid:
			return refuse(401, "INVALID_TOKEN")
		case claims.ExpiresAt <= now.Unix():
			return refuse(401, "TOKEN_EXPIRED")
		case claims.UpdateTo != "":
			return w.continueChange(j, claims, now)
		}
		switch u := w.byEmail(claims.Email); {
		case u == nil:
			return refuse(401, "USER_NOT_FOUND")
		case u.id != claims.UserID:
			return refuse(401, "INVALID_TOKEN")
		default:
			u.verified = true
			return ok(cookieKept)
		}
	}}
}

// continueChange goes on with a change of address.
func (w *world) continueChange(j *jar, claims emailClaims, now time.Time) *want {
	u := w.byID(claims.UserID)
	switch {
	case u == nil:
		return refuse(401, "USER_NOT_FOUND")
	case u.email != claims.Email:
		return refuse(401, "INVALID_TOKEN")
	}
	v, cookie := w.read(j, now, reading{})
	e := ok(cookie)
	switch {
	case v != nil && v.user.id != u.id:
		e.status, e.code = 401, "INVALID_USER"
	case claims.RequestType == "change-email-confirmation":
		e.mails(mailVerify, claims.UpdateTo, u)
	case w.byEmail(claims.UpdateTo) != nil:
		e.status, e.code = 401, "USER_ALREADY_EXISTS"
	default:
		u.email = claims.UpdateTo
		if v != nil {
			e.cookie = cookieSet
		}
	}
	if v != nil {
		e.starting(w, v, cookieKept)
	}
	return e
}

func deleteUser(p *person, r *rand.Rand) *operation {
	j, password := p.device(r), p.password(r)
	body := map[string]any{"password": password}
	if r.IntN(3) == 0 {
		body, password = nil, ""
	}
	return &operation{request: postTo(j, "/delete-user", body), run: signedIn(j, stored, func(w *world, v *view, now time.Time) *want {
		u := w.byID(v.user.id)
		switch {
		case password != "" && u.password == "":
			return refuse(400, "CREDENTIAL_ACCOUNT_NOT_FOUND")
		case password != "" && u.password != password:
			return refuse(400, "INVALID_PASSWORD")
		case password == "" && now.Truncate(time.Millisecond).Sub(v.created) >= freshAge:
			return refuse(400, "SESSION_EXPIRED")
		}
		w.delete(u)
		return ok(cookieCleared)
	})}
}
