package interoptest

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// pluginFlows are those of all plugins but two-factor.
var pluginFlows = []flow{
	{"bearer token", flowBearer},
	{"username", flowUsername},
	{"magic link", flowMagicLink},
	{"code to sign in", flowOTPSignIn},
	{"code to verify the address", flowOTPVerify},
	{"code for a new password", flowOTPReset},
	{"code for a new address", flowOTPChange},
	{"guesses of a code", flowOTPGuesses},
	{"address that nobody has proved", flowUnproven},
	{"keys", flowKeys},
	{"several sessions", flowMultiSession},
	{"one-time token", flowOneTimeToken},
	{"plugins' tokens at the same moment", flowRacePluginTokens},
}

// flowBearer: the token that one hands out is good at the other, signed or not.
func flowBearer(t *testing.T, p *pair) {
	b, _ := p.join(t, p.a)
	signed := b.post(p.a, "/update-user", map[string]any{"name": "Ada"}).is(200).header.Get("Set-Auth-Token")
	if signed == "" {
		t.Fatalf("%s hands out no token", p.a.name)
	}
	raw, _, _ := strings.Cut(signed, ".")
	for _, token := range []string{signed, url.QueryEscape(signed), raw} {
		app := newBrowser(t)
		app.token = token
		app.get(p.b, "/get-session").says(b.get(p.a, "/get-session").is(200).body)
	}
	app := newBrowser(t)
	app.token = signed[:len(signed)-4] + "AAA="
	app.get(p.b, "/get-session").says("null")
}

// flowUsername: a name that one has given away is good and taken at the other.
func flowUsername(t *testing.T, p *pair) {
	b, email := newBrowser(t), p.newAddress()
	name, _, _ := strings.Cut(email, "@")
	b.post(p.a, "/sign-up/email", signUp(email, password, map[string]any{"username": "Lady_" + name})).is(200)
	b.get(p.b, "/get-session").says(b.get(p.a, "/get-session").is(200).body)
	taken := map[string]any{"username": "LADY_" + name}
	newBrowser(t).post(p.b, "/is-username-available", taken).says(`{"available":false}`)
	newBrowser(t).post(p.b, "/sign-up/email", signUp(p.newAddress(), password, taken)).fails(400, "USERNAME_IS_ALREADY_TAKEN")
	signInByName := map[string]any{"username": "lady_" + name, "password": password}
	newBrowser(t).post(p.b, "/sign-in/username", signInByName).is(200)
	b.post(p.b, "/update-user", map[string]any{"username": "Countess_" + name}).is(200)
	newBrowser(t).post(p.a, "/sign-in/username", signInByName).fails(401, "INVALID_USERNAME_OR_PASSWORD")
	newBrowser(t).post(p.a, "/sign-in/username", map[string]any{"username": "countess_" + name, "password": password}).is(200)
	b.get(p.a, "/get-session").says(b.get(p.b, "/get-session").is(200).body)
}

// flowMagicLink: what one mails the other redeems, once.
func flowMagicLink(t *testing.T, p *pair) {
	email := p.newAddress()
	ask := map[string]any{"email": email, "name": "Mary", "callbackURL": "/in", "newUserCallbackURL": "/welcome", "errorCallbackURL": "/oops"}
	for _, target := range []string{"/welcome", "/in"} {
		b := newBrowser(t)
		b.post(p.a, "/sign-in/magic-link", ask).says(`{"status":true}`)
		link := p.a.mails.take(t, "magic link", email).URL
		leadsTo(t, b.follow(p.b, link), target)
		if got := sessionAt(t, b, p.a).User; got.Email != email || got.Name != "Mary" || !got.EmailVerified {
			t.Errorf("%s sees %+v", p.a.name, got)
		}
		for _, at := range []*site{p.a, p.b} {
			leadsTo(t, newBrowser(t).follow(at, link), "/oops?error=INVALID_TOKEN")
		}
	}
}

// leadsTo demands a redirect to a place of the site.
func leadsTo(t *testing.T, r reply, want string) {
	t.Helper()
	if got := r.is(302).header.Get("Location"); got != baseURL+want {
		t.Errorf("%s leads to %s, want %s", r.what, got, want)
	}
}

const success = `{"success":true}`

// otp has a site send a code and returns it.
func (p *pair) otp(t *testing.T, at *site, email, kind string) string {
	t.Helper()
	newBrowser(t).post(at, "/email-otp/send-verification-otp", map[string]any{"email": email, "type": kind}).says(success)
	return at.mails.take(t, kind, email).Token
}

