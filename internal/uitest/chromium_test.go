package uitest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/seed3b05b409/auth/internal/testnode"
)

const (
	browserTimeout = 5 * time.Minute  // for one server
	actionTimeout  = 30 * time.Second // for one action
	quietTime      = 150 * time.Millisecond
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
	testnode.Missing(t, "no Chromium", "install it to run this test: apt-get install chromium")
	return ""
}

// A tab is one page in a browser profile of its own, as if on another device.
type tab struct {
	t     *testing.T
	ctx   context.Context
	site  *site
	trace *trace
}

// open starts a browser for the site and returns its first tab.
func open(t *testing.T, s *site) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), browserTimeout)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(findBrowser(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 960), chromedp.IgnoreCertErrors,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	return newTab(t, ctx, s, &trace{origin: s.origin, pending: make(map[network.RequestID]request)})
}

// another returns a tab that shares nothing with b but the site.
func (b *tab) another() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx, b.site, b.trace, chromedp.WithNewBrowserContext())
}

func newTab(t *testing.T, parent context.Context, s *site, events *trace, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the browser has left its directory
		cancel()
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 960)); err != nil { // starts the browser, which lives as long as ctx
		t.Fatalf("Chromium does not start: %v", err)
	}
	if err := chromedp.Listen(ctx, events.hear); err != nil {
		t.Fatal(err)
	}
	return &tab{t, ctx, s, events}
}

// A trace is what the tabs of one browser have requested and complained about.
type trace struct {
	origin string

	mu         sync.Mutex
	pending    map[network.RequestID]request // what has not ended
	last       time.Time                     // when the latest event came
	exchanges  []string                      // as "POST /api/auth/sign-in/email 200"
	complaints []string
}

// token is a part of a path that is another one at every site.
var token = regexp.MustCompile(`[0-9A-Za-z]{24,}`)

// A request is of a page, which is known by its loader.
type request struct {
	what   string // method and path
	frame  cdp.FrameID
	loader cdp.LoaderID
}

// hear gets the events of a tab.
func (r *trace) hear(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.RedirectResponse != nil {
			r.answered(e.RequestID, e.RedirectResponse.Status)
		}
		path, ours := strings.CutPrefix(e.Request.URL, r.origin)
		if path, _, _ = strings.Cut(path, "?"); ours {
			r.pending[e.RequestID] = request{e.Request.Method + " " + token.ReplaceAllString(path, "*"), e.FrameID, e.LoaderID}
		}
	case *network.EventResponseReceived:
		r.answered(e.RequestID, e.Response.Status)
	case *network.EventLoadingFinished:
		delete(r.pending, e.RequestID)
	case *network.EventLoadingFailed:
		if q, ours := r.pending[e.RequestID]; ours && !e.Canceled {
			r.complaints = append(r.complaints, q.what+": "+e.ErrorText)
		}
		delete(r.pending, e.RequestID)
	case *page.EventFrameNavigated: // what the page before it has requested has no end
		maps.DeleteFunc(r.pending, func(_ network.RequestID, q request) bool {
			return q.frame == e.Frame.ID && q.loader != e.Frame.LoaderID
		})
	case *runtime.EventExceptionThrown:
		r.complaints = append(r.complaints, "exception: "+exception(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			r.complaints = append(r.complaints, "console: "+arguments(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork { // the exchanges tell of those
			r.complaints = append(r.complaints, "log: "+e.Entry.Text)
		}
	default:
		return
	}
	r.last = time.Now()
}

func exception(details *runtime.ExceptionDetails) string {
	if details.Exception != nil {
		return details.Text + " " + details.Exception.Description
	}
	return details.Text
}

func arguments(list []*runtime.RemoteObject) string {
	var words []string
	for _, object := range list {
		words = append(words, string(object.Value)+object.Description)
	}
	return strings.Join(words, " ")
}

// answered notes the status of a request. What the page was made from is not worth
// a note.
func (r *trace) answered(id network.RequestID, status int64) {
	if q, ours := r.pending[id]; ours && !strings.Contains(q.what, " /assets/") {
		r.exchanges = append(r.exchanges, fmt.Sprint(q.what, " ", status))
	}
}

// take returns what has come since it was last called.
func (r *trace) take() (exchanges, complaints []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	exchanges, complaints = r.exchanges, r.complaints
	r.exchanges, r.complaints = nil, nil
	return exchanges, complaints
}

// quiet tells whether nothing is under way, and when that began.
func (r *trace) quiet() (since time.Time, quiet bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, len(r.pending) == 0 && time.Since(r.last) > quietTime
}

// settle waits until nothing is under way and the page has nothing left to do with
// what has come: a busy machine may take its time between an answer and the request
// that follows from it.
func (b *tab) settle() {
	b.t.Helper()
	const idle = "new Promise(done => requestIdleCallback(() => done(true)))"
	for deadline := time.Now().Add(actionTimeout); time.Now().Before(deadline); time.Sleep(quietTime / 5) {
		since, quiet := b.trace.quiet()
		if !quiet || b.evaluate(idle, chromedp.EvalAwaitPromise) != "true" {
			continue
		}
		if now, quiet := b.trace.quiet(); quiet && now.Equal(since) {
			return
		}
	}
	b.t.Fatalf("the page does not come to rest; under way: %v", b.trace.pending)
}

// try runs an action and fails the test if that takes too long.
func try[T any](b *tab, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.shoot("failed")
		b.t.Fatalf("%s: %v; the page, at %s, says:\n%s", what, err, b.evaluate("location.href"), b.evaluate("document.body.innerText"))
	}
	return value
}

// evaluate returns the value or the error.
func (b *tab) evaluate(expression string, options ...chromedp.EvaluateOption) string {
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[any](expression, options...))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(value)
}

func (b *tab) goTo(href string) *tab {
	b.t.Helper()
	if strings.HasPrefix(href, "/") {
		href = b.site.origin + href
	}
	try(b, "open "+href, chromedp.Navigate(href))
	return b
}

// literal is a string in JavaScript.
func literal(text string) string {
	quoted, _ := json.Marshal(text) // a string has no error
	return string(quoted)
}

// fill types into the inputs of the form that has them: names and values in turn.
// What is there goes.
func (b *tab) fill(inputs ...string) *tab {
	b.t.Helper()
	for i := 0; i < len(inputs); i += 2 {
		b.typeInto("input[name="+inputs[i]+"]", inputs[i+1])
	}
	return b
}

func (b *tab) typeInto(selector, text string) {
	b.t.Helper()
	input := chromedp.CSS(selector)
	try(b, "find "+selector, chromedp.Steps(chromedp.WaitVisible(input), chromedp.WaitEnabled(input)))
	try(b, "select what is in "+selector, chromedp.Evaluate[bool]("{ const i = document.querySelector("+literal(selector)+"); i.focus(); i.select(); true }"))
	try(b, "type into "+selector, chromedp.KeyEvent(text))
	b.await(fmt.Sprintf("document.querySelector(%s)?.value === %s", literal(selector), literal(text)))
}

// press clicks the button or link that has a text.
func (b *tab) press(text string) *tab {
	b.t.Helper()
	return b.clickOne("button, a:not(:has(button))", text)
}

// pick clicks the item of the open menu that has a text.
func (b *tab) pick(text string) *tab {
	b.t.Helper()
	return b.clickOne("[role=menuitem]", text)
}

func (b *tab) clickOne(selector, text string) *tab {
	b.t.Helper()
	return b.click(fmt.Sprintf("[...document.querySelectorAll(%s)].filter(e => e.checkVisibility() && !e.disabled && e.innerText.trim() === %s)",
		literal(selector), literal(text)))
}

// save presses the button of the form with an input.
func (b *tab) save(input string) *tab {
	b.t.Helper()
	return b.click(fmt.Sprintf(`[...document.querySelectorAll("form:has(input[name=%s]) button[type=submit]")].filter(e => !e.disabled)`, input))
}

// click clicks the first of the elements that an expression finds, once there is one.
func (b *tab) click(elements string) *tab {
	b.t.Helper()
	b.await("(" + elements + ").length > 0")
	try(b, "click "+elements, chromedp.Click(chromedp.JSPath("("+elements+")[0]")))
	return b
}

// await waits until an expression is true.
func (b *tab) await(expression string) {
	b.t.Helper()
	try(b, "wait for "+expression, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(actionTimeout)))
}

