package main

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// An authenticator is the app of a user.
type authenticator struct {
	t   *testing.T
	key string
	at  time.Time
}

// code returns the code of this moment, and then, since each is good once, the next
// one, which the app would show half a minute later. There is no third.
func (a *authenticator) code() string {
	a.t.Helper()
	if a.at.After(time.Now().Add(30 * time.Second)) {
		a.t.Fatal("the third code is not good yet")
	}
	code := totp(a.t, a.key, a.at)
	a.at = a.at.Add(30 * time.Second)
	return code
}

// wrong returns a code that is none of the app's.
func (a *authenticator) wrong() string {
	for code := 0; ; code++ {
		text := strings.Repeat(string(rune('0'+code)), 6)
		if !slices.ContainsFunc([]time.Duration{-60, -30, 0, 30, 60}, func(s time.Duration) bool {
			return totp(a.t, a.key, time.Now().Add(s*time.Second)) == text
		}) {
			return text
		}
	}
}

var (
	shownKey    = regexp.MustCompile(`<code id="secret"[^>]*>([A-Z2-7]+)</code>`)
	shownCode   = regexp.MustCompile(`<li><code>([^<]+)</code></li>`)
	shownAppURI = regexp.MustCompile(`<a href="(otpauth://[^"]+)"`)
)

// backupCodes are those that a page shows.
func (p page) backupCodes() (codes []string) {
	for _, found := range shownCode.FindAllStringSubmatch(p.body, -1) {
		codes = append(codes, found[1])
	}
	return codes
}

// setUpTwoFactor turns two-factor authentication on. It returns the app, one of
// whose codes is spent, and the backup codes.
func (b *browser) setUpTwoFactor() (*authenticator, []string) {
	b.t.Helper()
	p := b.post("/two-factor/enable", "password", firstPassword).at("/two-factor/enable")
	key := shownKey.FindStringSubmatch(p.body)
	if key == nil || len(p.backupCodes()) != 10 {
		b.t.Fatalf("no key or no backup codes:\n%s", p.body)
	}
	app := &authenticator{b.t, key[1], time.Now()}
	b.post("/two-factor/confirm", "code", app.code()).at("/account").notices("Two-factor authentication is on.")
	return app, p.backupCodes()
}

const secondStep = secondStepPath + appCode

func TestTwoFactor(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com").says("Two-factor authentication", `<span class="badge">Off</span>`)
	p := b.post("/two-factor/enable", "password", secondPassword).at("/account").notices("Error: Invalid password")
	if got := markedInput(p); got != "password" {
		t.Errorf("input %q is marked", got)
	}

	p = b.post("/two-factor/enable", "password", firstPassword).at("/two-factor/enable").says("<svg ", "QR code")
	if uri := shownAppURI.FindStringSubmatch(p.body); uri == nil || !strings.Contains(uri[1], shownKey.FindStringSubmatch(p.body)[1]) ||
		!strings.HasPrefix(uri[1], "otpauth://totp/Example:ada%40example.com?") {
		t.Errorf("the app's URI is %q", uri)
	}
	if got := p.header.Get("Cache-Control"); got != "no-store" || p.header["Set-Cookie"] != nil {
		t.Errorf("the page with the key may be stored (%q), or sets cookies: %q", got, p.header["Set-Cookie"])
	}
	b.open("/two-factor/enable").at("/account").says(`<span class="badge">Off</span>`) // until it has been shown to work
	s.browser(t).signIn("ada@example.com", firstPassword).at("/account")

	app := &authenticator{t, shownKey.FindStringSubmatch(p.body)[1], time.Now()}
	p = b.post("/two-factor/confirm", "code", app.wrong()).at("/two-factor/confirm").notices("Error: Invalid code").says("not on yet")
	if got := markedInput(p); got != "code" {
		t.Errorf("input %q is marked", got)
	}
	code := app.code()
	b.post("/two-factor/confirm", "code", code[:3]+" "+code[3:]).at("/account").
		notices("Two-factor authentication is on.").says(`<span class="badge good">On</span>`)

	visitor := s.browser(t)
	visitor.signIn("ada@example.com", firstPassword).at(secondStep).says("Second step", "Trust this device")
	visitor.open("/account").at("/sign-in") // the password alone is nothing
	p = visitor.post(secondStep, "code", app.wrong()).at(secondStep).notices("Error: Invalid code")
	if got := markedInput(p); got != "code" {
		t.Errorf("input %q is marked", got)
	}
	visitor.post(secondStep, "code", code).at(secondStep).notices("Error: Invalid code") // spent
	visitor.post(secondStep, "code", app.code()).at("/account").says("Ada Lovelace")
	visitor.open(secondStep).at("/account") // nothing to do there
}

