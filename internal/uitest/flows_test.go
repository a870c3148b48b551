package uitest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	name           = "Ada Lovelace"
	newName        = "Augusta Ada King"
	firstEmail     = "ada@example.com"
	email          = "ada@example.org" // after the first step with mails
	firstPassword  = "analytical engine"
	secondPassword = "difference engine"
	thirdPassword  = "bernoulli numbers"
)

// TestFrontEnd: the pages work, and their requests have the same answers at both
// servers.
func TestFrontEnd(t *testing.T) {
	compare(t, func(s *script) {
		s.signUp()
		s.profile()
		s.sessions()
		s.passwordChange()
		s.passwordReset()
		s.username()
		s.magicLink()
		s.twoFactor()
		s.accounts()
		s.deletion()
	})
}

// compare runs flows at both servers.
func compare(t *testing.T, flows func(*script)) {
	t.Helper()
	findBrowser(t)
	pages := build(t)
	var ours, theirs []step
	t.Run("servers", func(t *testing.T) {
		t.Run("library", func(t *testing.T) {
			t.Parallel()
			ours = play(t, newSite(t, pages, library), flows, true)
		})
		t.Run("npm", func(t *testing.T) {
			t.Parallel()
			theirs = play(t, newSite(t, pages, original), flows, false)
		})
	})
	for i := range min(len(ours), len(theirs)) {
		if ours[i].String() != theirs[i].String() {
			t.Errorf("the library:\n%v\nthe npm package:\n%v", ours[i], theirs[i])
		}
	}
}

// A script is a run of the flows at one site, on two devices.
type script struct {
	t             *testing.T
	site          *site
	first, second *tab
	pictures      bool
	steps         []step
}

// play runs flows and returns what the pages did. Pictures of every step are for
// people: those of one server will do.
func play(t *testing.T, site *site, flows func(*script), pictures bool) []step {
	t.Helper()
	s := &script{t: t, site: site, first: open(t, site), pictures: pictures}
	s.second = s.first.another()
	flows(s)
	return s.steps
}

// step runs one on a tab. Nothing may go wrong in it but what it expects: exchanges
// with a status of 400 and more, such as "POST /api/auth/sign-in/email 401".
func (s *script) step(name string, b *tab, do func(), failures ...string) {
	s.t.Helper()
	do()
	b.settle()
	exchanges, complaints := b.trace.take()
	s.steps = append(s.steps, newStep(name, exchanges))
	if s.pictures {
		b.shoot(fmt.Sprintf("%02d %s", len(s.steps), name))
	}
	for _, complaint := range complaints {
		s.t.Errorf("%s: %s", name, complaint)
	}
	var failed []string
	for _, exchange := range exchanges {
		if status := exchange[strings.LastIndexByte(exchange, ' ')+1:]; status >= "400" {
			failed = append(failed, exchange)
		}
	}
	if !slices.Equal(failed, failures) {
		s.t.Errorf("%s: the answers %q, want %q", name, failed, failures)
	}
}

// has checks the one value that a query finds.
func (s *script) has(want any, query string, arguments ...any) {
	s.t.Helper()
	if got := s.site.get(s.t, query, arguments...); got != fmt.Sprint(want) {
		s.t.Errorf("%s %v: %s, want %v", query, arguments, got, want)
	}
}

// user checks a column of the user.
func (s *script) user(column string, want any) {
	s.t.Helper()
	s.has(want, `SELECT `+column+` FROM user WHERE name = ?`, newName)
}

// countSessions checks how many there are.
func (s *script) countSessions(want int) {
	s.t.Helper()
	s.has(want, `SELECT count(*) FROM session`)
}

// hash returns that of the user's password.
func (s *script) hash() string {
	s.t.Helper()
	return s.site.get(s.t, `SELECT password FROM account JOIN user ON user.id = userId WHERE providerId = 'credential' AND name = ?`, newName)
}

