package oauthtest

import (
	"net/http"
	"net/url"
	"testing"
)

// TestFormPost: a provider that posts makes the browser come without its cookies,
// which the following GET has. The POST itself decides nothing.
func TestFormPost(t *testing.T) {
	t.Parallel()
	newWorld(t, formPost).everyWay(t, func(p *path) {
		b, person := newBrowser(p.t), p.newPerson()
		action, form := p.op.AuthorizeForm(p.t, b.begin(p.begun, "/sign-in/social", flow("op", person)))
		if action != baseURL+"/api/auth/callback/op" || form.Get("code") == "" {
			p.t.Fatalf("form %s %v", action, form)
		}
		form.Set("id_token", "forged")
		form.Set("session_state", "x")
		post := func(cookies *browser, origin string) reply {
			p.t.Helper()
			return cookies.do(p.end, http.MethodPost, "/callback/op", "application/x-www-form-urlencoded", form.Encode(), "Origin", origin)
		}
		r := post(newBrowser(p.t), p.op.Issuer).is(302)
		again, err := url.Parse(r.header.Get("Location"))
		if err != nil {
			p.t.Fatal(err)
		}
		want := url.Values{"code": form["code"], "state": form["state"], "iss": form["iss"]}
		if again.Path != "/api/auth/callback/op" || again.Query().Encode() != want.Encode() || len(r.header["Set-Cookie"]) != 0 {
			p.t.Errorf("leads to %s", again)
		}
		newBrowser(p.t).follow(p.end, again).refuses("state_mismatch")
		post(b, p.op.Issuer).fails(403, "INVALID_ORIGIN") // a POST with cookies from elsewhere is none of a browser's
		post(b, "null").fails(403, "MISSING_OR_NULL_ORIGIN")
		b.follow(p.end, again).leadsTo("/welcome")
		if user := b.user(p.end); user["name"] != "User "+person {
			p.t.Errorf("%v is signed in", user)
		}
		b.follow(p.end, again).refusesAt(errorPage, "state_mismatch")
	})
}

// TestFormPostDenied: an error comes the same way.
func TestFormPostDenied(t *testing.T) {
	t.Parallel()
	newWorld(t, formPost).everyWay(t, func(p *path) {
		b := newBrowser(p.t)
		_, form := p.op.AuthorizeForm(p.t, b.begin(p.begun, "/sign-in/social", flow("op", "deny")))
		r := newBrowser(p.t).do(p.end, http.MethodPost, "/callback/op", "application/x-www-form-urlencoded", form.Encode(), "Origin", p.op.Issuer).is(302)
		again, err := url.Parse(r.header.Get("Location"))
		if err != nil {
			p.t.Fatal(err)
		}
		b.follow(p.end, again).leadsTo("/oops?error=access_denied&error_description=The+user+said+no")
	})
}
