package providertest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

const (
	site     = "https://app.example"
	callback = site + "/api/auth/callback/"
	secret   = "a secret of more than thirty-two characters"
)

// A reply is the answer to the requests whose URL begins with its own.
type reply struct {
	URL    string `json:"url"`
	Status int    `json:"status"`
	Type   string `json:"type"`
	Body   string `json:"body"`
}

func ok(url, body string) reply { return reply{url, http.StatusOK, "application/json", body} }

// A request is one that a side made.
type request struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// comparedHeaders are those that mean something to a provider.
var comparedHeaders = []string{"authorization", "accept", "content-type", "user-agent", "notion-version"}

// line is the request in a form in which two that mean the same are equal: query
// and form decoded and sorted.
func (r request) line() string {
	line := r.Method + " " + sorted(r.URL)
	for _, name := range comparedHeaders {
		if value := r.Headers[name]; value != "" {
			line += " " + name + "=" + value
		}
	}
	switch {
	case r.Body == "":
		return line
	case strings.HasPrefix(r.Headers["content-type"], "application/x-www-form-urlencoded"):
		return line + " | " + sorted("?"+r.Body)
	}
	return line + " | " + plain(r.Body)
}

// plain is the JSON object without what white space there is in its texts.
func plain(body string) string {
	var object map[string]string
	if json.Unmarshal([]byte(body), &object) != nil {
		return body
	}
	for name, value := range object {
		object[name] = strings.Join(strings.Fields(value), " ")
	}
	return encode(object)
}

// sorted decodes and sorts the query of a URL, and JSON in it.
func sorted(address string) string {
	path, rest, _ := strings.Cut(address, "?")
	query, fragment, _ := strings.Cut(rest, "#")
	values, err := url.ParseQuery(query)
	if err != nil {
		return address
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		var object map[string]any
		if json.Unmarshal([]byte(values.Get(name)), &object) == nil {
			values.Set(name, encode(object))
		}
		pairs = append(pairs, name+"="+strings.Join(values[name], ","))
	}
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	return path + "?" + strings.Join(pairs, "&") + "#" + fragment
}

func lines(requests []request) []string {
	var lines []string
	for _, r := range requests {
		lines = append(lines, r.line())
	}
	return lines
}

// A transport answers our requests.
type transport struct {
	replies  []reply
	mu       sync.Mutex
	requests []request
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	made := request{Method: r.Method, URL: r.URL.String(), Headers: make(map[string]string)}
	for name := range r.Header {
		made.Headers[strings.ToLower(name)] = r.Header.Get(name)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		made.Body = string(body)
	}
	t.mu.Lock()
	t.requests = append(t.requests, made)
	t.mu.Unlock()
	answer := reply{Status: http.StatusNotFound, Type: "text/plain"}
	if i := slices.IndexFunc(t.replies, func(a reply) bool { return strings.HasPrefix(made.URL, a.URL) }); i >= 0 {
		answer = t.replies[i]
	}
	header := make(http.Header)
	if answer.Type != "" {
		header.Set("Content-Type", answer.Type)
	}
	return &http.Response{
		StatusCode: answer.Status, Status: http.StatusText(answer.Status), Header: header,
		Body: io.NopCloser(strings.NewReader(answer.Body)), Request: r,
	}, nil
}

func (t *transport) taken() (requests []request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	requests, t.requests = t.requests, nil
	return requests
}

// A flow is what both sides are put through.
type flow struct {
	name    string
	id      string
	config  func(p *auth.Provider) // of ours, beside id and credentials
	options map[string]any         // of theirs, the same
	request auth.SignInSocialRequest
	query   map[string]string // of the callback, beside code and state
	replies []reply
}

// ourFlow is what became of a flow here.
type ourFlow struct {
	url      string
	failure  string // the code with which the browser is sent to the error page
	requests []request
	refresh  []request
	user     *auth.User
	account  *auth.Account
	profile  any // what the mapping sees
	err      error
}

