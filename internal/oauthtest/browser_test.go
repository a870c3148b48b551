package oauthtest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The URL that all servers believe in. Providers send users back there, and the
// tests decide which server that is.
const baseURL = "http://auth.test"

// A site is one of the servers.
type site struct {
	name   string
	origin string // where it is reached
	shared bool   // whether its database is the shared one
}

// A browser keeps the cookies of one person for baseURL, whichever site set them.
// It has none of the provider, at which everybody is new each time.
type browser struct {
	t       *testing.T
	cookies map[string]*http.Cookie
}

func newBrowser(t *testing.T) *browser { return &browser{t, make(map[string]*http.Cookie)} }

// clone is a browser with the same cookies, such as a thief's.
func (b *browser) clone() *browser { return &browser{b.t, maps.Clone(b.cookies)} }

// A reply is what a site answered.
type reply struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

var transport = &http.Transport{MaxIdleConnsPerHost: 4} // follows no redirects

func (b *browser) get(at *site, path string) reply {
	b.t.Helper()
	return b.do(at, http.MethodGet, path, "", "")
}

func (b *browser) post(at *site, path string, body map[string]any) reply {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(at, http.MethodPost, path, "application/json", string(text))
}

// do sends a request for a path below the base path.
func (b *browser) do(at *site, method, path, contentType, body string, headers ...string) reply {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, at.origin+"/api/auth"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("Origin", baseURL)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	for _, cookie := range b.cookies {
		request.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		if b.cookies[cookie.Name] = cookie; cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
	}
	return reply{b.t, method + " " + path + " at " + at.name, response.StatusCode, response.Header, string(answer)}
}

// begin asks for the URL of a provider.
func (b *browser) begin(at *site, endpoint string, body map[string]any) (authorizationURL string) {
	b.t.Helper()
	var begun struct {
		URL      string
		Redirect bool
	}
	if b.post(at, endpoint, body).decode(&begun); !begun.Redirect {
		b.t.Fatalf("%s at %s does not redirect", endpoint, at.name)
	}
	return begun.URL
}

// follow goes where a provider sends the browser: to one of the sites.
func (b *browser) follow(at *site, callback *url.URL) reply {
	b.t.Helper()
	path, ok := strings.CutPrefix(callback.String(), baseURL+"/api/auth")
	if !ok {
		b.t.Fatalf("%s does not lead to %s", callback, baseURL)
	}
	return b.get(at, path)
}

// user is who is signed in at a site, nil if nobody is.
func (b *browser) user(at *site) map[string]any {
	b.t.Helper()
	var session *struct{ User map[string]any }
	if b.get(at, "/get-session").decode(&session); session == nil {
		return nil
	}
	return session.User
}

// is demands a status.
func (r reply) is(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: status %d, want %d; %s %s", r.what, r.status, status, r.header.Get("Location"), r.body)
	}
	return r
}

// fails demands a status and an error code.
func (r reply) fails(status int, code string) {
	r.t.Helper()
	var got struct{ Code string }
	_ = json.Unmarshal([]byte(r.body), &got)
	if r.status != status || got.Code != code {
		r.t.Errorf("%s: status %d, want %d %s; %s", r.what, r.status, status, code, r.body)
	}
}

// decode reads the JSON of a reply.
func (r reply) decode(into any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.is(200).body), into); err != nil {
		r.t.Fatalf("%s: %v; %s", r.what, err, r.body)
	}
}

// leadsTo demands a redirect.
func (r reply) leadsTo(target string) reply {
	r.t.Helper()
	if got := r.is(302).header.Get("Location"); got != target {
		r.t.Errorf("%s leads to %s, want %s", r.what, got, target)
	}
	return r
}

// refuses demands a redirect to the page that the flow named for errors, and no
// session.
func (r reply) refuses(code string) {
	r.t.Helper()
	r.refusesAt("/oops", code)
}

// refusesAt is refuses with the page, without the description of the error.
func (r reply) refusesAt(page, code string) {
	r.t.Helper()
	target, err := url.Parse(r.is(302).header.Get("Location"))
	if err != nil {
		r.t.Fatal(err)
	}
	got := target.Query().Get("error")
	target.RawQuery = ""
	if got != code || target.String() != page {
		r.t.Errorf("%s leads to %s, want %s with error %s", r.what, r.header.Get("Location"), page, code)
	}
	if session := r.cookie("session_token"); session != nil && session.MaxAge >= 0 {
		r.t.Errorf("%s was refused and sets a session", r.what)
	}
}

// errorPage is where failures lead whose flow is unknown.
const errorPage = baseURL + "/api/auth/error"

// cookie is one that the reply sets, named without the prefix.
func (r reply) cookie(name string) *http.Cookie {
	for _, cookie := range (&http.Response{Header: r.header}).Cookies() {
		if strings.TrimPrefix(cookie.Name, "better-auth.") == name {
			return cookie
		}
	}
	return nil
}