// signIn fills in the form, which asks for an address or a user name.
func (b *tab) signIn(login, password string) *tab {
	b.t.Helper()
	return b.goTo("/auth/sign-in").fill("email", login, "password", password).press("Login")
}

func (b *tab) signOut() *tab {
	b.t.Helper()
	return b.menu().pick("Sign Out").at("/auth/sign-in").sees("Login")
}

// menu opens that of the user.
func (b *tab) menu() *tab {
	b.t.Helper()
	return b.click(`document.querySelectorAll("header button")`)
}

// The failures that the pages are shown.
const (
	wrongEmailOrPassword = "POST /api/auth/sign-in/email 401"
	wrongUsername        = "POST /api/auth/sign-in/username 401"
)

func (s *script) signUp() {
	b := s.first
	s.step("signed out", b, func() { b.goTo("/account/settings").at("/auth/sign-in").sees("Login") })
	s.step("sign-up", b, func() {
		b.press("Sign Up").at("/auth/sign-up").
			fill("name", name, "username", "ada", "email", firstEmail, "password", firstPassword).
			press("Create an account").at("/account/settings").sees(name)
	})
	s.has(name, `SELECT name FROM user WHERE email = ?`, firstEmail)
	s.has("ada", `SELECT username FROM user WHERE email = ?`, firstEmail)
	s.has(1, `SELECT count(*) FROM account WHERE providerId = 'credential' AND password IS NOT NULL`)
	s.countSessions(1)
	s.step("sign-up with a known address", s.second, func() {
		s.second.goTo("/auth/sign-up").fill("name", "Charles", "username", "charles", "email", firstEmail, "password", firstPassword).
			press("Create an account").sees("User already exists. Use another email.")
	}, "POST /api/auth/sign-up/email 422")
	s.has(1, `SELECT count(*) FROM user`)
}

func (s *script) profile() {
	b := s.first
	s.step("name", b, func() {
		b.fill("name", newName).save("name").sees("Name updated successfully")
		b.await(`document.querySelector("header").innerText.includes(` + literal(newName) + `)`)
	})
	s.user("email", firstEmail)

	s.step("picture", b, func() {
		b.upload(`input[type=file]`, picture(s.t))
		b.await(`document.querySelectorAll("main img[src^='data:image/png']").length === 2`) // in the list of accounts too
	})
	s.user("image LIKE 'data:image/png;base64,%'", 1)
	s.step("no picture", b, func() {
		b.click(`document.querySelectorAll("main button:has(img)")`).pick("Delete Avatar")
		b.await(`!document.querySelector("main img")`)
	})
	s.user("image", nil)

	s.step("address to verify", b, func() {
		b.press("Resend Verification Email").sees("Please check your email to verify the change.")
	})
	link := s.site.mail(s.t, "verification", firstEmail).URL
	s.step("address is verified", b, func() { b.goTo(link).at("/").sees("You are signed in.") })
	s.user("emailVerified", 1)
	s.step("other address", b, func() {
		b.goTo("/account/settings").fill("email", email).save("email").sees("Please check your email to verify the change.")
	})
	s.user("email", firstEmail)
	link = s.site.mail(s.t, "verification", email).URL
	s.step("other address is verified", b, func() {
		b.goTo(link).at("/account/settings").sees(newName)
		b.await(`document.querySelector("input[name=email]")?.value === ` + literal(email))
	})
	s.user("email", email)
	s.user("emailVerified", 1)
}

func (s *script) sessions() {
	b := s.second
	s.step("wrong password", b, func() { b.signIn(email, "wrong password").sees("Invalid email or password") }, wrongEmailOrPassword)
	s.countSessions(1)
	s.step("sign-in", b, func() { b.signIn(email, firstPassword).at("/account/settings").sees(newName) })
	s.countSessions(2)

	b = s.first
	s.step("sessions", b, func() { b.press("Security").at("/account/security").sees("Current Session", "127.0.0.1", "Chrome") })
	s.step("revoke a session", b, func() { b.press("Revoke").lacks("127.0.0.1").sees("Current Session") })
	s.countSessions(1)
	s.step("revoked", s.second, func() { s.second.goTo("/account/settings").at("/auth/sign-in").sees("Login") })
	s.step("not revoked", b, func() { b.goTo("/account/settings").at("/account/settings").sees(newName) })
}

