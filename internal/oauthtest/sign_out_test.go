package oauthtest

import (
	"io"
	"net/http"
	"net/url"
	"testing"
)

// signedOut is the answer of sign-out.
type signedOut struct {
	Success  bool
	URL      string
	Redirect bool
}

// TestProviderLogout: signing out leads on to the provider, at which the session
// would go on otherwise, with a URL that it accepts.
func TestProviderLogout(t *testing.T) {
	t.Parallel()
	newWorld(t, postLogout).everyWay(t, func(p *path) {
		b, _ := p.signUp()
		var answer signedOut
		r := b.post(p.end, "/sign-out", map[string]any{"callbackURL": "/bye", "state": "a state"})
		r.decode(&answer)
		target, err := url.Parse(answer.URL)
		if err != nil {
			p.t.Fatal(err)
		}
		query := target.Query()
		if !answer.Success || !answer.Redirect || r.header.Get("Location") != answer.URL || query.Get("id_token_hint") == "" ||
			query.Get("post_logout_redirect_uri") != baseURL+"/bye" || query.Get("client_id") != "app" || query.Get("state") != "a state" {
			p.t.Errorf("%+v, Location %s", answer, r.header.Get("Location"))
		}
		p.anonymous(b)
		if status, body := open(p.t, answer.URL); status != 200 {
			p.t.Errorf("the provider says %d %s", status, body)
		}
		query.Set("post_logout_redirect_uri", "http://evil.test/")
		target.RawQuery = query.Encode()
		if status, _ := open(p.t, target.String()); status != 400 { // or the check above proves nothing
			p.t.Errorf("the provider accepts everything: %d", status)
		}
		b.post(p.end, "/sign-out", map[string]any{}).decode(&answer)
	})
}

// TestNoProviderLogout: nobody else is sent there.
func TestNoProviderLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setting{})
	w.everyWay(t, func(p *path) {
		b := p.join(p.newPerson() + "@example.com")
		if r := b.post(p.end, "/sign-out", map[string]any{}).is(200); r.body != `{"success":true}` || r.header.Get("Location") != "" {
			p.t.Errorf("%s %v", r.body, r.header)
		}
		b, _ = p.signUp()
		var answer signedOut
		r := b.post(p.end, "/sign-out", map[string]any{"disableRedirect": true})
		if r.decode(&answer); answer.Redirect || answer.URL == "" || r.header.Get("Location") != "" {
			p.t.Errorf("%s %v", r.body, r.header)
		}
	})
	newWorld(t, noLogout).everyWay(t, func(p *path) {
		b, _ := p.signUp()
		if r := b.post(p.end, "/sign-out", map[string]any{}).is(200); r.body != `{"success":true}` {
			p.t.Errorf("answer %s", r.body)
		}
	})
}

// open requests a URL without cookies.
func open(t *testing.T, address string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
