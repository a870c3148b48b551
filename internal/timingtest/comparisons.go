package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// comparisons returns all of them; end closes what they stand on.
func comparisons(dir string) (all []comparison, end func(), err error) {
	var ends []func()
	end = func() {
		for _, e := range ends {
			e()
		}
	}
	for _, kind := range []siteKind{
		{name: "memory", hasher: cheap{}},
		{name: "SQLite", hasher: cheap{}, sqlite: filepath.Join(dir, "cheap.db")},
		{name: "memory, scrypt"},
		{name: "memory, hidden", hasher: cheap{}, hides: true},
		{name: "SQLite, hidden", hasher: cheap{}, hides: true, sqlite: filepath.Join(dir, "hidden.db")},
	} {
		s, closeSite, err := newSite(kind)
		ends = append(ends, closeSite)
		if err != nil {
			return nil, end, err
		}
		switch {
		case kind.hides:
			all = append(all, s.signUp())
		case kind.hasher == nil:
			all = append(all, s.signIn("email", 50))
		default:
			all = append(all, s.existence()...)
			secrets, err := s.secrets()
			if err != nil {
				return nil, end, err
			}
			all = append(all, secrets...)
			all = append(all, s.secondFactors()...)
		}
	}
	return all, end, nil
}

// of is a comparison of what an endpoint does for nobody and for some users.
func (s *site) of(path string, body func(login string) map[string]any, logins ...string) comparison {
	c := comparison{name: s.name + " " + path, handler: s, after: s.settle}
	for _, login := range append([]string{"nobody"}, logins...) {
		c.classes = append(c.classes, class{login, func() *http.Request { return post(path, body(login)) }})
	}
	return c
}

func address(login string) map[string]any { return map[string]any{"email": login + "@example.com"} }

// signIn is with a wrong password.
func (s *site) signIn(by string, share int) comparison {
	c := s.of("/sign-in/"+by, func(login string) map[string]any {
		return map[string]any{"email": login + "@example.com", "username": login, "password": "wrong password"}
	}, "ann", "social")
	c.share = share
	return c
}

// existence is where the answer does not tell who has an account.
func (s *site) existence() []comparison {
	verification := s.of("/send-verification-email", address, "ann")
	verification.share = 100
	code := s.of("/email-otp/send-verification-otp", func(login string) map[string]any {
		return map[string]any{"email": login + "@example.com", "type": "forget-password"}
	}, "ann")
	return []comparison{
		s.signIn("email", 1),
		s.signIn("username", 1),
		s.of("/request-password-reset", address, "ann", "social"),
		verification,
		s.of("/sign-in/magic-link", address, "ann"),
		code,
		s.wrongCode(),
		s.unsentCode(),
	}
}

// wrongCode is a wrong code to sign in with, after one was sent.
func (s *site) wrongCode() comparison {
	c := comparison{name: s.name + " /sign-in/email-otp, wrong code", handler: s, after: s.settle}
	for _, login := range []string{"nobody", "ann"} {
		for _, equal := range []int{0, 5} {
			c.classes = append(c.classes, class{fmt.Sprintf("%s, %d digits", login, equal), func() *http.Request {
				time.Sleep(2 * time.Millisecond)          // the code that counts is the newest, by the millisecond
				code, _ := s.code(login + "@example.com") // of a site that has sent codes before
				return post("/sign-in/email-otp", map[string]any{"email": login + "@example.com", "otp": spoil(code, equal)})
			}})
		}
	}
	return c
}

// unsentCode is a wrong code for a new password, which only users get.
func (s *site) unsentCode() comparison {
	c := comparison{
		name: s.name + " /email-otp/check-verification-otp", handler: s, after: s.settle,
		tells: "so does the answer to the fourth wrong code",
	}
	for _, login := range []string{"nobody", "ann"} {
		c.classes = append(c.classes, class{login, func() *http.Request {
			time.Sleep(2 * time.Millisecond) // as above
			body := map[string]any{"email": login + "@example.com", "type": "forget-password", "otp": "wrong"}
			_, _ = s.answer(post("/email-otp/send-verification-otp", body)) // refuses nobody
			return post("/email-otp/check-verification-otp", body)
		}})
	}
	return c
}

