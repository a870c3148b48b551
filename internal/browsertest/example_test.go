package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	email          = "ada@example.com"
	firstPassword  = "analytical engine"
	secondPassword = "difference engine"
)

func (b *tab) signUp() *tab {
	b.t.Helper()
	return b.goTo("/").press(`main a[href="/sign-up"]`).at("/sign-up").
		fill("name", "Ada Lovelace", "email", email, "new-password", firstPassword).
		submit("/sign-up").at("/account")
}

func (b *tab) signIn(password string) *tab {
	b.t.Helper()
	return b.signInAs(email, password)
}

// signInAs takes an address or a user name.
func (b *tab) signInAs(login, password string) *tab {
	b.t.Helper()
	return b.goTo("/sign-in").fill("login", login, "password", password).submit("/sign-in")
}

// follow opens the latest mail's link by way of the outbox.
func (b *tab) follow(subject string) *tab {
	b.t.Helper()
	b.press(`footer a[href="/outbox"]`).at("/outbox")
	if got := try(b, "latest mail", chromedp.Text(chromedp.CSS(".mail h2"))); got != subject {
		b.t.Fatalf("the latest mail is %q, want %q", got, subject)
	}
	return b.press(".mail .button")
}

func TestAccount(t *testing.T) { testAccount(open(t)) }

// Everything is a plain form, so nothing is missing without scripts.
func TestAccountWithoutJavaScript(t *testing.T) {
	b := open(t)
	b.disableScripts()
	try(b, "page with a script", chromedp.Navigate("data:text/html,<title>off</title><script>document.title='on'</script>"))
	if title := try(b, "title", chromedp.Title()); title != "off" {
		t.Fatalf("scripts run: the title is %q", title)
	}
	testAccount(b)
}

// testAccount is the life of an account from sign-up to deletion.
func testAccount(b *tab) {
	b.t.Helper()
	b.signUp().sees("Welcome!", "Ada Lovelace", email, "Not verified")
	b.fill("name", "Augusta Ada King").submit("/account").at("/account").sees("Your profile is saved.")
	b.goTo("/account").sees("Augusta Ada King").seesNot("Your profile is saved.")

	b.follow("Verify your e-mail address").at("/link/verified").sees("Your address is verified")
	b.press("main a").at("/account").seesNot("Not verified")

	b.submit("/sign-out").at("/sign-in").sees("You are signed out.")
	b.goTo("/account").at("/sign-in").sees("Please sign in to continue.")
	b.signIn("wrong password").at("/sign-in").alert("Error: Invalid email or password")
	if got := b.value("login"); got != email {
		b.t.Errorf("the address is %q after the error", got)
	}
	b.fill("password", firstPassword).submit("/sign-in").at("/account").sees("Augusta Ada King")

	b.press(`a[href="/delete-account"]`).at("/delete-account")
	b.fill("password", "wrong password").submit("/delete-account").alert("Error: Invalid password")
	b.fill("password", firstPassword).submit("/delete-account").sees("We sent you a mail.")
	b.follow("Delete your account").at("/link/deleted").sees("Your account is deleted")
	b.signIn(firstPassword).at("/sign-in").alert("Error: Invalid email or password")
}

func TestSessions(t *testing.T) {
	first := open(t)
	first.signUp()
	second := first.another()
	second.signIn(firstPassword).at("/account")

	first.press(`a[href="/sessions"]`).at("/sessions").sees("This device")
	first.submit("/sessions/revoke").at("/sessions").sees("The session is signed out.").seesNot("Sign out all others")
	second.goTo("/account").at("/sign-in")

	second.signIn(firstPassword).at("/account")
	first.goTo("/sessions").submit("/sessions/revoke-others").sees("All other sessions are signed out.")
	second.goTo("/account").at("/sign-in")
	first.goTo("/account").at("/account")
}

func TestPasswordChange(t *testing.T) {
	first := open(t)
	first.signUp()
	second := first.another()
	second.signIn(firstPassword).at("/account")
	first.press(`a[href="/password"]`).fill("password", "wrong password", "new-password", secondPassword).
		submit("/password").at("/password").alert("Error: Invalid password")
	first.fill("password", firstPassword, "new-password", secondPassword).
		submit("/password").at("/password").sees("Your password is changed.")
	second.goTo("/account").at("/sign-in") // the box to sign out other devices is ticked
	second.signIn(secondPassword).at("/account")
}