// upload gives a file to an input, which need not be visible.
func (b *tab) upload(selector, path string) *tab {
	b.t.Helper()
	try(b, "upload to "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path}, chromedp.NodeReady))
	return b
}

// at waits for a page.
func (b *tab) at(path string) *tab {
	b.t.Helper()
	b.await("location.pathname === " + literal(path))
	return b
}

// sees waits for texts.
func (b *tab) sees(texts ...string) *tab {
	b.t.Helper()
	for _, text := range texts {
		b.await("document.body.innerText.includes(" + literal(text) + ")")
	}
	return b
}

// lacks waits until a text is gone.
func (b *tab) lacks(text string) *tab {
	b.t.Helper()
	b.await("!document.body.innerText.includes(" + literal(text) + ")")
	return b
}

// shoot keeps a picture of the page.
func (b *tab) shoot(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Errorf("screenshot: %v", err)
		return
	}
	dir := artifacts(b.t)
	path := filepath.Join(dir, name+".png")
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		b.t.Error(err)
	}
}

// artifacts returns the folder for what a test leaves to people to look at.
func artifacts(t *testing.T) string {
	t.Helper()
	kept := os.Getenv("CI_ARTIFACTS")
	if kept == "" {
		return t.ArtifactDir()
	}
	dir := filepath.Join(kept, "uitest", filepath.FromSlash(t.Name()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A step is what the pages did at one point of the script.
type step struct {
	name  string
	posts []string // in order
	gets  []string // sorted, each once: how often and when a page reads is its own affair
}

// newStep sorts exchanges.
func newStep(name string, exchanges []string) step {
	s := step{name: name}
	for _, exchange := range exchanges {
		if strings.HasPrefix(exchange, "GET ") {
			s.gets = append(s.gets, exchange)
		} else {
			s.posts = append(s.posts, exchange)
		}
	}
	slices.Sort(s.gets)
	s.gets = slices.Compact(s.gets)
	return s
}

func (s step) String() string {
	return s.name + "\n\t" + strings.Join(slices.Concat(s.posts, s.gets), "\n\t")
}
