package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/seed3b05b409/auth"
)

// cutOff leaves the browser loopback alone.
var cutOff = chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")

const nonce = "c2VjcmV0"

// startReference serves an instance with the page of the OpenAPI document, behind a
// Content-Security-Policy that believes in the nonce alone.
func startReference(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	a, err := auth.New(auth.Config{
		BaseURL: base, Secret: strings.Repeat("secret ", 5), Store: auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Plugins: []auth.Plugin{
			&auth.OpenAPI{Nonce: nonce}, &auth.Username{}, &auth.TwoFactor{}, &auth.JWT{}, &auth.Bearer{}, &auth.MultiSession{}, &auth.OneTimeToken{},
			&auth.EmailOTP{}, &auth.MagicLink{Send: func(context.Context, auth.MagicLinkMail) error { return nil }},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		a.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.Header().Add("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+"'")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }) // an icon
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	return base
}

// A watch keeps what a page asks for and complains of.
type watch struct {
	mu         sync.Mutex
	requests   []string
	complaints []string
}

func (b *tab) watch() *watch {
	b.t.Helper()
	w := &watch{}
	if err := chromedp.Listen(b.ctx, w.hear); err != nil {
		b.t.Fatal(err)
	}
	for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, runtime.Enable} {
		if _, err := chromedp.Call(b.ctx, enable, cdp.Empty{}); err != nil {
			b.t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	return w
}

func (w *watch) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, e.Request.URL)
	case *log.EventEntryAdded:
		w.complaints = append(w.complaints, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		w.complaints = append(w.complaints, fmt.Sprint("console ", e.Type))
	case *runtime.EventExceptionThrown:
		w.complaints = append(w.complaints, e.ExceptionDetails.Text)
	}
}

// check fails the test if a request left the machine, or there was a complaint.
func (w *watch) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, request := range w.requests {
		u, err := url.Parse(request)
		if ip := net.ParseIP(u.Hostname()); err != nil || ip == nil || !ip.IsLoopback() {
			t.Errorf("the page asks for %s", request)
		}
	}
	if len(w.requests) == 0 {
		t.Error("not even the page itself was asked for: nothing is watched")
	}
	for _, complaint := range w.complaints {
		t.Errorf("the browser complains: %s", complaint)
	}
}

// shown are the ids of the operations that the page shows at this moment.
func (b *tab) shown() []string {
	b.t.Helper()
	ids := try(b, "operations", chromedp.Evaluate[[]string](
		`[...document.querySelectorAll('details[id^="operation/"]')].filter((e) => e.offsetHeight > 0 && e.innerText.trim()).map((e) => e.id.slice(10))`))
	slices.Sort(ids)
	return ids
}

// documented are the ids of the operations in the document that the plugin serves.
func documented(t *testing.T, base string) (ids []string) {
	t.Helper()
	response, err := http.Get(base + "/api/auth/open-api/generate-schema")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	for _, item := range document.Paths {
		for _, operation := range item {
			ids = append(ids, operation.OperationID)
		}
	}
	slices.Sort(ids)
	return ids
}

// keep leaves a picture of what the tab shows.
func (b *tab) keep(name string) {
	b.t.Helper()
	picture := try(b, "picture", chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(artifacts(b.t), name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// The page shows every operation, finds those that people look for, and lets nothing
// in: it was written into by nobody.
func TestReference(t *testing.T) {
	b := openAt(t, startReference, cutOff)
	w := b.watch()
	b.goTo("/api/auth/reference#operation/signInEmail") // which is open then
	b.sees("INVALID_EMAIL_OR_PASSWORD", "rememberMe")
	all := documented(t, b.base)
	if got := b.shown(); !slices.Equal(got, all) || len(all) < 50 {
		t.Errorf("the page shows %v, want %v", got, all)
	}
	b.keep("reference")
	b.fill("filter", "jwks")
	if got := b.shown(); !slices.Contains(got, "getJwks") || len(got) > 5 {
		t.Errorf("looking for jwks finds %v", got)
	}
	b.keep("reference-filter")
	w.check(t)
	run := try(b, "a script that somebody adds", chromedp.Evaluate[bool](
		`(() => { const s = document.createElement("script"); s.textContent = "window.added = true"; document.body.append(s); return window.added === true })()`))
	if run {
		t.Error("the policy lets a script run that is not the page's")
	}
}

// Without scripts there is no filter, and nothing else is missing.
func TestReferenceWithoutJavaScript(t *testing.T) {
	b := openAt(t, startReference, cutOff)
	b.disableScripts()
	w := b.watch()
	b.goTo("/api/auth/reference")
	if got, all := b.shown(), documented(t, b.base); !slices.Equal(got, all) {
		t.Errorf("the page shows %v, want %v", got, all)
	}
	if hidden := try(b, "filter", chromedp.Evaluate[bool](`document.getElementById("filter").hidden`)); !hidden {
		t.Error("there is a filter that does nothing")
	}
	try(b, "open an operation", chromedp.Click(chromedp.CSS(`[id="operation/signInEmail"] summary`), chromedp.NodeVisible))
	b.sees("INVALID_EMAIL_OR_PASSWORD")
	b.keep("reference-without-scripts")
	w.check(t)
}