// runOurs signs in through the door for browsers and refreshes through Go.
func (f *flow) runOurs(t *testing.T) (out ourFlow) {
	t.Helper()
	config := auth.BuiltinProvider(f.id, "id", "secret")
	if f.config != nil {
		f.config(&config)
	}
	config.MapProfile = func(_ context.Context, profile map[string]any, _ *auth.ProviderUser) error {
		text, err := json.Marshal(profile)
		if err == nil {
			err = json.Unmarshal(text, &out.profile)
		}
		return err
	}
	world := &transport{replies: f.replies}
	a, err := auth.New(auth.Config{
		BaseURL: site, Secret: secret, Store: auth.NewMemoryStore(), Logger: slog.New(slog.DiscardHandler),
		Providers: []auth.Provider{config}, HTTPClient: &http.Client{Transport: world},
		DatabaseHooks: auth.DatabaseHooks{
			User:    auth.EntityHooks[auth.User]{AfterCreate: func(_ context.Context, u *auth.User) { out.user = u }},
			Account: auth.EntityHooks[auth.Account]{AfterCreate: func(_ context.Context, created *auth.Account) { out.account = created }},
		},
	})
	if err != nil {
		t.Fatalf("%s: %v", f.name, err)
	}
	var header http.Header
	in := f.request
	in.Provider, in.CallbackURL, in.ErrorCallbackURL = f.id, "/in", "/failed"
	begun, err := a.API.SignInSocial.Call(t.Context(), in, auth.ReturnHeaders(&header))
	if err != nil {
		out.err = err
		return out
	}
	out.url = begun.URL
	out.failure = f.finish(t, a, header, begun.URL)
	out.requests = world.taken()
	if out.account != nil && out.account.RefreshToken != nil {
		_, out.err = a.API.RefreshToken.Call(t.Context(), auth.AccountRequest{AccountID: out.account.ID, UserID: out.account.UserID})
		out.refresh = world.taken()
	}
	return out
}

// finish is the browser's return from the provider.
func (f *flow) finish(t *testing.T, a *auth.Auth, header http.Header, begun string) (failure string) {
	t.Helper()
	query := url.Values{"code": {"the code"}, "state": {paramOf(begun, "state")}}
	for name, value := range f.query {
		query.Set(name, value)
	}
	r := httptest.NewRequest(http.MethodGet, callback+f.id+"?"+query.Encode(), nil)
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	location, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusFound {
		return "status " + http.StatusText(w.Code)
	}
	return location.Query().Get("error")
}

func paramOf(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}

// runTheirs puts the original through the flow, with the state and the code verifier
// that we have chosen.
func (f *flow) runTheirs(t *testing.T, ours *ourFlow) (out theirFlow) {
	t.Helper()
	options := map[string]any{"clientId": "id", "clientSecret": "secret"}
	maps.Copy(options, f.options)
	maps.DeleteFunc(options, func(_ string, value any) bool { return value == nil })
	verifier := "no verifier was sent"
	for _, r := range ours.requests {
		if form, err := url.ParseQuery(r.Body); err == nil && form.Get("code_verifier") != "" {
			verifier = form.Get("code_verifier")
		}
	}
	asked := map[string]any{"state": paramOf(ours.url, "state"), "codeVerifier": verifier, "redirectURI": callback + f.id}
	if f.request.Scopes != nil {
		asked["scopes"] = f.request.Scopes
	}
	if f.request.LoginHint != "" {
		asked["loginHint"] = f.request.LoginHint
	}
	if f.request.AdditionalParams != nil {
		asked["additionalParams"] = f.request.AdditionalParams
	}
	var user any
	if text := f.query["user"]; text != "" {
		if err := json.Unmarshal([]byte(text), &user); err != nil {
			t.Fatal(err)
		}
	}
	theOriginal(t).Ask(t, "flow", map[string]any{
		"provider": f.id, "options": options, "request": asked, "code": "the code",
		"deviceId": f.query["device_id"], "user": user, "replies": f.replies,
	}, &out)
	return out
}

// unsigned is an id_token that nobody has signed; neither side minds when it comes
// from a token endpoint.
func unsigned(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

// near reports whether two times are the same but for the time that a flow takes.
func near(a, b time.Time) bool { return a.Sub(b).Abs() < 30*time.Second }
