package oauthtest

import (
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// flow is what begins a sign-in of somebody at a provider.
func flow(provider, person string) map[string]any {
	return map[string]any{
		"provider": provider, "loginHint": person,
		"callbackURL": "/dash", "newUserCallbackURL": "/welcome", "errorCallbackURL": "/oops",
	}
}

// authorize begins a sign-in and returns where the provider sends the browser
// afterwards.
func (p *path) authorize(b *browser, person string) *url.URL {
	p.t.Helper()
	return p.op.Authorize(p.t, b.begin(p.begun, "/sign-in/social", flow("op", person)))
}

// signIn goes through a whole sign-in.
func (p *path) signIn(b *browser, person string) reply {
	p.t.Helper()
	return b.follow(p.end, p.authorize(b, person))
}

// signUp makes a new user and returns their browser and name at the provider.
func (p *path) signUp() (b *browser, person string) {
	p.t.Helper()
	b, person = newBrowser(p.t), p.newPerson()
	p.signIn(b, person).leadsTo("/welcome")
	return b, person
}

// id is that of the user who is signed in.
func (p *path) id(b *browser) string {
	p.t.Helper()
	user := b.user(p.end)
	if user == nil {
		p.t.Fatal("nobody is signed in")
	}
	return user["id"].(string)
}

// anonymous demands that nobody is signed in.
func (p *path) anonymous(b *browser) {
	p.t.Helper()
	if user := b.user(p.end); user != nil {
		p.t.Errorf("%v is signed in", user)
	}
}

// An account is one that list-accounts returns.
type account struct {
	ID         string
	AccountID  string
	ProviderID string
	UserID     string
	Scopes     []string
}

func (b *browser) accounts(at *site) (accounts []account) {
	b.t.Helper()
	b.get(at, "/list-accounts").decode(&accounts)
	return accounts
}

// TestSignIn: whoever signs in is who the provider says and nobody else, the first
// time and every other time, although people come at the same time.
func TestSignIn(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		people := []string{p.newPerson(), p.newPerson(), p.newPerson()}
		ids := make(map[string]string)
		for _, page := range []string{"/welcome", "/dash", "/dash"} {
			browsers, callbacks := make([]*browser, len(people)), make([]*url.URL, len(people))
			for i, person := range people {
				browsers[i] = newBrowser(p.t)
				callbacks[i] = p.authorize(browsers[i], person)
			}
			for i, person := range people {
				browsers[i].follow(p.end, callbacks[i]).leadsTo(page)
				user := browsers[i].user(p.begun)
				if user["email"] != person+"@example.com" || user["name"] != "User "+person || user["emailVerified"] != true {
					p.t.Fatalf("%s is %v", person, user)
				}
				if id := user["id"].(string); page == "/welcome" {
					ids[person] = id
				} else if id != ids[person] {
					p.t.Errorf("%s became another user", person)
				}
				accounts := browsers[i].accounts(p.end)
				if len(accounts) != 1 || accounts[0].AccountID != person || accounts[0].ProviderID != "op" || accounts[0].UserID != ids[person] || fmt.Sprint(accounts[0].Scopes) != "[openid email profile]" {
					p.t.Errorf("accounts of %s: %+v", person, accounts)
				}
			}
		}
	})
}

// TestSubjectDecides: an address at the provider is no identity. Who changes it
// stays the user, and who takes one that is somebody's does not become them unless
// the provider has verified it.
func TestSubjectDecides(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b, ann := p.signUp()
		id := p.id(b)
		p.op.SetUser(ann, map[string]any{"email": "moved-" + ann + "@example.com", "email_verified": true, "name": "Ann"})
		b = newBrowser(p.t)
		p.signIn(b, ann).leadsTo("/dash")
		if user := b.user(p.end); user["id"] != id || user["email"] != ann+"@example.com" || user["name"] != "User "+ann {
			p.t.Errorf("after the move: %v", user)
		}
		eve, thief := newBrowser(p.t), p.newPerson()
		p.op.SetUser(thief, map[string]any{"email": ann + "@example.com", "email_verified": false})
		p.signIn(eve, thief).refuses("account_not_linked")
		p.anonymous(eve)
		p.op.SetUser(thief, map[string]any{"email": ann + "@EXAMPLE.com", "email_verified": "true"})
		p.signIn(eve, thief).leadsTo("/dash")
		if p.id(eve) != id || len(eve.accounts(p.end)) != 2 {
			p.t.Error("the owner of a verified address was not linked")
		}
	})
}

