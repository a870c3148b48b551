package interoptest

import (
	"strings"
	"testing"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// Plugins leave the same rows behind, too.
func TestPluginRowsHaveOneForm(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		sameRows(t, newWorld(t, s, plugged, "npm"), pluginSteps(), "jwks")
	})
}

// pluginSteps are taken by one person at a time, who is the last step's.
func pluginSteps() []step {
	var u *protected
	post := func(path string, body map[string]any, status int) func(*testing.T, *site, *browser, string) {
		return func(t *testing.T, at *site, b *browser, email string) { b.post(at, path, body).is(status) }
	}
	challenge := func(t *testing.T, at *site, b *browser) {
		delete(b.cookies, tokenName)
		b.post(at, "/sign-in/email", signIn(u.email, password)).is(200)
	}
	return []step{
		{"sign-up with a username", func(t *testing.T, at *site, b *browser, email string) {
			name, _, _ := strings.Cut(email, "@")
			b.post(at, "/sign-up/email", signUp(email, password, map[string]any{"username": "Lady_" + name})).is(200)
		}, []string{"user", "session"}},
		{"key", func(t *testing.T, at *site, b *browser, _ string) {
			at.call(t, "signJWT", map[string]any{"payload": map[string]any{"sub": "x"}}, new(any))
		}, []string{"jwks"}},
		{"authenticator", func(t *testing.T, at *site, b *browser, email string) {
			u = enable(t, b, at, email)
		}, []string{"user", "session", "twoFactor"}},
		{"first code", func(t *testing.T, at *site, b *browser, _ string) {
			b.verify(at, "totp", u.totp(t)).is(200)
		}, []string{"user", "session", "twoFactor"}},
		{"challenge", func(t *testing.T, at *site, b *browser, _ string) {
			challenge(t, at, b)
		}, []string{"session", "verification"}},
		{"wrong code", func(t *testing.T, at *site, b *browser, _ string) {
			b.verify(at, "totp", otherCode(u.totp(t))).is(401)
		}, []string{"twoFactor", "verification"}},
		{"second factor by mail", post("/two-factor/send-otp", map[string]any{}, 200), []string{"verification"}},
		{"wrong code of a mail", func(t *testing.T, at *site, b *browser, email string) {
			b.verify(at, "otp", otherCode(at.mails.take(t, "second factor", email).Token)).is(401)
		}, []string{"twoFactor", "verification"}},
		{"right code on a trusted device", func(t *testing.T, at *site, b *browser, _ string) {
			b.post(at, "/two-factor/verify-totp", map[string]any{"code": u.totp(t), "trustDevice": true}).is(200)
		}, []string{"session", "twoFactor", "verification"}},
		{"trusted sign-in", func(t *testing.T, at *site, b *browser, _ string) {
			challenge(t, at, b)
		}, []string{"session", "verification"}},
		{"backup code", func(t *testing.T, at *site, b *browser, _ string) {
			u.challenged(t, at).verify(at, "backup-code", u.backupCodes[0]).is(200)
		}, []string{"session", "twoFactor", "verification"}},
		{"lock", func(t *testing.T, at *site, _ *browser, _ string) {
			for range 2 {
				b := u.challenged(t, at)
				for range 5 {
					b.verify(at, "backup-code", "none").is(401)
				}
			}
		}, []string{"twoFactor", "verification"}},
		{"new backup codes", post("/two-factor/generate-backup-codes", map[string]any{"password": password}, 200), []string{"twoFactor"}},
		{"code of a mail for a session", post("/two-factor/send-otp", map[string]any{}, 200), []string{"verification"}},
		{"end of the second factor", post("/two-factor/disable", map[string]any{"password": password}, 200),
			[]string{"user", "session", "twoFactor", "verification"}},
		{"one-time token", func(t *testing.T, at *site, b *browser, _ string) {
			b.get(at, "/one-time-token/generate").is(200)
		}, []string{"verification"}},
		{"code to verify the address", func(t *testing.T, at *site, b *browser, email string) {
			b.post(at, "/email-otp/send-verification-otp", map[string]any{"email": email, "type": "email-verification"}).is(200)
		}, []string{"verification"}},
		{"guess of it", func(t *testing.T, at *site, b *browser, email string) {
			code := at.mails.await(t, "email-verification", email).Token
			b.post(at, "/email-otp/verify-email", map[string]any{"email": email, "otp": otherCode(code)}).is(400)
		}, []string{"verification"}},
		{"check of it", func(t *testing.T, at *site, b *browser, email string) {
			code := at.mails.await(t, "email-verification", email).Token
			b.post(at, "/email-otp/check-verification-otp", map[string]any{"email": email, "otp": code, "type": "email-verification"}).is(200)
		}, []string{"verification"}},
		{"verified address", func(t *testing.T, at *site, b *browser, email string) {
			code := at.mails.await(t, "email-verification", email).Token
			b.post(at, "/email-otp/verify-email", map[string]any{"email": email, "otp": code}).is(200)
		}, []string{"user", "verification"}},
		{"code for a new address", post("/email-otp/request-email-change", map[string]any{"newEmail": "person0@example.com"}, 200),
			[]string{"verification"}},
		{"magic link", func(t *testing.T, at *site, b *browser, email string) {
			b.post(at, "/sign-in/magic-link", map[string]any{"email": email, "name": "Ada"}).is(200)
		}, []string{"verification"}},
		{"sign-in by it", func(t *testing.T, at *site, b *browser, email string) {
			b.follow(at, at.mails.take(t, "magic link", email).URL).is(302)
		}, []string{"session", "verification"}},
		{"magic link of a new user", func(t *testing.T, at *site, _ *browser, _ string) {
			stranger := newBrowser(t)
			stranger.post(at, "/sign-in/magic-link", map[string]any{"email": "person0@example.com"}).is(200)
			stranger.follow(at, at.mails.take(t, "magic link", "person0@example.com").URL).is(302)
			leave(t, at, stranger, "person0@example.com")
		}, []string{"user", "session", "verification"}},
		{"deletion of the user", leave, []string{"user", "session", "twoFactor", "verification"}},
	}
}

// leave deletes whoever is signed in.
func leave(t *testing.T, at *site, b *browser, email string) {
	b.post(at, "/delete-user", map[string]any{}).is(200)
	b.follow(at, at.mails.take(t, "deletion", email).URL).is(302)
}
