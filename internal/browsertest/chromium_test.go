package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const (
	browserTimeout = 90 * time.Second // for one test
	actionTimeout  = 20 * time.Second // for one step of it
)

// findBrowser skips the test where there is no browser, except where tests are
// not to be skipped.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "no Chromium; install it to run this test: apt-get install chromium"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// A tab is one page in a browser profile of its own, as if on another device.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string // URL of the server
}

// open starts the example and a browser for the test and returns its first tab.
func open(t *testing.T) *tab { t.Helper(); return openAt(t, startServer) }

// openAt starts a server, of which start returns the URL, and a browser.
func openAt(t *testing.T, start func(t *testing.T) string, more ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	path := findBrowser(t)
	base := start(t)
	ctx, cancel := context.WithTimeout(context.Background(), browserTimeout)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	options = append(options, more...)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	return newTab(t, ctx, base)
}

// another returns a tab that shares nothing with b but the server.
func (b *tab) another() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx, b.base, chromedp.WithNewBrowserContext())
}

func newTab(t *testing.T, parent context.Context, base string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the browser has left its directory
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil { // starts the browser, which lives as long as ctx
		t.Fatalf("Chromium does not start: %v", err)
	}
	return &tab{t, ctx, base}
}

// try runs an action and fails the test if that takes too long.
func try[T any](b *tab, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return value
}

func (b *tab) disableScripts() {
	b.t.Helper()
	params := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, params); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) goTo(path string) *tab {
	b.t.Helper()
	try(b, "open "+path, chromedp.Navigate(b.base+path))
	return b
}

// fill types into inputs: ids and values in turn.
func (b *tab) fill(inputs ...string) *tab {
	b.t.Helper()
	for i := 0; i < len(inputs); i += 2 {
		input := chromedp.CSS("#" + inputs[i])
		try(b, "fill in "+inputs[i], chromedp.Steps(chromedp.Clear(input), chromedp.SendKeys(input, inputs[i+1])))
	}
	return b
}

// press clicks what a selector finds first and waits for the page after it.
func (b *tab) press(selector string) *tab {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)); err != nil {
		b.t.Fatalf("press %s: %v", selector, err)
	}
	return b
}

// submit sends the form that posts to a path.
func (b *tab) submit(action string) *tab {
	b.t.Helper()
	return b.press(`form[action="` + action + `"] button`)
}

// at checks which page the tab shows.
func (b *tab) at(path string) *tab {
	b.t.Helper()
	if got := try(b, "location", chromedp.Location()); got != b.base+path {
		b.t.Fatalf("at %s, want %s; the page says:\n%s", got, b.base+path, b.text())
	}
	return b
}

// text returns what is to be seen.
func (b *tab) text() string {
	b.t.Helper()
	return try(b, "text", chromedp.Text(chromedp.CSS("body")))
}

func (b *tab) sees(texts ...string) *tab {
	b.t.Helper()
	page := b.text()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Fatalf("the page does not say %q:\n%s", text, page)
		}
	}
	return b
}

func (b *tab) seesNot(text string) *tab {
	b.t.Helper()
	if page := b.text(); strings.Contains(page, text) {
		b.t.Fatalf("the page says %q:\n%s", text, page)
	}
	return b
}

// alert checks the error message that the page shows.
func (b *tab) alert(want string) *tab {
	b.t.Helper()
	if got := try(b, "alert", chromedp.Text(chromedp.CSS("[role=alert]"))); got != want {
		b.t.Errorf("the error message is %q, want %q", got, want)
	}
	return b
}

// value returns what is in an input.
func (b *tab) value(input string) string {
	b.t.Helper()
	return try(b, "value of "+input, chromedp.Value(chromedp.CSS("#"+input)))
}

// artifacts returns the folder for what a test leaves to people to look at: in the one
// that CI_ARTIFACTS names, or where go test -artifacts wants it.
func artifacts(t *testing.T) string {
	t.Helper()
	kept := os.Getenv("CI_ARTIFACTS")
	if kept == "" {
		return t.ArtifactDir()
	}
	dir := filepath.Join(kept, "browsertest", filepath.FromSlash(t.Name()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