func TestPasswordReset(t *testing.T) {
	first := open(t)
	first.signUp()
	second := first.another()
	second.goTo("/sign-in").press(`a[href="/forgot-password"]`).fill("email", email).
		submit("/forgot-password").sees("check your email for the reset link")
	second.follow("Choose a new password").sees("Choose a new password")
	second.fill("new-password", secondPassword).submit("/reset-password").at("/sign-in").sees("Your password is changed.")

	first.goTo("/account").at("/sign-in") // signed out everywhere
	second.signIn(firstPassword).at("/sign-in").alert("Error: Invalid email or password")
	second.signIn(secondPassword).at("/account")
	second.follow("Choose a new password").sees("The link does not work")
}

// A page on another port is another origin of the same site, so that its forms
// come with the cookies. They have to be refused for what they are.
func TestFormOfAnotherOrigin(t *testing.T) {
	b := open(t)
	b.signUp()
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post" action="%s/account"><input name="name" value="Mallory"><button>Win</button></form>`, b.base)
	}))
	t.Cleanup(attacker.Close)
	u, err := url.Parse(attacker.URL)
	if err != nil {
		t.Fatal(err)
	}
	try(b, "attacker's page", chromedp.Navigate("http://localhost:"+u.Port()))
	b.press("button").sees("This form was sent from another site.")
	b.goTo("/account").sees("Ada Lovelace").seesNot("Mallory")
}

// The session cannot be stolen by a script, were there one, and the policy lets
// the stylesheet in.
func TestPolicies(t *testing.T) {
	b := open(t)
	b.signUp()
	if got := try(b, "cookies", chromedp.Evaluate[string]("document.cookie")); got != "" {
		t.Errorf("a script can read the cookies %q", got)
	}
	if got := try(b, "style", chromedp.Evaluate[string]("getComputedStyle(document.body).display")); got != "flex" {
		t.Errorf("the stylesheet does not apply: display is %s", got)
	}
}

// complaints is a script that lists what keeps people from using a page: inputs
// and buttons without a name, ids that are not unique, a missing or second
// heading, and contents wider than the screen.
const complaints = `(() => {
	const list = [], all = s => [...document.querySelectorAll(s)];
	for (const i of all("input:not([type=hidden], .hidden)"))
		if (!i.labels.length) list.push("input " + i.name + " without label");
	for (const b of all("button, a"))
		if (!(b.textContent.trim() || b.ariaLabel)) list.push("button or link without text");
	const ids = all("[id]").map(e => e.id);
	if (new Set(ids).size < ids.length) list.push("ids: " + ids);
	for (const e of all("[aria-describedby], [aria-labelledby]"))
		for (const id of ((e.getAttribute("aria-describedby") || "") + " " + (e.getAttribute("aria-labelledby") || "")).split(" "))
			if (id && !ids.includes(id)) list.push("no element " + id);
	if (all("h1").length != 1) list.push(all("h1").length + " main headings");
	if (!document.title || !document.documentElement.lang) list.push("no title or language");
	const root = document.documentElement;
	if (root.scrollWidth > root.clientWidth) list.push(root.scrollWidth + " pixels wide");
	return list.join("; ");
})()`

func TestPagesFitPeopleAndPhones(t *testing.T) {
	member := open(t)
	member.signUp()
	visitor := member.another()
	visitor.signIn("wrong password")
	for tab, paths := range map[*tab][]string{
		member: {"/account", "/two-factor/confirm", "/password", "/sessions", "/delete-account", "/outbox", "/link/changed", "/nowhere"},
		visitor: {
			"/", "/sign-up", "/sign-in", "/sign-in/link", "/forgot-password",
			"/sign-in/second-step/app", "/sign-in/second-step/mail", "/sign-in/second-step/backup", "/reset-password", "/reset-password?token=x",
			"/link/verified?error=TOKEN_EXPIRED",
		},
	} {
		for _, width := range []int64{320, 390, 1280} {
			try(tab, "viewport", chromedp.EmulateViewport(width, 800))
			for _, path := range paths {
				tab.goTo(path)
				tab.complain(path, width)
			}
		}
	}
	visitor.goTo("/sign-in").with("/sign-in/social")
	for _, width := range []int64{320, 390, 1280} {
		try(visitor, "viewport", chromedp.EmulateViewport(width, 800))
		visitor.complain("page of the provider", width)
	}
}

func (b *tab) complain(page string, width int64) {
	b.t.Helper()
	if got := try(b, "check "+page, chromedp.Evaluate[string](complaints)); got != "" {
		b.t.Errorf("%s, %d pixels wide: %s", page, width, got)
	}
}
