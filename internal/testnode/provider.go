package testnode

import (
	"embed"
	"encoding/json"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

//go:embed openid.mjs mock.mjs listen.mjs keys.mjs
var providerScripts embed.FS

// A Provider is a server that tests sign in with. OpenIDProvider and MockProvider
// are the two kinds.
type Provider struct {
	Issuer       string // http://127.0.0.1 and a port
	ClientID     string // authenticates with client_secret_post
	ClientSecret string

	tb      testing.TB
	process *Process
}

// A ProviderRequest is what a provider was asked.
type ProviderRequest struct {
	Method        string
	Path          string
	Query         string
	Authorization string
	Body          string
	Status        int // 0 when there was no answer yet
}

// Form is what the body says.
func (r ProviderRequest) Form() url.Values {
	form, _ := url.ParseQuery(r.Body)
	return form
}

// processes are the scripts that run, one for all providers of a kind. They end
// with StopProviders, or with the tests, because their input ends.
var processes = struct {
	sync.Mutex
	running map[string]*Process
}{running: make(map[string]*Process)}

// processOf returns the process that runs a script.
func processOf(tb testing.TB, script string) *Process {
	tb.Helper()
	processes.Lock()
	defer processes.Unlock()
	if processes.running[script] == nil {
		processes.running[script] = Start(tb, Install(tb, providerScripts), script, func(json.RawMessage) {})
	}
	return processes.running[script]
}

// StopProviders ends what runs the providers, for a TestMain after the tests.
func StopProviders() {
	processes.Lock()
	defer processes.Unlock()
	for _, process := range processes.running {
		process.Stop()
	}
	clear(processes.running)
}

// startProvider starts a provider until the end of the test.
func startProvider(tb testing.TB, script string, parameters map[string]any) Provider {
	tb.Helper()
	p := Provider{tb: tb, process: processOf(tb, script), ClientID: "app", ClientSecret: "app-secret"}
	var started struct{ Issuer string }
	p.process.Ask(tb, "start", parameters, &started)
	p.Issuer = started.Issuer
	tb.Cleanup(func() { p.ask("stop", nil, nil) })
	return p
}

func (p *Provider) ask(command string, parameters map[string]any, result any) {
	p.tb.Helper()
	message := map[string]any{"issuer": p.Issuer}
	maps.Copy(message, parameters)
	p.process.Ask(p.tb, command, message, result)
}

// DiscoveryURL is where the provider describes itself.
func (p *Provider) DiscoveryURL() string { return p.Issuer + "/.well-known/openid-configuration" }

// Requests returns what the provider was asked until now, in that order.
func (p *Provider) Requests() []ProviderRequest {
	p.tb.Helper()
	var log struct{ Requests []ProviderRequest }
	p.ask("requests", nil, &log)
	return log.Requests
}

// RequestsTo returns the requests for a path.
func (p *Provider) RequestsTo(path string) (requests []ProviderRequest) {
	p.tb.Helper()
	for _, request := range p.Requests() {
		if request.Path == path {
			requests = append(requests, request)
		}
	}
	return requests
}

// Authorize opens an authorization URL in a browser without cookies, follows the
// provider's redirects and returns the first URL that is not the provider's,
// without requesting it.
func (p *Provider) Authorize(tb testing.TB, authorizationURL string) (callback *url.URL) {
	tb.Helper()
	response, body := p.browse(tb, authorizationURL)
	callback, err := response.Location()
	if err != nil {
		tb.Fatalf("the provider sends nobody back: %d %s", response.StatusCode, body)
	}
	return callback
}

// AuthorizeForm is Authorize for response_mode=form_post: it returns where the
// browser would post what.
func (p *Provider) AuthorizeForm(tb testing.TB, authorizationURL string) (action string, form url.Values) {
	tb.Helper()
	response, body := p.browse(tb, authorizationURL)
	match := formAction.FindStringSubmatch(body)
	if match == nil {
		tb.Fatalf("the provider shows no form: %d %s", response.StatusCode, body)
	}
	form = make(url.Values)
	for _, input := range formInput.FindAllStringSubmatch(body, -1) {
		form.Add(html.UnescapeString(input[1]), html.UnescapeString(input[2]))
	}
	return html.UnescapeString(match[1]), form
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	formInput  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// browse returns the last answer of the provider.
func (p *Provider) browse(tb testing.TB, address string) (*http.Response, string) {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	client := http.Client{Jar: jar, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if p.owns(next.URL) {
			return nil
		}
		return http.ErrUseLastResponse
	}}
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, address, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if !p.owns(request.URL) {
		tb.Fatalf("%s does not lead to the provider %s", address, p.Issuer)
	}
	response, err := client.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return response, string(body)
}

func (p *Provider) owns(address *url.URL) bool {
	return strings.EqualFold(address.Scheme+"://"+address.Host, p.Issuer)
}
