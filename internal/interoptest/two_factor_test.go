package interoptest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// twoFactorFlows are those of the plugin two-factor.
var twoFactorFlows = []flow{
	{"authenticator", flowAuthenticator},
	{"backup codes", flowBackupCodes},
	{"trusted device", flowTrustedDevice},
	{"second factor by mail", flowMailedFactor},
	{"guesses of the second factor", flowFactorGuesses},
	{"second factor, disabled", flowDisabledFactor},
	{"second factors at the same moment", flowRaceFactors},
}

// A protected person has an authenticator.
type protected struct {
	*browser
	email, secret string
	backupCodes   []string
}

// protect enables a second factor at one site and confirms it at another.
func (p *pair) protect(t *testing.T, enables, confirms *site) *protected {
	t.Helper()
	b, email := p.join(t, enables)
	u := enable(t, b, enables, email)
	b.verify(confirms, "totp", u.totp(t)).is(200)
	return u
}

// enable makes an authenticator for whoever is signed in.
func enable(t *testing.T, b *browser, at *site, email string) *protected {
	t.Helper()
	var enabled struct {
		TOTPURI     string
		BackupCodes []string
	}
	b.post(at, "/two-factor/enable", map[string]any{"password": password}).decode(&enabled)
	uri, err := url.Parse(enabled.TOTPURI)
	if err != nil {
		t.Fatal(err)
	}
	return &protected{b, email, uri.Query().Get("secret"), enabled.BackupCodes}
}

// totp is the code of RFC 6238 at this moment.
func (u *protected) totp(t *testing.T) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, time.Now().Unix()/30)
	sum := mac.Sum(nil)
	truncated := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", truncated%1_000_000)
}

// challenged returns a browser on which the user has given the password at a
// site.
func (u *protected) challenged(t *testing.T, at *site) *browser {
	t.Helper()
	b := newBrowser(t)
	b.post(at, "/sign-in/email", signIn(u.email, password)).says(`{"twoFactorRedirect":true,"twoFactorMethods":["totp","otp"]}`)
	return b
}

// verify gives a second factor.
func (b *browser) verify(at *site, method, code string) reply {
	b.t.Helper()
	return b.post(at, "/two-factor/verify-"+method, map[string]any{"code": code})
}

// flowAuthenticator: enabled at one, confirmed at the other, asked for by both; a
// challenge of one ends at the other.
func flowAuthenticator(t *testing.T, p *pair) {
	u := p.protect(t, p.a, p.b)
	u.get(p.a, "/get-session").says(u.get(p.b, "/get-session").is(200).body)
	var here, there struct{ TOTPURI string }
	u.post(p.a, "/two-factor/get-totp-uri", map[string]any{"password": password}).decode(&here)
	u.post(p.b, "/two-factor/get-totp-uri", map[string]any{"password": password}).decode(&there)
	if here != there {
		t.Errorf("%s says %v, %s says %v", p.a.name, here, p.b.name, there)
	}
	for _, at := range [][2]*site{{p.a, p.b}, {p.b, p.a}, {p.b, p.b}} {
		b := u.challenged(t, at[0])
		b.get(at[1], "/get-session").says("null")
		b.verify(at[1], "totp", otherCode(u.totp(t))).fails(401, "INVALID_CODE")
		b.verify(at[1], "totp", u.totp(t)).is(200)
		if got := sessionAt(t, b, at[0]).User.Email; got != u.email {
			t.Errorf("signed in as %s", got)
		}
		newBrowser(t).verify(at[0], "totp", u.totp(t)).fails(401, "INVALID_TWO_FACTOR_COOKIE")
	}
}

// flowBackupCodes: made at one, used at both, each once.
func flowBackupCodes(t *testing.T, p *pair) {
	u := p.protect(t, p.a, p.a)
	for i, at := range []*site{p.b, p.a, p.b} {
		u.challenged(t, p.a).verify(at, "backup-code", u.backupCodes[i]).is(200)
	}
	spent := u.challenged(t, p.b)
	for i, at := range []*site{p.a, p.b, p.a} {
		spent.verify(at, "backup-code", u.backupCodes[i]).fails(401, "INVALID_BACKUP_CODE")
	}
	old := u.backupCodes[3]
	var renewed struct{ BackupCodes []string }
	u.post(p.b, "/two-factor/generate-backup-codes", map[string]any{"password": password}).decode(&renewed)
	b := u.challenged(t, p.a)
	b.verify(p.a, "backup-code", old).fails(401, "INVALID_BACKUP_CODE")
	b.verify(p.a, "backup-code", renewed.BackupCodes[9]).is(200)
	var viewed struct{ BackupCodes []string }
	p.a.call(t, "viewBackupCodes", map[string]any{"userId": sessionAt(t, b, p.a).User.ID}, &viewed)
	if len(viewed.BackupCodes) != 9 || viewed.BackupCodes[0] != renewed.BackupCodes[0] {
		t.Errorf("%s sees %v, %s made %v", p.a.name, viewed.BackupCodes, p.b.name, renewed.BackupCodes)
	}
}