func TestSecondStepAfterUsername(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	b.post("/account", "name", "Ada", "username", "ada").at("/account")
	app, _ := b.setUpTwoFactor()
	visitor := s.browser(t)
	visitor.signIn("ada", secondPassword).at("/sign-in")
	visitor.signIn("ada", firstPassword).at(secondStep)
	visitor.post(secondStep, "code", app.code()).at("/account")
}

func TestBackupCodes(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	_, codes := b.setUpTwoFactor()
	const backup = secondStepPath + backupCode

	visitor := s.browser(t)
	visitor.signIn("ada@example.com", firstPassword).at(secondStep).says(`href="` + backup + `"`)
	visitor.open(backup).at(backup).says("Backup code")
	visitor.post(backup, "code", "wrong-codes").at(backup).notices("Error: Invalid backup code")
	visitor.post(backup, "code", codes[3]).at("/account")

	visitor = s.browser(t)
	visitor.signIn("ada@example.com", firstPassword).at(secondStep)
	visitor.post(backup, "code", codes[3]).at(backup).notices("Error: Invalid backup code") // spent

	b.post("/two-factor/backup-codes", "password", secondPassword).at("/account").notices("Error: Invalid password")
	fresh := b.post("/two-factor/backup-codes", "password", firstPassword).at("/two-factor/backup-codes").says("New backup codes").backupCodes()
	if len(fresh) != 10 || slices.Contains(fresh, codes[0]) {
		t.Fatalf("codes %q after %q", fresh, codes)
	}
	visitor.post(backup, "code", codes[0]).at(backup).notices("Error: Invalid backup code")
	visitor.post(backup, "code", fresh[0]).at("/account")
}

func TestSecondStepByMail(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	app, _ := b.setUpTwoFactor()
	const mailed = secondStepPath + mailCode

	visitor := s.browser(t)
	visitor.signIn("ada@example.com", firstPassword).at(secondStep).says("Mail me a code")
	visitor.post(mailed, "code", "000000").at(mailed).notices("Error: OTP has expired")
	visitor.post(secondStepPath + "send").at(mailed).notices("We sent you a mail with a code.")
	first := s.mail(t, "ada@example.com", "Your code")
	visitor.open("/outbox").says(first.Code)
	visitor.post(mailed, "code", app.code()).at(mailed).notices("Error: Invalid code")
	visitor.post(secondStepPath + "send").at(mailed)
	second := s.mail(t, "ada@example.com", "Your code")
	if first.Code != second.Code {
		visitor.post(mailed, "code", first.Code).at(mailed).notices("Error: Invalid code")
	}
	visitor.post(mailed, "code", second.Code).at("/account")
}

func TestTrustedDevice(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	app, codes := b.setUpTwoFactor()

	device := s.browser(t)
	device.signIn("ada@example.com", firstPassword).at(secondStep)
	device.post(secondStep, "code", app.code(), "trust", "on").at("/account")
	for range 2 {
		device.post("/sign-out").at("/sign-in")
		device.signIn("ada@example.com", firstPassword).at("/account")
	}
	s.browser(t).signIn("ada@example.com", firstPassword).at(secondStep)

	// Without the box the device is asked again.
	other := s.browser(t)
	other.signIn("ada@example.com", firstPassword).at(secondStep)
	other.post(secondStepPath+backupCode, "code", codes[0]).at("/account")
	other.post("/sign-out").at("/sign-in")
	other.signIn("ada@example.com", firstPassword).at(secondStep)
}