func flowOTPSignIn(t *testing.T, p *pair) {
	email := p.newAddress()
	for range 2 { // up, then in
		body := map[string]any{"email": email, "otp": p.otp(t, p.a, email, "sign-in"), "name": "Joan"}
		check := map[string]any{"email": email, "otp": body["otp"], "type": "sign-in"}
		newBrowser(t).post(p.b, "/email-otp/check-verification-otp", check) // nobody is known the first time
		b := newBrowser(t)
		b.post(p.a, "/sign-in/email-otp", body).is(200)
		if got := sessionAt(t, b, p.b).User; got.Email != email || got.Name != "Joan" || !got.EmailVerified {
			t.Errorf("%s sees %+v", p.b.name, got)
		}
		newBrowser(t).post(p.b, "/sign-in/email-otp", body).fails(400, "INVALID_OTP")
	}
}

func flowOTPVerify(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	b.post(p.b, "/email-otp/verify-email", map[string]any{"email": email, "otp": p.otp(t, p.a, email, "email-verification")}).is(200)
	if !sessionAt(t, b, p.a).User.EmailVerified {
		t.Errorf("%s does not see that the address is verified", p.a.name)
	}
}

func flowOTPReset(t *testing.T, p *pair) {
	b, email := p.join(t, p.a)
	for i, path := range []string{"/email-otp/request-password-reset", "/forget-password/email-otp"} {
		b.post(p.a, path, map[string]any{"email": email}).says(success)
		chosen := "battery staple " + strings.Repeat("!", i)
		reset := map[string]any{"email": email, "otp": p.a.mails.take(t, "forget-password", email).Token, "password": chosen}
		b.post(p.b, "/email-otp/reset-password", reset).says(success)
		b.post(p.a, "/email-otp/reset-password", reset).fails(400, "INVALID_OTP")
		newBrowser(t).post(p.a, "/sign-in/email", signIn(email, chosen)).is(200)
	}
	newBrowser(t).post(p.a, "/sign-in/email", signIn(email, password)).fails(401, "INVALID_EMAIL_OR_PASSWORD")
}

func flowOTPChange(t *testing.T, p *pair) {
	b, _ := p.join(t, p.a)
	next := p.newAddress()
	b.post(p.a, "/email-otp/request-email-change", map[string]any{"newEmail": next}).says(success)
	code := p.a.mails.take(t, "change-email", next).Token
	b.post(p.b, "/email-otp/change-email", map[string]any{"newEmail": next, "otp": code}).says(success)
	if got := sessionAt(t, b, p.a).User; got.Email != next || !got.EmailVerified {
		t.Errorf("%s sees %+v", p.a.name, got)
	}
}

// flowOTPGuesses: both count guesses together.
func flowOTPGuesses(t *testing.T, p *pair) {
	_, email := p.join(t, p.a)
	code := p.otp(t, p.a, email, "sign-in")
	guess := func(at *site, otp string) reply {
		return newBrowser(t).post(at, "/sign-in/email-otp", map[string]any{"email": email, "otp": otp})
	}
	for _, at := range []*site{p.b, p.a, p.b} {
		guess(at, otherCode(code)).fails(400, "INVALID_OTP")
	}
	guess(p.a, code).fails(403, "TOO_MANY_ATTEMPTS")
	guess(p.b, code).fails(400, "INVALID_OTP")
}

// otherCode is a code that is not the right one.
func otherCode(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string('0'+(last-'0'+1)%10)
}

// flowUnproven: whoever proves an address takes it from whoever has only said so,
// at the other site. In MySQL the original fails: it locks the user by a row whose
// id is longer than its own column.
func flowUnproven(t *testing.T, p *pair) {
	squatter, email := p.join(t, p.a)
	proof := map[string]any{"email": email, "otp": p.otp(t, p.b, email, "sign-in")}
	if p.dialect == auth.MySQL && p.b == p.npm {
		newBrowser(t).post(p.b, "/sign-in/email-otp", proof).is(500)
		return
	}
	newBrowser(t).post(p.b, "/sign-in/email-otp", proof).is(200)
	signedOut(t, p, squatter)
	newBrowser(t).post(p.a, "/sign-in/email", signIn(email, password)).fails(401, "INVALID_EMAIL_OR_PASSWORD")
}

