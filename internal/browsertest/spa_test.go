package browsertest

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// sources is a folder without what npm makes in it.
type sources struct{ fs.FS }

// ReadDir is that of the folder.
func (s sources) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(s.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "node_modules" || e.Name() == "dist" }), err
}

// startSPA builds the pages of example/spa and serves them.
func startSPA(t *testing.T) string {
	t.Helper()
	dist := filepath.Join(testnode.Build(t, sources{os.DirFS(filepath.Join("..", "..", "example", "spa", "web"))}), "dist")
	addr := "localhost:" + freePort(t)
	return startProgram(t, buildSPA, "-addr", addr, "-web", dist)
}

// A spaTab is a tab in which pages change without being loaded.
type spaTab struct{ *tab }

// shows waits until the page has a heading.
func (b spaTab) shows(heading string) spaTab {
	b.t.Helper()
	return b.waits("h1", heading)
}

// waits waits until the first element that a selector finds has a text.
func (b spaTab) waits(selector, text string) spaTab {
	b.t.Helper()
	got := ""
	for deadline := time.Now().Add(actionTimeout); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		got = try(b.tab, selector, chromedp.Evaluate[string](`document.querySelector("`+selector+`")?.innerText ?? ""`))
		if got == text {
			return b
		}
	}
	b.t.Fatalf("%s says %q, want %q; the page says:\n%s", selector, got, text, b.text())
	return b
}

// click clicks the link or button with a text.
func (b spaTab) click(text string) spaTab {
	b.t.Helper()
	try(b.tab, "click "+text, chromedp.Click(chromedp.Search(`//*[self::a or self::button][normalize-space()="`+text+`"]`), chromedp.NodeVisible))
	return b
}

// fill types into inputs in place of what is there: ids and values in turn.
func (b spaTab) fill(inputs ...string) spaTab {
	b.t.Helper()
	for i := 0; i < len(inputs); i += 2 {
		try(b.tab, "select "+inputs[i], chromedp.Evaluate[bool](`(document.getElementById("`+inputs[i]+`").select(), true)`))
		try(b.tab, "fill in "+inputs[i], chromedp.SendKeys(chromedp.CSS("#"+inputs[i]), inputs[i+1]))
	}
	return b
}

// reload loads the page anew.
func (b spaTab) reload() spaTab {
	b.t.Helper()
	try(b.tab, "reload", chromedp.Reload())
	return b
}

// opens loads a page.
func (b spaTab) opens(path string) spaTab { b.t.Helper(); b.goTo(path); return b }

// picture keeps what the tab shows among the artefacts of the test.
func (b spaTab) picture(name string) spaTab {
	b.t.Helper()
	b.keep(name)
	return b
}

func (b spaTab) signUp() spaTab {
	b.t.Helper()
	return b.opens("/sign-up").shows("Sign up").fill("name", "Ada", "email", email, "password", firstPassword).
		click("Sign up").shows("Hello, Ada")
}

func (b spaTab) signIn(password string) spaTab {
	b.t.Helper()
	return b.shows("Sign in").fill("email", email, "password", password).click("Sign in")
}

func TestSPA(t *testing.T) {
	b := spaTab{openAt(t, startSPA)}
	b.opens("/").shows("Sign in").click("Sign up").shows("Sign up").at("/sign-up")
	b.signUp().picture("account")
	b.at("/")
	b.reload().shows("Hello, Ada")

	b.click("Sign out").signIn("wrong password").waits("[role=alert]", "Invalid email or password")
	b.picture("wrong-password")
	if got := b.value("email"); got != email {
		t.Errorf("the address is %q after the error", got)
	}
	b.fill("password", firstPassword).click("Sign in").shows("Hello, Ada")
}

// TestSPADeepLink: a route is a page of its own, for who is signed in at once and for
// others when they are.
func TestSPADeepLink(t *testing.T) {
	b := spaTab{openAt(t, startSPA)}
	b.signUp()
	b.opens("/sessions").shows("Sessions").waits("li strong", "This device")
	b.opens("/no/such/page").shows("There is no such page")
	b.click("Password").shows("Password").at("/password")
	try(b.tab, "back", chromedp.NavigateBack())
	b.shows("There is no such page")

	visitor := spaTab{b.another()}
	visitor.opens("/sessions").signIn(firstPassword).shows("Sessions").at("/sessions")
}

func TestSPASessionsAndPassword(t *testing.T) {
	b := spaTab{openAt(t, startSPA)}
	b.signUp()
	other := spaTab{b.another()}
	other.opens("/sign-in").signIn(firstPassword).shows("Hello, Ada").at("/")

	b.click("Sessions").waits("li button", "Sign out").picture("sessions").click("Sign out all others")
	b.waits("li button", "")
	other.reload().signIn(firstPassword).shows("Hello, Ada")

	b.click("Password").shows("Password")
	b.fill("current-password", "wrong password", "new-password", secondPassword).click("Change password").waits("[role=alert]", "Invalid password")
	b.fill("current-password", firstPassword).click("Change password").waits("[role=status]", "Your password is changed. Other devices are signed out.")
	b.reload().shows("Password")
	b.click("Sessions").waits("li strong", "This device").waits("li button", "")
	other.reload().signIn(secondPassword).shows("Hello, Ada")
}

// TestSPAPolicies: the pages work under a policy that lets no other script in, and the
// session is out of the reach of scripts.
func TestSPAPolicies(t *testing.T) {
	b := spaTab{openAt(t, startSPA)}
	b.signUp()
	if got := try(b.tab, "cookies", chromedp.Evaluate[string]("document.cookie")); got != "" {
		t.Errorf("a script can read the cookies %q", got)
	}
	try(b.tab, "inline script", chromedp.Evaluate[bool](`(() => {
		const script = document.createElement("script");
		script.textContent = "window.smuggled = true";
		document.body.append(script);
		return true;
	})()`))
	if try(b.tab, "smuggled", chromedp.Evaluate[bool]("window.smuggled === true")) {
		t.Error("a script in the page runs")
	}
	for _, width := range []int64{320, 1280} {
		try(b.tab, "viewport", chromedp.EmulateViewport(width, 800))
		for path, heading := range map[string]string{"/": "Hello, Ada", "/password": "Password", "/sessions": "Sessions"} {
			b.opens(path).shows(heading).complain(path, width)
		}
	}
}
