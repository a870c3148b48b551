package oauthtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// attributes are those of the cookies that a reply sets, in their order.
func (r reply) attributes() string {
	var lines []string
	for _, cookie := range (&http.Response{Header: r.header}).Cookies() {
		lines = append(lines, fmt.Sprintf("%s path %s for %d %v %v %v %q", cookie.Name, cookie.Path, cookie.MaxAge, cookie.HttpOnly, cookie.Secure, cookie.SameSite, cookie.Domain))
	}
	return strings.Join(lines, "\n")
}

// TestCookies: a browser keeps what it gets from either server as long, and shows
// it to as few.
func TestCookies(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]setting{"default": {}, "state in a cookie": stateInCookie, "account in a cookie": accountCookie} {
		t.Run(name, func(t *testing.T) {
			same(newWorld(t, s), t, map[string]bool{"flow": true}, func(p *path, _ bool) string {
				b, person := newBrowser(p.t), p.newPerson()
				begun := b.post(p.begun, "/sign-in/social", flow("op", person))
				var told struct{ URL string }
				begun.decode(&told)
				ended := b.follow(p.end, p.op.Authorize(p.t, told.URL))
				denied := newBrowser(p.t)
				again := denied.follow(p.end, p.op.Authorize(p.t, denied.begin(p.begun, "/sign-in/social", flow("op", "deny"))))
				link := b.post(p.begun, "/link-social", flow("op", person))
				link.decode(&told)
				linked := b.follow(p.end, p.op.Authorize(p.t, told.URL))
				out := b.post(p.end, "/sign-out", map[string]any{})
				var all []string
				for _, r := range []reply{begun, ended, again, link, linked, out} {
					all = append(all, r.attributes())
				}
				return strings.Join(all, "\n\n")
			})
		})
	}
}

// TestNotRemembered: whoever did not want to be remembered on a machine is not
// after a sign-in at a provider either.
func TestNotRemembered(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		email := p.newPerson() + "@example.com"
		p.join(email)
		b := newBrowser(p.t)
		b.post(p.begun, "/sign-in/email", map[string]any{"email": email, "password": password, "rememberMe": false}).is(200)
		r := p.signIn(b, p.newPerson()).leadsTo("/welcome")
		if cookie := r.cookie("session_token"); cookie == nil || cookie.MaxAge != 0 {
			p.t.Errorf("cookie %v", cookie)
		}
	})
}

// TestAnotherUser: whoever signs in is signed in, even if somebody else was before
// in that browser, whose account is not touched.
func TestAnotherUser(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b, ann := p.signUp()
		id := p.id(b)
		before := b.clone()
		bob := p.newPerson()
		p.signIn(b, bob).leadsTo("/welcome")
		if p.id(b) == id {
			p.t.Error("ann is still signed in")
		}
		p.linked(b, 1)
		if accounts := before.accounts(p.end); len(accounts) != 1 || accounts[0].AccountID != ann {
			p.t.Errorf("accounts of ann: %+v", accounts)
		}
	})
}