// Whether the browser is to remember the session is a matter of the first step.
func TestSecondStepRemembers(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	_, codes := b.setUpTwoFactor()
	for i, remember := range []bool{true, false} {
		visitor := s.browser(t)
		form := []string{"login", "ada@example.com", "password", firstPassword}
		if remember {
			form = append(form, "remember", "on")
		}
		visitor.post("/sign-in", form...).at(secondStep)
		visitor.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		cookies := visitor.post(secondStepPath+backupCode, "code", codes[i]).header["Set-Cookie"]
		at := slices.IndexFunc(cookies, func(c string) bool { return strings.Contains(c, "session_token=") })
		if at < 0 || strings.Contains(cookies[at], "Max-Age") != remember {
			t.Errorf("remember %v: cookies %q", remember, cookies)
		}
	}
}

func TestTwoFactorOff(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	b.setUpTwoFactor()
	b.open("/account").says("Turn off")
	b.post("/two-factor/enable", "password", firstPassword).at("/account").notices("Error: TOTP is already enabled")
	b.post("/two-factor/disable", "password", secondPassword).at("/account").notices("Error: Invalid password").says("Turn off")
	b.post("/two-factor/disable", "password", firstPassword).at("/account").
		notices("Two-factor authentication is off.").says(`<span class="badge">Off</span>`)
	s.browser(t).signIn("ada@example.com", firstPassword).at("/account")
}

// Links and providers lead to the second step too.
func TestSecondStepEverywhere(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	b.with("/sign-in/social").as("ada").at("/account")
	b.open("/account").says("Turn on").saysNot(`name="password"`) // there is none
	p := b.post("/two-factor/enable").at("/two-factor/enable")
	app := &authenticator{t, shownKey.FindStringSubmatch(p.body)[1], time.Now()}
	b.post("/two-factor/confirm", "code", app.code()).at("/account").says("Turn off")

	const asked = secondStep + "?methods=totp%2Cotp"
	visitor := s.browser(t)
	visitor.with("/sign-in/social").as("ada").at(asked).says("Second step")
	visitor.open("/account").at("/sign-in")
	visitor.open(s.signInLink(t, visitor, "ada@example.com")).at(asked)
	visitor.open("/account").at("/sign-in")
	visitor.post(secondStep, "code", app.code()).at("/account").says("ada@example.com")
}

// There is no second step without the first, and no end of wrong codes.
func TestSecondStepEnds(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	app, codes := b.setUpTwoFactor()
	const tooLong = "Error: That took too long. Please sign in again."
	for _, path := range []string{secondStep, secondStepPath + mailCode, secondStepPath + backupCode, secondStepPath + "send", "/two-factor/confirm"} {
		s.browser(t).post(path, "code", codes[0]).at("/sign-in").notices(tooLong)
	}

	visitor := s.browser(t)
	visitor.signIn("ada@example.com", firstPassword).at(secondStep)
	for range 5 {
		visitor.post(secondStep, "code", app.wrong()).at(secondStep).notices("Error: Invalid code")
	}
	visitor.post(secondStep, "code", app.code()).at("/sign-in").notices("Error: Too many wrong codes. Please sign in again.")
	visitor.post(secondStepPath+backupCode, "code", codes[0]).at("/sign-in").notices(tooLong)
}

func TestTooManyCodes(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	for range attempts.Max {
		b.post(secondStep, "code", "000000").at("/sign-in")
	}
	b.post(secondStep, "code", "000000").at(secondStep).notices("Error: Too many requests. Please try again later.")
}

func TestTwoFactorFormsOfOtherSites(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	for _, path := range []string{
		"/two-factor/enable", "/two-factor/confirm", "/two-factor/disable", "/two-factor/backup-codes",
		secondStep, secondStepPath + "send", "/sign-in/link",
	} {
		req := b.newPost(path, "password", firstPassword, "code", "000000", "email", "ada@example.com")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		if p := b.do(req); p.status != http.StatusForbidden {
			t.Errorf("%s: status %d", path, p.status)
		}
	}
}