// flowKeys: the key that one has made signs at the other too, and both believe
// what is signed with it.
func flowKeys(t *testing.T, p *pair) {
	p.exec(t, "DELETE FROM "+p.sql("jwks", ""))
	b, _ := p.join(t, p.a)
	var first struct{ Token string }
	b.get(p.a, "/token").decode(&first)
	keys := b.get(p.b, "/jwks").is(200).body
	b.get(p.a, "/jwks").says(keys)
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal([]byte(keys), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("keys: %s", keys)
	}
	var second struct{ Token string }
	b.get(p.b, "/token").decode(&second)
	tokens := []string{first.Token, second.Token, b.get(p.b, "/get-session").is(200).header.Get("Set-Auth-Jwt")}
	for _, at := range []*site{p.a, p.b} {
		var signed struct{ Token string }
		at.call(t, "signJWT", map[string]any{"payload": map[string]any{"sub": "somebody", "role": "guest"}}, &signed)
		tokens = append(tokens, signed.Token)
	}
	for i, token := range tokens {
		if !strings.HasPrefix(token, strings.SplitAfter(first.Token, ".")[0]) {
			t.Errorf("token %d has another header: %s", i, token)
		}
		here, there := verifyJWT(t, p.a, token), verifyJWT(t, p.b, token)
		if here != there || here == "null" {
			t.Errorf("token %d says %s at %s, %s at %s", i, here, p.a.name, there, p.b.name)
		}
	}
	for _, at := range []*site{p.a, p.b} {
		if got := verifyJWT(t, at, first.Token[:len(first.Token)-8]+"AAAAAAAA"); got != "null" {
			t.Errorf("%s believes a forgery: %s", at.name, got)
		}
	}
}

// verifyJWT returns the payload that a site sees in a token.
func verifyJWT(t *testing.T, at *site, token string) string {
	t.Helper()
	var verified struct{ Payload any }
	at.call(t, "verifyJWT", map[string]any{"token": token}, &verified)
	text, err := json.Marshal(verified.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// flowMultiSession: both know all who are in a browser.
func flowMultiSession(t *testing.T, p *pair) {
	b, first := newBrowser(t), p.newAddress()
	b.post(p.a, "/sign-up/email", signUp(first, password, nil)).is(200)
	token := sessionAt(t, b, p.a).Session.Token
	b.post(p.b, "/sign-up/email", signUp(p.newAddress(), password, nil)).is(200)
	var list []sessionAnswer
	b.get(p.a, "/multi-session/list-device-sessions").decode(&list)
	if len(list) != 2 {
		t.Fatalf("%s sees %v", p.a.name, list)
	}
	var other []sessionAnswer
	b.get(p.b, "/multi-session/list-device-sessions").decode(&other)
	if !sameSet(list, other) {
		t.Errorf("%s sees %v, %s sees %v", p.a.name, list, p.b.name, other)
	}
	b.post(p.b, "/multi-session/set-active", map[string]any{"sessionToken": token}).is(200)
	if got := sessionAt(t, b, p.a); got.User.Email != first {
		t.Errorf("%s sees %+v", p.a.name, got)
	}
	b.post(p.b, "/multi-session/revoke", map[string]any{"sessionToken": token}).says(`{"status":true}`)
	if got := sessionAt(t, b, p.a); got.User.Email == first {
		t.Errorf("%s sees %+v", p.a.name, got)
	}
	kept := newBrowser(t)
	kept.cookies[tokenName] = b.cookies[tokenName]
	b.post(p.a, "/sign-out", map[string]any{}).is(200)
	signedOut(t, p, kept)
	b.get(p.b, "/multi-session/list-device-sessions").says("[]")
	for name := range b.cookies {
		t.Errorf("cookie %s after sign-out", name)
	}
}

// sameSet compares lists without regard to their order.
func sameSet(a, b []sessionAnswer) bool {
	count := make(map[string]int)
	for _, s := range a {
		count[s.Session.Token+s.User.ID]++
	}
	for _, s := range b {
		count[s.Session.Token+s.User.ID]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return len(a) == len(b)
}

func flowOneTimeToken(t *testing.T, p *pair) {
	b, _ := p.join(t, p.a)
	var made struct{ Token string }
	b.get(p.a, "/one-time-token/generate").decode(&made)
	phone := newBrowser(t)
	phone.post(p.b, "/one-time-token/verify", map[string]any{"token": made.Token}).says(b.get(p.a, "/get-session").is(200).body)
	phone.get(p.a, "/get-session").says(b.get(p.b, "/get-session").is(200).body)
	for _, at := range []*site{p.a, p.b} {
		newBrowser(t).post(at, "/one-time-token/verify", map[string]any{"token": made.Token}).is(400)
	}
}

func flowRacePluginTokens(t *testing.T, p *pair) {
	b, _ := p.join(t, p.a)
	strangers := func() [2]*browser { return [2]*browser{newBrowser(t), newBrowser(t)} }
	var made struct{ Token string }
	b.get(p.a, "/one-time-token/generate").decode(&made)
	p.oneWins(t, p.atOnce(strangers(), "/one-time-token/verify", map[string]any{"token": made.Token}), 400)
	email := p.newAddress()
	code := p.otp(t, p.a, email, "sign-in")
	p.oneWins(t, p.atOnce(strangers(), "/sign-in/email-otp", map[string]any{"email": email, "otp": code}), 400)
}