// TestCodeIsUsedOnce: a callback URL that leaks from a history or a log is worth
// nothing once it was opened.
func TestCodeIsUsedOnce(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b := newBrowser(p.t)
		callback := p.authorize(b, p.newPerson())
		thief := b.clone()
		b.follow(p.end, callback).leadsTo("/welcome")
		thief.follow(p.end, callback).refusesAt(errorPage, "state_mismatch")
		thief.follow(p.begun, callback).refusesAt(errorPage, "state_mismatch")
		p.anonymous(thief)
	})
}

// TestCodeOfAnotherFlow: a stolen code cannot be brought into one's own flow, used
// or not: PKCE binds it to the flow that it was made for.
func TestCodeOfAnotherFlow(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b, person := newBrowser(p.t), p.newPerson()
		for range 2 {
			stolen := p.authorize(b, person)
			eve := newBrowser(p.t)
			own := p.authorize(eve, p.newPerson())
			query := own.Query()
			query.Set("code", stolen.Query().Get("code"))
			own.RawQuery = query.Encode()
			eve.follow(p.end, own).refuses("invalid_code")
			p.anonymous(eve)
		}
	})
}

// TestDenied: who refuses is told so on the page of the application, and the flow
// is over.
func TestDenied(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b := newBrowser(p.t)
		callback := p.authorize(b, "deny")
		b.follow(p.end, callback).leadsTo("/oops?error=access_denied&error_description=The+user+said+no")
		b.follow(p.end, callback).refusesAt(errorPage, "state_mismatch")
		p.anonymous(b)
	})
}

// TestSignUpDisabled: only people who are known already sign in, unless the flow
// asks for a sign-up where that is enough.
func TestSignUpDisabled(t *testing.T) {
	t.Parallel()
	newWorld(t, signUpDisabled).everyWay(t, func(p *path) {
		b := newBrowser(p.t)
		p.signIn(b, p.newPerson()).refuses("signup_disabled")
		p.anonymous(b)
		body := flow("op", p.newPerson())
		body["requestSignUp"] = true
		b.follow(p.end, p.op.Authorize(p.t, b.begin(p.begun, "/sign-in/social", body))).leadsTo("/welcome")
	})
}

// TestClientAuthentication: each way of it satisfies a provider that insists on
// one, and a wrong secret ends in an error.
func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	for _, method := range clientMethods {
		t.Run(method.name, func(t *testing.T) {
			newWorld(t, method.setting).alone(t, func(p *path) {
				b := newBrowser(p.t)
				if p.signIn(b, p.newPerson()); (b.user(p.end) != nil) != method.works {
					p.t.Errorf("signed in: %v", b.user(p.end))
				}
				requests := p.op.RequestsTo("/token")
				last := requests[len(requests)-1]
				if (last.Authorization != "") != method.header || last.Form().Has("client_secret") != method.body || len(last.Form().Get("code_verifier")) != 128 {
					p.t.Errorf("request %+v", last)
				}
			})
		})
	}
}

// TestAlgorithms: id_tokens are verified under the key and the algorithm that the
// provider uses, and what they say of the user is enough.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			w := newWorld(t, setting{openID: testnode.OpenIDOptions{Algorithm: algorithm, EmailInIDToken: true}})
			w.alone(t, func(p *path) {
				b, person := p.signUp()
				if user := b.user(p.end); user["name"] != "User "+person {
					p.t.Errorf("user %v", user)
				}
			})
			if n := len(w.op.RequestsTo("/me")); n != 0 {
				t.Errorf("%d requests for what the id_token says", n)
			}
		})
	}
}

// TestSignUpRace: somebody who signs up in many tabs at the same time becomes one
// user with one account: two accounts with one subject would lock them out.
func TestSignUpRace(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		person := p.newPerson()
		browsers, callbacks := make([]*browser, 6), make([]*url.URL, 6)
		for i := range browsers {
			browsers[i] = newBrowser(p.t)
			callbacks[i] = p.authorize(browsers[i], person)
		}
		sites := []*site{p.begun, p.end}
		var all sync.WaitGroup
		for i, b := range browsers {
			all.Go(func() { b.follow(sites[i%2], callbacks[i]) })
		}
		all.Wait()
		b := newBrowser(p.t)
		p.signIn(b, person).leadsTo("/dash")
		id := p.id(b)
		for _, other := range browsers {
			if user := other.user(p.end); user != nil && user["id"] != id {
				p.t.Errorf("two users: %v", user)
			}
		}
		if accounts := b.accounts(p.end); len(accounts) != 1 {
			p.t.Errorf("accounts %+v", accounts)
		}
	})
}