// flowTrustedDevice: a device that one trusts needs no second factor at the other,
// whose mark is good at the first in turn.
func flowTrustedDevice(t *testing.T, p *pair) {
	u := p.protect(t, p.a, p.a)
	b := u.challenged(t, p.a)
	b.post(p.a, "/two-factor/verify-totp", map[string]any{"code": u.totp(t), "trustDevice": true}).is(200)
	const cookie = "better-auth.trust_device"
	first := b.cookies[cookie]
	for _, at := range []*site{p.b, p.a, p.b} {
		delete(b.cookies, tokenName)
		mark := b.cookies[cookie]
		b.post(at, "/sign-in/email", signIn(u.email, password)).is(200)
		if sessionAt(t, b, p.a).User.Email != u.email || b.cookies[cookie] == mark {
			t.Errorf("%s has not trusted the device: %v", at.name, b.cookies)
		}
	}
	thief := newBrowser(t)
	thief.cookies[cookie] = first
	thief.post(p.a, "/sign-in/email", signIn(u.email, password)).says(`{"twoFactorRedirect":true,"twoFactorMethods":["totp","otp"]}`)
}

// flowMailedFactor: one sends the code, the other takes it.
func flowMailedFactor(t *testing.T, p *pair) {
	u := p.protect(t, p.b, p.a)
	b := u.challenged(t, p.b)
	b.post(p.a, "/two-factor/send-otp", map[string]any{}).says(`{"status":true}`)
	code := p.a.mails.take(t, "second factor", u.email).Token
	b.verify(p.b, "otp", otherCode(code)).fails(401, "INVALID_CODE")
	b.verify(p.b, "otp", code).is(200)
	sessionAt(t, b, p.a)

	enabling, email := p.join(t, p.a) // with a session
	enabling.post(p.a, "/two-factor/send-otp", map[string]any{}).is(200)
	enabling.verify(p.b, "otp", p.a.mails.take(t, "second factor", email).Token).is(200)
	newBrowser(t).post(p.a, "/sign-in/email", signIn(email, password)).says(`{"twoFactorRedirect":true,"twoFactorMethods":["otp"]}`)
}

// flowFactorGuesses: both count together, for a challenge and for an account.
func flowFactorGuesses(t *testing.T, p *pair) {
	u := p.protect(t, p.a, p.b)
	for round := range 2 {
		b := u.challenged(t, p.a)
		for i, at := range []*site{p.a, p.b, p.a, p.b, p.a} {
			if i%2 == round {
				b.verify(at, "totp", otherCode(u.totp(t))).fails(401, "INVALID_CODE")
			} else {
				b.verify(at, "backup-code", "none").fails(401, "INVALID_BACKUP_CODE")
			}
		}
		if round == 0 {
			b.verify(p.b, "totp", u.totp(t)).fails(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE")
		}
	}
	for _, at := range []*site{p.a, p.b} {
		u.challenged(t, at).verify(at, "totp", u.totp(t)).fails(429, "ACCOUNT_TEMPORARILY_LOCKED")
	}
	p.expire(t, "twoFactor", "lockedUntil")
	u.challenged(t, p.a).verify(p.b, "totp", u.totp(t)).is(200)
	u.challenged(t, p.b).verify(p.a, "totp", otherCode(u.totp(t))).fails(401, "INVALID_CODE")
}

// expire puts the dates of a column, where there are any, an hour back.
func (w *world) expire(t *testing.T, table, column string) {
	t.Helper()
	layout := "2006-01-02T15:04:05.000Z"
	if w.dialect == auth.MySQL {
		layout = time.DateTime
	}
	name := w.sql(table, column)
	w.exec(t, fmt.Sprintf("UPDATE %s SET %s = '%s' WHERE %s IS NOT NULL",
		w.sql(table, ""), name, time.Now().Add(-time.Hour).UTC().Format(layout), name))
}

// flowDisabledFactor: what one disables the other does not ask for.
func flowDisabledFactor(t *testing.T, p *pair) {
	u := p.protect(t, p.a, p.a)
	u.post(p.b, "/two-factor/disable", map[string]any{"password": password}).says(`{"status":true}`)
	u.get(p.a, "/get-session").says(u.get(p.b, "/get-session").is(200).body)
	newBrowser(t).post(p.a, "/sign-in/email", signIn(u.email, password)).is(200)
	sessionAt(t, u.browser, p.a)
}

// flowRaceFactors: a backup code, and a challenge, is good once.
func flowRaceFactors(t *testing.T, p *pair) {
	u := p.protect(t, p.a, p.b)
	two := [2]*browser{u.challenged(t, p.a), u.challenged(t, p.b)}
	p.oneWins(t, p.atOnce(two, "/two-factor/verify-backup-code", map[string]any{"code": u.backupCodes[0]}), 401, 409)
	one := u.challenged(t, p.a)
	other := newBrowser(t)
	other.cookies["better-auth.two_factor"] = one.cookies["better-auth.two_factor"]
	p.oneWins(t, p.atOnce([2]*browser{one, other}, "/two-factor/verify-totp", map[string]any{"code": u.totp(t)}), 401)
}
