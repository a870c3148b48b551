package interoptest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The URL that both sites believe in.
const baseURL = "http://auth.test"

// A site is one of the two servers.
type site struct {
	name   string // npm or go
	origin string // where it is reached
	mails  *outbox

	// call calls an endpoint that has no URL by its name.
	call func(t *testing.T, name string, body, into any)
}

// A browser keeps the cookies of one person, whichever site set them.
type browser struct {
	t       *testing.T
	cookies map[string]string
	token   string // sent as a bearer's
}

func newBrowser(t *testing.T) *browser { return &browser{t: t, cookies: make(map[string]string)} }

// A reply is what a site answered.
type reply struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

var transport = &http.Transport{MaxIdleConnsPerHost: 4}

func (b *browser) get(at *site, path string) reply {
	b.t.Helper()
	return b.do(at, "GET", path, nil)
}

func (b *browser) post(at *site, path string, body any) reply {
	b.t.Helper()
	return b.do(at, "POST", path, body)
}

func (b *browser) do(at *site, method, path string, body any) reply {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, at.origin+"/api/auth"+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if method != "GET" {
		request.Body = io.NopCloser(bytes.NewReader(text))
		request.ContentLength = int64(len(text))
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Origin", baseURL)
	request.Header.Set("User-Agent", "interoptest")
	request.Header.Set("X-Forwarded-For", "203.0.113.7")
	if b.token != "" {
		request.Header.Set("Authorization", "Bearer "+b.token)
	}
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := transport.RoundTrip(request) // follows no redirects
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		if b.cookies[cookie.Name] = cookie.Value; cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
	}
	return reply{b.t, method + " " + path + " at " + at.name, response.StatusCode, response.Header, string(answer)}
}

// follow opens the link of a mail at a site.
func (b *browser) follow(at *site, link string) reply {
	b.t.Helper()
	path, ok := strings.CutPrefix(link, baseURL+"/api/auth")
	if !ok {
		b.t.Fatalf("the link %s does not begin with %s", link, baseURL)
	}
	return b.get(at, path)
}

// is demands a status.
func (r reply) is(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: status %d, want %d; %s", r.what, r.status, status, r.body)
	}
	return r
}

// fails demands a status and an error code.
func (r reply) fails(status int, code string) {
	r.t.Helper()
	var got struct{ Code string }
	_ = json.Unmarshal([]byte(r.body), &got)
	if r.status != status || got.Code != code {
		r.t.Fatalf("%s: status %d, want %d %s; %s", r.what, r.status, status, code, r.body)
	}
}

// says demands a body.
func (r reply) says(body string) {
	r.t.Helper()
	if r.is(200).body != body {
		r.t.Fatalf("%s\n got %s\nwant %s", r.what, r.body, body)
	}
}

// decode reads the JSON of a reply.
func (r reply) decode(into any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.is(200).body), into); err != nil {
		r.t.Fatalf("%s: %v; %s", r.what, err, r.body)
	}
}