func (s *script) passwordChange() {
	b, before := s.first, s.hash()
	s.step("password with a wrong one", b, func() {
		b.goTo("/account/security").fill("currentPassword", "wrong password", "newPassword", secondPassword).save("newPassword").sees("Invalid password")
	}, "POST /api/auth/change-password 400")
	if s.hash() != before {
		s.t.Error("the wrong password has changed the password")
	}
	s.step("sign-in elsewhere", s.second, func() { s.second.signIn(email, firstPassword).at("/account/settings").sees(newName) })
	s.step("password", b, func() {
		b.goTo("/account/security").fill("currentPassword", firstPassword, "newPassword", secondPassword).save("newPassword").sees("Your password has been changed.")
	})
	if s.hash() == before {
		s.t.Error("the password is the same")
	}
	s.countSessions(1) // the pages ask to end the others
	s.step("sessions after that", b, func() { b.goTo("/account/security").sees("Current Session") })
	s.step("old password", s.second, func() { s.second.signIn(email, firstPassword).sees("Invalid email or password") }, wrongEmailOrPassword)
	s.step("new password", s.second, func() { s.second.signIn(email, secondPassword).at("/account/settings").sees(newName) })
	s.countSessions(2)
}

func (s *script) passwordReset() {
	b := s.second
	s.step("sign-out", b, func() { b.signOut() })
	s.countSessions(1)
	s.step("signed out again", b, func() { b.goTo("/account/settings").at("/auth/sign-in").sees("Login") })

	s.step("forgotten password", b, func() {
		b.press("Forgot your password?").at("/auth/forgot-password").fill("email", email).
			press("Send reset link").at("/auth/sign-in").sees("Check your email for the password reset link.")
	})
	link, before := s.site.mail(s.t, "reset", email).URL, s.hash()
	s.step("link to reset the password", b, func() { b.goTo(link).at("/auth/reset-password").sees("Save new password") })
	s.step("password reset", b, func() {
		b.fill("newPassword", thirdPassword).press("Save new password").at("/auth/sign-in").sees("Password reset successfully")
	})
	if s.hash() == before {
		s.t.Error("the password is the same")
	}
	s.step("link used again", b, func() { b.goTo(link).at("/auth/sign-in").sees("Invalid token") })
	s.step("forgotten password is wrong", b, func() { b.signIn(email, secondPassword).sees("Invalid email or password") }, wrongEmailOrPassword)
	s.step("third password", b, func() { b.signIn(email, thirdPassword).at("/account/settings").sees(newName) })
	s.countSessions(2)
}

func (s *script) deletion() {
	b := s.second
	s.step("deletion with a wrong password", b, func() {
		b.goTo("/account/security").press("Delete Account").fill("password", "wrong password").save("password").sees("Invalid password")
	}, "POST /api/auth/delete-user 400")
	s.user("email", email)
	s.step("deletion", b, func() {
		b.goTo("/account/security").press("Delete Account").fill("password", thirdPassword).save("password").
			at("/auth/sign-in").sees("Your account has been deleted.")
	})
	s.has(0, `SELECT count(*) FROM user WHERE email = ?`, email)
	s.has(0, `SELECT count(*) FROM account WHERE userId NOT IN (SELECT id FROM user)`)
	s.has(0, `SELECT count(*) FROM session WHERE userId NOT IN (SELECT id FROM user)`)
	s.step("sign-in of nobody", b, func() { b.signIn(email, thirdPassword).sees("Invalid email or password") }, wrongEmailOrPassword)
}

// picture is the path of a small one.
func picture(t *testing.T) string {
	t.Helper()
	square := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.RGBA{R: 70, G: 130, B: 180, A: 255}})
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, square); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "picture.png")
	if err := os.WriteFile(path, encoded.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