// signUp is with an address that is taken, and one that is not.
func (s *site) signUp() comparison {
	n := 0
	body := func(email string) *http.Request {
		return post("/sign-up/email", map[string]any{"name": "Ann", "email": email, "password": password})
	}
	return comparison{
		name: s.name + " /sign-up/email", handler: s, after: s.settle, varies: true,
		classes: []class{
			{"new", func() *http.Request { n++; return body(fmt.Sprintf("new%d@example.com", n)) }},
			{"ann", func() *http.Request { return body("ann@example.com") }},
		},
	}
}

// secrets is where more of a secret is right, and all of it never.
func (s *site) secrets() ([]comparison, error) {
	signedIn, err := s.answer(post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": password}))
	if err != nil {
		return nil, err
	}
	session := signedIn.Cookies()[0]
	started, err := s.answer(post("/sign-in/social", map[string]any{"provider": "acme", "callbackURL": "/in"}))
	if err != nil {
		return nil, err
	}
	var flow struct{ URL string }
	if err := json.NewDecoder(started.Body).Decode(&flow); err != nil {
		return nil, err
	}
	authorization, err := url.Parse(flow.URL)
	if err != nil {
		return nil, err
	}
	state := authorization.Query().Get("state")
	return []comparison{
		s.prefixes("session cookie's signature", 32, func(equal int) *http.Request {
			return get("/get-session", &http.Cookie{Name: session.Name, Value: spoilSignature(session.Value, equal)})
		}),
		s.prefixes("OAuth state", len(state), func(equal int) *http.Request {
			return get("/callback/acme?code=c&state="+spoil(state, equal), started.Cookies()...)
		}),
	}, nil
}

// secondFactors is where more of a code is right, each time for a challenge of its own.
func (s *site) secondFactors() []comparison {
	try := func(path, code string) *http.Request {
		challenge := s.challenge()
		r := post(path, map[string]any{"code": code})
		r.AddCookie(challenge)
		return r
	}
	totp := s.prefixes("/two-factor/verify-totp", 6, func(equal int) *http.Request {
		out, err := s.twoFactor.GenerateTOTP.Call(context.Background(), auth.GenerateTOTPRequest{Secret: s.totpSecret})
		if err != nil {
			panic(err) // it takes any secret
		}
		return try("/two-factor/verify-totp", spoil(out.Code, equal))
	})
	last := s.backupCodes[len(s.backupCodes)-1]
	backup := s.prefixes("/two-factor/verify-backup-code", len(last), func(equal int) *http.Request {
		return try("/two-factor/verify-backup-code", spoil(last, equal))
	})
	return []comparison{totp, backup}
}

// prefixes compares secrets of n characters or bytes of which none, half and all but
// one are right.
func (s *site) prefixes(what string, n int, request func(equal int) *http.Request) comparison {
	c := comparison{name: s.name + " " + what, handler: s}
	for _, equal := range []int{0, n / 2, n - 1} {
		c.classes = append(c.classes, class{fmt.Sprintf("%d right", equal), func() *http.Request { return request(equal) }})
	}
	return c
}

// spoil changes all letters and digits behind the first ones.
func spoil(secret string, equal int) string {
	return secret[:equal] + strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r < '9', r >= 'a' && r < 'z', r >= 'A' && r < 'Z':
			return r + 1
		case r == '9', r == 'z', r == 'Z':
			return r - 1
		}
		return r
	}, secret[equal:])
}

// spoilSignature changes all bytes of a cookie's signature behind the first ones.
func spoilSignature(value string, equal int) string {
	text, _ := url.PathUnescape(value)
	i := strings.LastIndexByte(text, '.') + 1
	signature, _ := base64.StdEncoding.DecodeString(text[i:])
	for j := equal; j < len(signature); j++ {
		signature[j] ^= 0xff
	}
	return url.PathEscape(text[:i]) + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}
