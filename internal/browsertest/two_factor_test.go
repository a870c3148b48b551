package browsertest

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

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// totp is an authenticator app: the code of RFC 6238 for a key in base32.
func totp(t *testing.T, key string, at time.Time) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	if err != nil {
		t.Fatalf("key %q: %v", key, err)
	}
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[19]&15:]) & (1<<31 - 1)
	return fmt.Sprintf("%06d", number%1_000_000)
}

// scan reads the QR code that is to be seen, as a camera would.
func (b *tab) scan() string {
	b.t.Helper()
	picture, err := png.Decode(bytes.NewReader(try(b, "picture of the code", chromedp.Screenshot(chromedp.CSS(".qr")))))
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
	return found.GetText()
}

// scanKey scans the code and returns the key in it.
func (b *tab) scanKey() string {
	b.t.Helper()
	scanned := b.scan()
	uri, err := url.Parse(scanned)
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" || uri.Path != "/Example:"+email {
		b.t.Fatalf("scanned %q: %v", scanned, err)
	}
	return uri.Query().Get("secret")
}

func TestTwoFactor(t *testing.T) { testTwoFactor(open(t)) }

func TestTwoFactorWithoutJavaScript(t *testing.T) {
	b := open(t)
	b.disableScripts()
	testTwoFactor(b)
}

// testTwoFactor turns two-factor authentication on with what a phone would see,
// signs in with each kind of code, and turns it off.
func testTwoFactor(b *tab) {
	b.t.Helper()
	key, backup := b.turnTwoFactorOn()

	second := b.another()
	second.signIn(firstPassword).at("/sign-in/second-step/app")
	second.goTo("/account").at("/sign-in") // nobody is signed in yet
	second.goTo("/sign-in/second-step/app").fill("code", totp(b.t, key, time.Now().Add(30*time.Second)))
	try(second, "trust the device", chromedp.Click(chromedp.CSS("input[name=trust]"), chromedp.NodeVisible))
	second.submit("/sign-in/second-step/app").at("/account").sees("Ada Lovelace")
	second.submit("/sign-out").at("/sign-in")
	second.signIn(firstPassword).at("/account") // it is trusted

	third := b.another()
	third.signIn(firstPassword).press(`a[href="/sign-in/second-step/backup"]`).fill("code", backup).
		submit("/sign-in/second-step/backup").at("/account")
	third.submit("/sign-out").at("/sign-in")
	third.signIn(firstPassword).submit("/sign-in/second-step/send").at("/sign-in/second-step/mail").sees("We sent you a mail with a code.")
	third.fill("code", third.another().mailedCode()).submit("/sign-in/second-step/mail").at("/account")

	b.goTo("/account").fill("password", firstPassword).press(`button[formaction="/two-factor/disable"]`).at("/account").
		sees("Two-factor authentication is off.")
	third.submit("/sign-out").at("/sign-in")
	third.signIn(firstPassword).at("/account")
}

// turnTwoFactorOn signs up and turns it on. It returns the key and a backup code.
func (b *tab) turnTwoFactorOn() (key, backup string) {
	b.t.Helper()
	b.signUp().fill("password", firstPassword).submit("/two-factor/enable").at("/two-factor/enable")
	key = b.scanKey()
	if shown := try(b, "key", chromedp.Text(chromedp.CSS("#secret"))); shown != key {
		b.t.Fatalf("the key is %q, the QR code has %q", shown, key)
	}
	backup = try(b, "backup code", chromedp.Text(chromedp.CSS(".codes li")))
	b.fill("code", totp(b.t, key, time.Now())).submit("/two-factor/confirm").at("/account").sees("Two-factor authentication is on.")
	return key, backup
}

// mailedCode reads the code in the latest mail.
func (b *tab) mailedCode() string {
	b.t.Helper()
	b.goTo("/outbox").sees("Your code")
	return try(b, "code", chromedp.Text(chromedp.CSS(".mail .code")))
}

func TestUsernameAndLink(t *testing.T) {
	b := open(t)
	b.goTo("/sign-up").fill("name", "Ada Lovelace", "email", email, "username", "Ada.L", "new-password", firstPassword).
		submit("/sign-up").at("/account")
	b.follow("Verify your e-mail address").at("/link/verified")

	second := b.another()
	second.signInAs("ada.l", firstPassword).at("/account").sees("Ada Lovelace")
	second.submit("/sign-out").at("/sign-in")
	second.press(`a[href="/sign-in/link"]`).fill("email", email).submit("/sign-in/link").at("/sign-in/link").sees("We sent a mail to " + email)
	second.follow("Sign in").at("/account").sees("Ada Lovelace")
	second.submit("/sign-out").at("/sign-in")
	second.follow("Sign in").at("/sign-in/link").alert("Error: The link has been used already or is too old. Ask for a new one, please.")
}

// prefer sets the color scheme of the machine, light or dark.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, params); err != nil {
		b.t.Fatal(err)
	}
}

// The pages that answer a form are as fit as the others, and can be scanned in the
// dark too.
func TestTwoFactorPagesFitPeopleAndPhones(t *testing.T) {
	b := open(t)
	b.signUp()
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		b.goTo("/account").fill("password", firstPassword).submit("/two-factor/enable").at("/two-factor/enable")
		for _, width := range []int64{320, 390, 1280} {
			try(b, "viewport", chromedp.EmulateViewport(width, 800))
			b.complain("page with the key", width)
			if key := b.scanKey(); !strings.Contains(b.text(), key) {
				t.Errorf("%s, %d pixels wide: the page does not show the key %s", scheme, width, key)
			}
		}
	}
	key := b.scanKey()
	b.fill("code", totp(t, key, time.Now())).submit("/two-factor/confirm").at("/account")
	b.complain("/account", 1280)
	b.fill("password", firstPassword).submit("/two-factor/backup-codes").at("/two-factor/backup-codes").sees("New backup codes")
	for _, width := range []int64{320, 390, 1280} {
		try(b, "viewport", chromedp.EmulateViewport(width, 800))
		b.complain("backup codes", width)
	}
}
