package soaktest

import (
	"math/rand/v2"
	"strings"
	"time"
)

// username returns one of the few names that a person's users may have.
func (p *person) username(r *rand.Rand) string {
	return string(rune('a'+r.IntN(2))) + "_" + p.name
}

func chooseUsername(p *person, r *rand.Rand) *operation {
	j, name := p.device(r), p.username(r)
	body := map[string]any{"username": strings.ToUpper(name)}
	return &operation{request: postTo(j, "/update-user", body), run: func(w *world, now time.Time) *want {
		v, cookie := w.read(j, now, reading{})
		holder := w.first(func(u *user) bool { return u.username == name })
		switch {
		case holder != nil && (v == nil || holder.id != v.user.id):
			return refuse(400, "USERNAME_IS_ALREADY_TAKEN") // by a hook, whose cookies are lost as in the original
		case v == nil:
			return &want{status: 401, code: "UNAUTHORIZED", cookie: cookie}
		}
		u := w.byID(v.user.id)
		if u == nil { // the copy outlives its user
			e := &want{status: 400, code: "FAILED_TO_UPDATE_USER", cookie: cookie}
			e.starting(w, v, cookieKept)
			return e
		}
		u.username = name
		e := ok(cookieSet)
		e.starting(w, v, cookieKept)
		return e
	}}
}

func signInUsername(p *person, r *rand.Rand) *operation {
	j, name, password := p.device(r), p.username(r), p.password(r)
	if u := p.worlds[0].first(func(u *user) bool { return u.username == name }); u != nil && u.password != "" && r.IntN(4) > 0 {
		password = u.password
	}
	body := map[string]any{"username": name, "password": password}
	return &operation{request: postTo(j, "/sign-in/username", body), run: func(w *world, now time.Time) *want {
		u := w.first(func(u *user) bool { return u.username == name })
		if u == nil || u.password != password {
			return refuse(401, "INVALID_USERNAME_OR_PASSWORD")
		}
		return w.passes(j, u, now, false)
	}}
}
