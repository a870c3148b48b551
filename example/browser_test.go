package main

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
)

// A server is the whole example on a loopback port.
type server struct {
	url     string
	auth    *auth.Auth
	plugins plugins
	mails   *outbox
	mailing *sync.WaitGroup
	db      *database

	providers []namedProvider
}

func start(t *testing.T) *server {
	t.Helper()
	return startWith(t, func(*auth.Config) {})
}

// startWith starts one whose configuration differs, on a new database.
func startWith(t *testing.T, change func(config *auth.Config)) *server {
	t.Helper()
	db, err := openDatabase(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewUnstartedServer(nil)
	s := &server{url: "http://" + ts.Listener.Addr().String(), mails: newOutbox(), mailing: new(sync.WaitGroup), db: db}
	s.plugins = newPlugins(s.mails)
	config := newConfig(s.url, strings.Repeat("s", 32), db.store, s.mails, s.plugins, s.mailing.Go)
	change(&config)
	for _, p := range config.Providers {
		s.providers = append(s.providers, namedProvider{p.ID, p})
	}
	a, err := auth.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.prepare(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	s.auth = a
	ts.Config.Handler = newSite(a, s.plugins, s.mails, true, s.providers)
	ts.Start()
	t.Cleanup(func() {
		ts.Close()
		s.mailing.Wait()
		if err := db.close(nil); err != nil {
			t.Error(err)
		}
	})
	return s
}

// mail returns the latest mail, which must be the one expected.
func (s *server) mail(t *testing.T, to, subject string) mail {
	t.Helper()
	s.mailing.Wait()
	mails := s.mails.latest()
	if len(mails) == 0 || mails[0].To != to || mails[0].Subject != subject {
		t.Fatalf("the latest of %d mails is not %q to %s: %+v", len(mails), subject, to, mails)
	}
	return mails[0]
}

// A browser keeps cookies and follows redirects; it runs no scripts.
type browser struct {
	t      *testing.T
	client *http.Client
	base   string
}

func (s *server) browser(t *testing.T) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t: t, client: &http.Client{Jar: jar}, base: s.url}
}

// A page is where the browser ended up.
type page struct {
	t      *testing.T
	status int
	path   string // with the query
	header http.Header
	body   string
}

// open follows a link, which may be absolute.
func (b *browser) open(link string) page {
	b.t.Helper()
	req, _ := http.NewRequest("GET", b.resolve(link), nil)
	return b.do(req)
}

// post sends a form: names and values in turn.
func (b *browser) post(path string, form ...string) page {
	b.t.Helper()
	return b.do(b.newPost(path, form...))
}

func (b *browser) newPost(path string, form ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Add(form[i], form[i+1])
	}
	req, _ := http.NewRequest("POST", b.resolve(path), strings.NewReader(values.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

func (b *browser) resolve(link string) string {
	if strings.HasPrefix(link, "/") {
		return b.base + link
	}
	return link
}

func (b *browser) do(req *http.Request) page {
	b.t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{b.t, resp.StatusCode, resp.Request.URL.RequestURI(), resp.Header, string(body)}
}

// signUp makes an account and leaves the browser signed in.
func (b *browser) signUp(email string) page {
	b.t.Helper()
	return b.post("/sign-up", "name", "Ada Lovelace", "email", email, "new-password", firstPassword).at("/account")
}

// signIn takes an address or a user name.
func (b *browser) signIn(login, password string) page {
	b.t.Helper()
	return b.post("/sign-in", "login", login, "password", password, "remember", "on")
}

const (
	firstPassword  = "analytical engine"
	secondPassword = "difference engine"
)

// at checks where the browser is and that there is a page.
func (p page) at(path string) page {
	p.t.Helper()
	if p.path != path || p.status != http.StatusOK {
		p.t.Fatalf("at %s with status %d, want %s with 200; notice %q", p.path, p.status, path, p.notice())
	}
	return p
}

func (p page) says(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(p.body), text) {
			p.t.Errorf("%s does not say %q:\n%s", p.path, text, p.body)
		}
	}
	return p
}

func (p page) saysNot(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(p.body), text) {
			p.t.Errorf("%s says %q:\n%s", p.path, text, p.body)
		}
	}
	return p
}

var flashText = regexp.MustCompile(`(?s)<p id="flash"[^>]*>(.*?)</p>`)

// notice returns the text of the flash message, empty if there is none.
func (p page) notice() string {
	found := flashText.FindStringSubmatch(p.body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(strings.NewReplacer("<strong>", "", "</strong>", "").Replace(found[1]))
}

// notices checks the flash message.
func (p page) notices(want string) page {
	p.t.Helper()
	if got := p.notice(); got != want {
		p.t.Errorf("%s: notice %q, want %q", p.path, got, want)
	}
	return p
}
