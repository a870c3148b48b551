package uitest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// grace is another user.
const (
	grace         = "Grace Hopper"
	graceEmail    = "grace@example.com"
	gracePassword = "nanoseconds of wire"
)

func (s *script) username() {
	b := s.second
	s.step("sign-out before a user name", b, func() { b.signOut() })
	s.step("user name with a wrong password", b, func() { b.signIn("ada", "wrong password").sees("Invalid username or password") }, wrongUsername)
	s.step("user name", b, func() { b.signIn("ada", thirdPassword).at("/account/settings").sees(newName) })
	s.step("other user name", b, func() { b.fill("username", "augusta").save("username").sees("Username updated successfully") })
	s.user("username", "augusta")
	s.countSessions(2)
}

func (s *script) magicLink() {
	b := s.second
	s.step("sign-out before a link", b, func() { b.signOut() })
	s.step("magic link", b, func() {
		b.goTo("/auth/magic-link").fill("email", email).press("Send magic link").sees("Check your email for the magic link")
	})
	s.countSessions(1)
	link := s.site.mail(s.t, "magic link", email).URL
	s.step("magic link is followed", b, func() { b.goTo(link).at("/account/settings").sees(newName) })
	s.countSessions(2)
}

func (s *script) twoFactor() {
	b := s.second
	s.step("two-factor with a wrong password", b, func() {
		b.goTo("/account/security").press("Enable Two-Factor").fill("password", "wrong password").save("password").sees("Invalid password")
	}, "POST /api/auth/two-factor/enable 400")
	var backup string
	s.step("backup codes", b, func() {
		b.goTo("/account/security").press("Enable Two-Factor").fill("password", thirdPassword).save("password").sees("Backup Codes")
		backup = try(b, "backup code", chromedp.Text(chromedp.CSS("[role=dialog] .font-mono")))
	})
	var key string
	s.step("QR code", b, func() {
		b.press("Continue").at("/auth/two-factor").press("Continue with Authenticator").sees("Scan the QR Code")
		key = b.scanKey()
	})
	s.user("twoFactorEnabled", 0)
	s.step("two-factor", b, func() { b.code(totp(s.t, key)).at("/account/settings").sees(newName) })
	s.user("twoFactorEnabled", 1)

	b = s.first
	s.step("sign-out before a code", b, func() { b.signOut() })
	s.step("wrong code", b, func() {
		b.signIn(email, thirdPassword).at("/auth/two-factor").press("Continue with Authenticator").code("000000").sees("Invalid code")
	}, "POST /api/auth/two-factor/verify-totp 401")
	s.countSessions(1)
	s.step("code of the app", b, func() { b.code(totp(s.t, key)).at("/account/settings").sees(newName) })
	s.countSessions(2)

	s.step("sign-out before a mailed code", b, func() { b.signOut() })
	s.step("mailed code is sent", b, func() {
		b.signIn(email, thirdPassword).at("/auth/two-factor").press("Send verification code").sees("Resend code")
	})
	code := s.site.mail(s.t, "code", email).Code
	s.step("mailed code", b, func() { b.code(code).at("/account/settings").sees(newName) })

	s.step("sign-out before a backup code", b, func() { b.signOut() })
	s.step("backup code", b, func() {
		b.signIn(email, thirdPassword).at("/auth/two-factor").press("Continue with Authenticator").press("Forgot authenticator?").
			at("/auth/recover-account").fill("code", backup).save("code").at("/account/settings").sees(newName)
	})
	s.countSessions(2)

	b = s.second
	s.step("no two-factor", b, func() {
		b.goTo("/account/security").press("Disable Two-Factor").fill("password", thirdPassword).save("password").
			sees("Two-Factor Authentication has been disabled")
	})
	s.user("twoFactorEnabled", 0)
	s.has(0, `SELECT count(*) FROM twoFactor`)
}

// accounts has two users on one device.
func (s *script) accounts() {
	b := s.first
	s.step("another user", b, func() {
		b.goTo("/account/settings").press("Add Account").at("/auth/sign-in").press("Sign Up").
			fill("name", grace, "username", "grace", "email", graceEmail, "password", gracePassword).
			press("Create an account").at("/account/settings").sees(grace)
	})
	s.countSessions(3)
	s.step("switch to the first user", b, func() {
		b.goTo("/account/settings").sees(newName, grace).menu().pick(initials(newName) + "\n" + newName + "\n" + email)
		b.await(`document.querySelector("header").innerText.includes(` + literal(newName) + `)`)
	})
	s.countSessions(3)
	s.step("sign the other user out", b, func() {
		b.goTo("/account/settings").sees(grace).
			click(`[...document.querySelectorAll("main [data-slot=card]")].filter(e => e.innerText.includes(` + literal(graceEmail) + `)).at(-1).querySelectorAll("button")`).
			pick("Revoke").lacks(grace)
	})
	s.countSessions(2)
	s.has(0, `SELECT count(*) FROM session JOIN user ON user.id = userId WHERE name = ?`, grace)
	s.step("still signed in", b, func() { b.goTo("/account/security").sees("Current Session") })
}

// initials are what stands for a picture.
func initials(name string) string { return strings.ToUpper(name[:2]) }

// code types a one-time code, which sends itself.
func (b *tab) code(digits string) *tab {
	b.t.Helper()
	selector := "input[autocomplete=one-time-code]"
	try(b, "one-time code", chromedp.Steps(chromedp.WaitEnabled(chromedp.CSS(selector)), chromedp.Focus(chromedp.CSS(selector)), chromedp.KeyEvent(digits)))
	return b
}

// totp is an authenticator app: the code of RFC 6238 for a key in base32.
func totp(t *testing.T, key string) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	if err != nil {
		t.Fatalf("key %q: %v", key, err)
	}
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30)))
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[19]&15:]) & (1<<31 - 1)
	return fmt.Sprintf("%06d", number%1_000_000)
}

// scanKey reads the QR code that is to be seen, as a camera would, and returns the
// key in it.
func (b *tab) scanKey() string {
	b.t.Helper()
	picture, err := png.Decode(bytes.NewReader(try(b, "picture of the code", chromedp.Screenshot(chromedp.CSS("svg[viewBox='0 0 256 256'], form svg[height='256']")))))
	if err != nil {
		b.t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		b.t.Fatal(err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		b.t.Fatalf("nothing to scan: %v", err)
	}
	uri, err := url.Parse(found.GetText())
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" {
		b.t.Fatalf("scanned %q: %v", found.GetText(), err)
	}
	return uri.Query().Get("secret")
}
