package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// with presses the button of the demonstration provider in the form that posts to
// a path. The page after it leads on by itself.
func (b *tab) with(action string) *tab {
	b.t.Helper()
	return b.submit(action).reach(`form[action="/choose"]`).sees("Demo provider", "Ada Lovelace")
}

// choose presses the button of a user at the provider, "" to deny.
func (b *tab) choose(user string) *tab {
	b.t.Helper()
	return b.press(`button[name=user][value="` + user + `"]`)
}

// reach waits for a page that has an element.
func (b *tab) reach(selector string) *tab {
	b.t.Helper()
	try(b, "wait for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
	return b
}

func TestProvider(t *testing.T) { testProvider(open(t)) }

func TestProviderWithoutJavaScript(t *testing.T) {
	b := open(t)
	b.disableScripts()
	testProvider(b)
}

// testProvider signs up, out and in with an account at a provider.
func testProvider(b *tab) {
	b.t.Helper()
	b.goTo("/sign-up").with("/sign-in/social").choose("").at("/sign-in").
		alert("Error: You said no, so nothing has happened.")
	b.with("/sign-in/social").choose("ada").at("/account").
		sees("Welcome!", "Ada Lovelace", email, "Demo").seesNot("Not verified")
	b.seesNot("Unlink")

	b.submit("/sign-out").reach(`form[action="/sign-in"]`).at("/sign-in").sees("You are signed out.")
	b.goTo("/account").at("/sign-in")
	b.with("/sign-in/social").choose("ada").at("/account").sees("Ada Lovelace").seesNot("Welcome!")
}

func TestLinkedAccount(t *testing.T) {
	b := open(t)
	b.signUp().with("/account/link").choose("linus").at("/account").
		alert("Error: That account has another e-mail address than yours here, so it was not linked.")
	b.with("/account/link").choose("ada").at("/account").sees("The account is linked.")

	second := b.another()
	second.goTo("/sign-in").with("/sign-in/social").choose("ada").at("/account").sees("Password", "Demo")
	b.press(`button[aria-label="Unlink Demo"]`).at("/account").sees("The account is no longer linked.").seesNot("Unlink")
	b.press(`a[href="/password"]`).at("/password").sees("Current password")
}
