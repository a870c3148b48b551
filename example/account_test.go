package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestProfile(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	b.post("/account", "name", "Countess <Lovelace>", "image", "https://pictures.example/ada.png").
		at("/account").notices("Your profile is saved.").
		says("Countess <Lovelace>", `<img class="picture" src="https://pictures.example/ada.png"`)
	b.post("/account", "name", "Ada", "image", "").
		at("/account").says(`<span class="picture" aria-hidden="true">A</span>`).saysNot("pictures.example")
	b.post("/account", "name", "Ada", "image", "javascript:alert(1)").
		at("/account").saysNot("<img class=\"picture\"")
}

func TestVerification(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com").says("Not verified", "Send verification mail")
	first := s.mail(t, "ada@example.com", "Verify your e-mail address")
	b.post("/account/verification").at("/account").notices("We sent a mail to ada@example.com.")
	if n := len(s.mails.latest()); n != 2 {
		t.Errorf("%d mails", n)
	}
	s.browser(t).open(first.Link).at("/link/verified").says("Your address is verified", "/sign-in") // on another device
	b.open("/account").says("Verified").saysNot("Not verified", "Send verification mail")
	b.post("/account/verification").at("/account").notices("Error: Email is already verified")
	b.open(strings.Replace(first.Link, "token=", "token=x", 1)).
		at("/link/verified?error=INVALID_TOKEN").says("The link does not work", "Invalid token")
}

func TestChangeOfAddress(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("old@example.com")
	b.open(s.mail(t, "old@example.com", "Verify your e-mail address").Link).at("/link/verified")

	b.post("/account/email", "email", "old@example.com").at("/account").notices("Error: Email is the same")
	b.post("/account/email", "email", "new@example.com").at("/account").says("old@example.com")
	confirm := s.mail(t, "old@example.com", "Confirm your new e-mail address")
	if !strings.Contains(confirm.Text, "new@example.com") {
		t.Errorf("the mail does not name the new address: %s", confirm.Text)
	}
	b.open(confirm.Link).at("/link/changed")
	b.open("/account").says("old@example.com") // until the new address has agreed
	b.open(s.mail(t, "new@example.com", "Verify your e-mail address").Link).at("/link/changed")
	b.open("/account").says("new@example.com", "Verified").saysNot("old@example.com")

	s.browser(t).signIn("new@example.com", firstPassword).at("/account")
}

func TestChangeOfPassword(t *testing.T) {
	s := start(t)
	b, other := s.browser(t), s.browser(t)
	b.signUp("ada@example.com")
	other.signIn("ada@example.com", firstPassword).at("/account")

	p := b.post("/password", "password", "wrong password", "new-password", secondPassword).
		at("/password").notices("Error: Invalid password")
	if got := markedInput(p); got != "password" {
		t.Errorf("input %q is marked", got)
	}
	p = b.post("/password", "password", firstPassword, "new-password", "short").at("/password").notices("Error: Password too short")
	if got := markedInput(p); got != "new-password" {
		t.Errorf("input %q is marked", got)
	}
	b.post("/password", "password", firstPassword, "new-password", secondPassword).
		at("/password").notices("Your password is changed.")
	other.open("/account").at("/account") // was not to be signed out

	b.post("/password", "password", secondPassword, "new-password", firstPassword, "revoke", "on").
		at("/password").notices("Your password is changed.")
	other.open("/account").at("/sign-in")
	b.open("/account").at("/account")
	other.signIn("ada@example.com", secondPassword).at("/sign-in")
	other.signIn("ada@example.com", firstPassword).at("/account")
}

// Passwords are brought to one spelling: an é of one code point and one of two
// are the same key on different keyboards.
func TestPasswordSpelling(t *testing.T) {
	s := start(t)
	s.browser(t).post("/sign-up", "name", "René", "email", "rene@example.com", "new-password", "caf\u00e9 au lait").at("/account")
	s.browser(t).signIn("rene@example.com", "cafe\u0301 au lait").at("/account")
}

func TestPasswordReset(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	const sent = "If this email exists in our system, check your email for the reset link."
	visitor := s.browser(t)
	visitor.post("/forgot-password", "email", "nobody@example.com").at("/forgot-password").notices(sent)
	s.mail(t, "ada@example.com", "Verify your e-mail address") // no mail since
	visitor.post("/forgot-password", "email", "ada@example.com").at("/forgot-password").notices(sent)
	link := s.mail(t, "ada@example.com", "Choose a new password").Link

	p := visitor.open(link).says(`name="token"`)
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(p.body)[1]
	visitor.post("/reset-password", "token", token, "new-password", "short").
		at("/reset-password?token=" + token).notices("Error: Password too short").says(`value="` + token)
	visitor.post("/reset-password", "token", token, "new-password", secondPassword).
		at("/sign-in").notices("Your password is changed. Sign in with the new one.")

	b.open("/account").at("/sign-in") // all sessions have ended
	b.signIn("ada@example.com", firstPassword).notices("Error: Invalid email or password")
	b.signIn("ada@example.com", secondPassword).at("/account")
	visitor.open(link).says("The link does not work", "Send a new link")
	visitor.post("/reset-password", "token", token, "new-password", firstPassword).notices("Error: Invalid token")
}

func TestDeletion(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	b.post("/delete-account").at("/delete-account").notices("Error: Invalid password")
	b.post("/delete-account", "password", "wrong password").at("/delete-account").notices("Error: Invalid password")
	s.mail(t, "ada@example.com", "Verify your e-mail address") // no mail since
	b.post("/delete-account", "password", firstPassword).at("/delete-account").
		notices("We sent you a mail. Your account is deleted when you follow the link in it.")
	link := s.mail(t, "ada@example.com", "Delete your account").Link

	if p := s.browser(t).open(link); p.status == http.StatusOK {
		t.Error("a stranger's link deleted the account")
	}
	b.open(link).at("/link/deleted").says("Your account is deleted")
	b.open("/account").at("/sign-in")
	b.signIn("ada@example.com", firstPassword).notices("Error: Invalid email or password")
}
