package soaktest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

func requestLink(p *person, r *rand.Rand) *operation {
	email := p.known(r)
	body := map[string]any{"email": email}
	return &operation{request: postTo(nil, "/sign-in/magic-link", body), run: func(w *world, now time.Time) *want {
		e := ok(cookieKept).mails(mailMagic, email, nil)
		e.mailed = func(m mail) {
			w.tokens[m.Token] = &token{kind: mailMagic, email: email, expires: now.Truncate(time.Millisecond).Add(linkLifetime)}
		}
		return e
	}}
}

func followLink(p *person, r *rand.Rand) *operation {
	j, text := p.device(r), p.secret(r, mailMagic)
	return &operation{request: get(j, "/magic-link/verify?token="+text), run: func(w *world, now time.Time) *want {
		t := w.tokens[text]
		if t == nil || t.kind != mailMagic || t.expires.Before(now.Truncate(time.Millisecond)) {
			e := refuse(302, "")
			e.body = func(a *answer) error { return leadsTo(a, "error=INVALID_TOKEN") }
			return e
		}
		delete(w.tokens, text)
		return w.prove(t.email, "", now)
	}}
}

func leadsTo(a *answer, part string) error {
	if location := a.header.Get("Location"); !strings.Contains(location, part) {
		return fmt.Errorf("want to be led to %s, not to %q", part, location)
	}
	return nil
}
