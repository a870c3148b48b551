package main

import (
	"regexp"
	"strings"
	"testing"
)

const signInLinkSent = ". The link in it is good for five minutes and for one sign-in."

// signInLink has a link mailed and returns it.
func (s *server) signInLink(t *testing.T, b *browser, email string) string {
	t.Helper()
	b.post("/sign-in/link", "email", email).at("/sign-in/link").notices("We sent a mail to " + email + signInLinkSent)
	return s.mail(t, email, "Sign in").Link
}

func TestSignInLink(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	b.open(s.mail(t, "ada@example.com", "Verify your e-mail address").Link).at("/link/verified")

	visitor := s.browser(t)
	visitor.open("/sign-in").says(`href="/sign-in/link"`)
	link := s.signInLink(t, visitor, "ada@example.com")
	visitor.open(link).at("/account").notices("").says("Ada Lovelace")
	b.open("/account").at("/account")
	const spent = "Error: The link has been used already or is too old. Ask for a new one, please."
	s.browser(t).open(link).at("/sign-in/link").notices(spent)
	s.browser(t).signIn("ada@example.com", firstPassword).at("/account") // the password is still good
}

// A link for an address that is new here makes a user, who has no name yet.
func TestSignUpByLink(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.open(s.signInLink(t, b, "new@example.com")).at("/account").notices("Welcome!").
		says(`<h1 class="break">new@example.com</h1>`, `<span class="picture" aria-hidden="true">N</span>`, "Verified").saysNot("Not verified")
	b.open("/password").says("You sign in without one so far.")
	b.post("/account", "name", "Newton").at("/account").says(`<h1 class="break">Newton</h1>`)
}

// Whoever signed up with somebody's address and never verified it loses what they
// made when its owner comes.
func TestSignInLinkOfUnverifiedAddress(t *testing.T) {
	s := start(t)
	squatter := s.browser(t)
	squatter.signUp("ada@example.com")
	b := s.browser(t)
	b.open(s.signInLink(t, b, "ada@example.com")).at("/account").says("Verified")
	squatter.open("/account").at("/sign-in")
	squatter.signIn("ada@example.com", firstPassword).notices("Error: Invalid email or password")
}

// What a link says went wrong is one of our own texts, and whoever is signed in
// stays on their page.
func TestSignInLinkErrors(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.open("/sign-in/link/error?error=%3Cscript%3E&error_description=Call+me").at("/sign-in/link").
		notices("Error: That did not work. Please try again.").saysNot("Call me")
	link := s.signInLink(t, b, "ada@example.com")
	forged := regexp.MustCompile(`token=[A-Za-z]+`).ReplaceAllString(link, "token=x")
	if forged == link {
		t.Fatalf("no token in %s", link)
	}
	b.open(forged).at("/sign-in/link").notices("Error: The link has been used already or is too old. Ask for a new one, please.")
	elsewhere := strings.Replace(link, "callbackURL=%2Faccount", "callbackURL=https%3A%2F%2Fevil.example", 1)
	if p := b.open(elsewhere); elsewhere == link || !strings.Contains(p.body, "INVALID_CALLBACK_URL") {
		t.Errorf("%s: %d %s", elsewhere, p.status, p.body)
	}
	b.open(link).at("/account")
}
