package interoptest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
)

// basic is what other ids and other names could break.
var basic = []flow{
	{"session", flowSession},
	{"update of the user", flowUpdateUser},
	{"verification of the address", flowVerify},
	{"deletion of the user", flowDelete},
}

// essential is what every shared database lives on.
var essential = append([]flow{
	{"password", flowPassword},
	{"revocation", flowRevoke},
	{"additional fields", flowFields},
}, basic...)

// further is the rest of what the core does.
var further = []flow{
	{"password in two spellings", flowSpellings},
	{"session for a day", flowForgotten},
	{"password reset", flowReset},
	{"new address, not verified", flowChangeEmail},
	{"new address, verified", flowChangeVerifiedEmail},
	{"new password", flowChangePassword},
	{"sign-ups at the same moment", flowRaceSignUp},
	{"tokens at the same moment", flowRaceTokens},
}

// flowPassword: a hash is good on both sides.
func flowPassword(t *testing.T, p *pair) {
	_, email := p.join(t, p.a)
	b := newBrowser(t)
	b.post(p.b, "/sign-in/email", signIn(email, "wrong horse")).fails(401, "INVALID_EMAIL_OR_PASSWORD")
	b.post(p.b, "/sign-in/email", signIn(strings.ToUpper(email), password)).is(200)
	b.post(p.b, "/sign-up/email", signUp(email, password, nil)).fails(422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
	b.post(p.a, "/verify-password", map[string]any{"password": password}).says(`{"status":true}`)
}

// flowSpellings: what one system sends as one character, another sends as two.
func flowSpellings(t *testing.T, p *pair) {
	const decomposed, composed = "pa\u0308sswo\u0308rd \ufb01", "p\u00e4ssw\u00f6rd fi"
	email := p.newAddress()
	newBrowser(t).post(p.a, "/sign-up/email", signUp(email, decomposed, nil)).is(200)
	newBrowser(t).post(p.b, "/sign-in/email", signIn(email, composed)).is(200)
}

// flowSession: both read a session as the same JSON, to the byte.
func flowSession(t *testing.T, p *pair) {
	b, _ := p.join(t, p.a)
	for _, path := range []string{"/get-session", "/list-sessions", "/list-accounts"} {
		here := b.get(p.a, path).is(200).body
		if len(here) < 50 {
			t.Fatalf("%s: %s", path, here)
		}
		b.get(p.b, path).says(here)
	}
	b.post(p.b, "/sign-out", map[string]any{}).says(`{"success":true}`)
	if len(b.cookies) > 0 {
		t.Errorf("cookies after sign-out: %v", b.cookies)
	}
}

// flowForgotten: a session that is not to be remembered is never prolonged.
func flowForgotten(t *testing.T, p *pair) {
	_, email := p.join(t, p.a)
	b := newBrowser(t)
	body := signIn(email, password)
	body["rememberMe"] = false
	b.post(p.a, "/sign-in/email", body).is(200)
	if b.cookies["better-auth.dont_remember"] == "" {
		t.Errorf("%s set no dont_remember cookie: %v", p.a.name, b.cookies)
	}
	before := b.get(p.a, "/get-session").is(200).body
	b.get(p.b, "/get-session").says(before)
	b.get(p.a, "/get-session").says(before)
}

// flowUpdateUser: each sees what the other changed.
func flowUpdateUser(t *testing.T, p *pair) {
	b, _ := p.join(t, p.a)
	b.post(p.a, "/update-user", map[string]any{"name": "Ada Lovelace", "image": "https://example.com/é?a=1&b=<2>"}).says(`{"status":true}`)
	if got := sessionAt(t, b, p.b).User; got.Name != "Ada Lovelace" || got.Image == nil || *got.Image != "https://example.com/é?a=1&b=<2>" {
		t.Errorf("%s sees %+v", p.b.name, got)
	}
	b.post(p.b, "/update-user", map[string]any{"name": "Countess of Lovelace", "image": nil}).says(`{"status":true}`)
	if got := sessionAt(t, b, p.a).User; got.Name != "Countess of Lovelace" || got.Image != nil {
		t.Errorf("%s sees %+v", p.a.name, got)
	}
	b.get(p.b, "/get-session").says(b.get(p.a, "/get-session").body)
}

// A sessionAnswer is the part of get-session's answer that tests look at.
type sessionAnswer struct {
	Session struct{ Token, ExpiresAt, UpdatedAt string }
	User    struct {
		Name, Email, ID string
		EmailVerified   bool
		Image           *string
	}
}

func sessionAt(t *testing.T, b *browser, at *site) sessionAnswer {
	t.Helper()
	var answer *sessionAnswer
	b.get(at, "/get-session").decode(&answer)
	if answer == nil {
		t.Fatalf("no session at %s", at.name)
	}
	return *answer
}

// signedOut demands that neither site knows the browser.
func signedOut(t *testing.T, p *pair, b *browser) {
	t.Helper()
	kept := b.cookies["better-auth.session_token"]
	for _, at := range []*site{p.a, p.b} {
		ghost := newBrowser(t)
		if kept != "" {
			ghost.cookies["better-auth.session_token"] = kept
		}
		ghost.get(at, "/get-session").says("null")
	}
}

// flowReset: a token made by one is redeemed at the other, once.
func flowReset(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	b.post(p.a, "/request-password-reset", map[string]any{"email": email, "redirectTo": "/reset?x=1"}).is(200)
	m := p.a.mails.await(t, "reset", email)
	if got, want := b.follow(p.b, m.URL).is(302).header.Get("Location"), baseURL+"/reset?x=1&token="+m.Token; got != want {
		t.Errorf("Location %s, want %s", got, want)
	}
	reset := map[string]any{"newPassword": "battery staple", "token": m.Token}
	b.post(p.b, "/reset-password", reset).says(`{"status":true}`)
	b.post(p.a, "/reset-password", reset).fails(400, "INVALID_TOKEN")
	for _, at := range []*site{p.a, p.b} {
		newBrowser(t).post(at, "/sign-in/email", signIn(email, password)).fails(401, "INVALID_EMAIL_OR_PASSWORD")
		newBrowser(t).post(at, "/sign-in/email", signIn(email, "battery staple")).is(200)
	}
}

// flowVerify: the token is signed with the secret and stored nowhere.
func flowVerify(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	b.post(p.a, "/send-verification-email", map[string]any{"email": email, "callbackURL": "/in"}).says(`{"status":true}`)
	m := p.a.mails.await(t, "verification", email)
	if got := b.follow(p.b, m.URL).is(302).header.Get("Location"); got != "/in" {
		t.Errorf("Location %s", got)
	}
	if !sessionAt(t, b, p.a).User.EmailVerified {
		t.Errorf("%s does not see that the address is verified", p.a.name)
	}
	b.post(p.b, "/send-verification-email", map[string]any{"email": email}).fails(400, "EMAIL_ALREADY_VERIFIED")
}

func flowChangeEmail(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	next := p.newAddress()
	b.post(p.a, "/change-email", map[string]any{"newEmail": next}).says(`{"status":true}`)
	m := p.a.mails.await(t, "verification", next)
	b.get(p.b, "/verify-email?token="+url.QueryEscape(m.Token)).is(200)
	if got := sessionAt(t, b, p.a).User; got.Email != next || got.EmailVerified {
		t.Errorf("%s sees %+v", p.a.name, got)
	}
	b.get(p.a, "/verify-email?token="+url.QueryEscape(m.Token)).fails(401, "INVALID_TOKEN")
	newBrowser(t).post(p.a, "/sign-in/email", signIn(email, password)).fails(401, "INVALID_EMAIL_OR_PASSWORD")
	newBrowser(t).post(p.b, "/sign-in/email", signIn(next, password)).is(200)
}

// flowChangeVerifiedEmail: the old address confirms at one site, which writes to
// the new address; the other site redeems that.
func flowChangeVerifiedEmail(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	b.post(p.a, "/send-verification-email", map[string]any{"email": email}).is(200)
	b.follow(p.a, p.a.mails.await(t, "verification", email).URL)
	next := p.newAddress()
	b.post(p.a, "/change-email", map[string]any{"newEmail": next}).says(`{"status":true}`)
	confirmation := p.a.mails.await(t, "confirmation", email)
	if confirmation.NewEmail != next {
		t.Errorf("confirmation of %q", confirmation.NewEmail)
	}
	b.follow(p.b, confirmation.URL).is(302)
	b.follow(p.a, p.b.mails.await(t, "verification", next).URL).is(302)
	if got := sessionAt(t, b, p.b).User; got.Email != next || !got.EmailVerified {
		t.Errorf("%s sees %+v", p.b.name, got)
	}
}

func flowDelete(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	b.post(p.a, "/delete-user", map[string]any{"callbackURL": "/bye"}).is(200)
	m := p.a.mails.await(t, "deletion", email)
	kept := newBrowser(t)
	kept.cookies["better-auth.session_token"] = b.cookies["better-auth.session_token"]
	if got := b.follow(p.b, m.URL).is(302).header.Get("Location"); got != "/bye" {
		t.Errorf("Location %s", got)
	}
	signedOut(t, p, kept)
	newBrowser(t).post(p.a, "/sign-up/email", signUp(email, password, nil)).is(200)
}

func flowChangePassword(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	other := newBrowser(t)
	other.post(p.a, "/sign-in/email", signIn(email, password)).is(200)
	b.post(p.b, "/change-password", map[string]any{
		"currentPassword": password, "newPassword": "battery staple", "revokeOtherSessions": true,
	}).is(200)
	signedOut(t, p, other)
	if got := sessionAt(t, b, p.a).User.Email; got != email {
		t.Errorf("signed in as %q", got)
	}
	newBrowser(t).post(p.a, "/sign-in/email", signIn(email, password)).fails(401, "INVALID_EMAIL_OR_PASSWORD")
	newBrowser(t).post(p.a, "/sign-in/email", signIn(email, "battery staple")).is(200)
}

// flowRevoke: a session that one ends is over at the other.
func flowRevoke(t *testing.T, p *pair) {
	first, email := p.join(t, p.a)
	var more [3]*browser
	for i, at := range []*site{p.a, p.b, p.a} {
		more[i] = newBrowser(t)
		more[i].post(at, "/sign-in/email", signIn(email, password)).is(200)
	}
	first.get(p.b, "/list-sessions").says(first.get(p.a, "/list-sessions").body)
	first.post(p.b, "/revoke-session", map[string]any{"token": sessionAt(t, more[0], p.b).Session.Token}).says(`{"status":true}`)
	signedOut(t, p, more[0])
	kept := newBrowser(t)
	kept.cookies["better-auth.session_token"] = more[1].cookies["better-auth.session_token"]
	more[1].post(p.b, "/sign-out", map[string]any{}).says(`{"success":true}`)
	signedOut(t, p, kept)
	first.post(p.b, "/revoke-other-sessions", map[string]any{}).says(`{"status":true}`)
	signedOut(t, p, more[2])
	kept.cookies["better-auth.session_token"] = first.cookies["better-auth.session_token"]
	sessionAt(t, first, p.a)
	first.post(p.b, "/revoke-sessions", map[string]any{}).says(`{"status":true}`)
	signedOut(t, p, kept)
}

// atOnce sends a request to both sites at the same moment and returns the
// answers.
func (p *pair) atOnce(browsers [2]*browser, path string, body any) (replies [2]reply) {
	var done sync.WaitGroup
	for i, at := range []*site{p.a, p.b} {
		done.Go(func() { replies[i] = browsers[i].post(at, path, body) })
	}
	done.Wait()
	return replies
}

// oneWins demands that exactly one of two answers is a success and that the
// other has one of the given statuses. The original fails on SQLite when its
// transaction has read before another process wrote, and on MySQL when the server ends
// it because of a deadlock.
func (p *pair) oneWins(t *testing.T, replies [2]reply, losing ...int) {
	t.Helper()
	won := 0
	for i, at := range []*site{p.a, p.b} {
		r := replies[i]
		overtaken := r.status == 500 && p.dialect != auth.PostgreSQL && at == p.npm
		if r.status == 200 {
			won++
		} else if !overtaken && !slices.Contains(losing, r.status) {
			t.Errorf("%s: %d %s", r.what, r.status, r.body)
		}
	}
	if won != 1 {
		t.Errorf("%d of two succeed: %+v", won, replies)
	}
}

func flowRaceSignUp(t *testing.T, p *pair) {
	email := p.newAddress()
	p.oneWins(t, p.atOnce([2]*browser{newBrowser(t), newBrowser(t)}, "/sign-up/email", signUp(email, password, nil)), 422)
	newBrowser(t).post(p.a, "/sign-in/email", signIn(email, password)).is(200)
}

func flowRaceTokens(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	b.post(p.a, "/request-password-reset", map[string]any{"email": email}).is(200)
	m := p.a.mails.await(t, "reset", email)
	p.oneWins(t, p.atOnce([2]*browser{newBrowser(t), newBrowser(t)}, "/reset-password",
		map[string]any{"newPassword": "battery staple", "token": m.Token}), 400)
	b.post(p.a, "/delete-user", map[string]any{}).is(200)
	m = p.a.mails.await(t, "deletion", email)
	both := [2]*browser{newBrowser(t), newBrowser(t)}
	for _, half := range both {
		half.cookies["better-auth.session_token"] = b.cookies["better-auth.session_token"]
	}
	// 401: the session went with the user.
	p.oneWins(t, p.atOnce(both, "/delete-user", map[string]any{"token": m.Token}), 404, 401)
}

// flowFields: one writes additional fields, the other reads and changes them.
func flowFields(t *testing.T, p *pair) {
	b, email := newBrowser(t), p.newAddress()
	values := map[string]any{"handle": email}
	for name, value := range userValues {
		values[name] = value
	}
	b.post(p.a, "/sign-up/email", signUp(email, password, values)).is(200)
	b.post(p.a, "/update-session", sessionValues).is(200)
	here := b.get(p.a, "/get-session").is(200).body
	b.get(p.b, "/get-session").says(here)
	var got struct{ Session, User map[string]any }
	if err := json.Unmarshal([]byte(here), &got); err != nil {
		t.Fatal(err)
	}
	hasValues(t, got.User, values)
	hasValues(t, got.Session, sessionValues)
	newBrowser(t).post(p.b, "/sign-up/email", signUp(p.newAddress(), password, map[string]any{"handle": email})).is(422)

	b.post(p.b, "/update-user", map[string]any{"level": 8, "newsletter": false, "tags": []string{}, "settings": nil, "birthday": nil}).is(200)
	b.post(p.b, "/update-session", map[string]any{"trusted": false, "seen": nil, "place": []any{"Rome", nil}}).is(200)
	there := b.get(p.b, "/get-session").is(200).body
	if there == here {
		t.Error("nothing has changed")
	}
	b.get(p.a, "/get-session").says(there)
}

// hasValues demands that an entity has what a client sent.
func hasValues(t *testing.T, entity, sent map[string]any) {
	t.Helper()
	for name, value := range sent {
		want, _ := json.Marshal(value)
		got, _ := json.Marshal(entity[name])
		if name == "note" {
			want = []byte("null") // hidden from clients
		}
		if string(got) != string(want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// flowCache: each reads the copy of the session that the other put in a cookie.
func flowCache(t *testing.T, p *pair) {
	b, _ := p.join(t, p.a)
	if b.cookies["better-auth.session_data"] == "" {
		t.Fatalf("no session_data cookie: %v", b.cookies)
	}
	p.exec(t, "DELETE FROM "+p.quote("session")) // there is nothing else to read
	here := sessionAt(t, b, p.a)
	if there := sessionAt(t, b, p.b); there.Session != here.Session || there.User.ID != here.User.ID {
		t.Errorf("%s reads %+v, %s reads %+v", p.a.name, here, p.b.name, there)
	}
	b.get(p.b, "/get-session?disableCookieCache=true").says("null")
}

// flowLargeCache: a copy that is too large for one cookie is in several.
func flowLargeCache(t *testing.T, p *pair) {
	b, image := newBrowser(t), "data:,"+strings.Repeat("Ada%20", 1000)
	body := signUp(p.newAddress(), password, map[string]any{"image": image})
	b.post(p.a, "/sign-up/email", body).is(200)
	if b.cookies["better-auth.session_data.1"] == "" {
		t.Fatal("no session_data.1 cookie")
	}
	p.exec(t, "DELETE FROM "+p.quote("session"))
	if got := sessionAt(t, b, p.b).User.Image; got == nil || *got != image {
		t.Errorf("%s reads %v", p.b.name, got)
	}
}

// flowRefresh: each prolongs what the other made.
func flowRefresh(t *testing.T, p *pair) {
	b, _ := p.join(t, p.a)
	before := sessionAt(t, b, p.a).Session
	for _, at := range []*site{p.b, p.a, p.b} {
		var prolonged sessionAnswer
		b.get(at, "/get-session?disableCookieCache=true").decode(&prolonged)
		if after := prolonged.Session; after.Token != before.Token || after.ExpiresAt <= before.ExpiresAt {
			t.Errorf("%s did not prolong %+v: %+v", at.name, before, after)
		}
		before = prolonged.Session
	}
	if rows := p.texts(t, "SELECT COUNT(*) FROM "+p.quote("session")); rows[0] != "1" {
		t.Errorf("%s sessions", rows[0])
	}
}
