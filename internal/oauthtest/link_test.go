package oauthtest

import (
	"testing"

	"github.com/seed3b05b409/auth/internal/testnode"
)

const password = "correct horse"

// join signs somebody up with a password and an address.
func (p *path) join(email string) *browser {
	p.t.Helper()
	b := newBrowser(p.t)
	b.post(p.begun, "/sign-up/email", map[string]any{"name": "Ada", "email": email, "password": password}).is(200)
	return b
}

// link begins to link an account at the provider op and returns what happens when
// the browser comes back.
func (p *path) link(b *browser, person string) reply {
	p.t.Helper()
	return b.follow(p.end, p.op.Authorize(p.t, b.begin(p.begun, "/link-social", flow("op", person))))
}

// providers are those of the accounts of a browser's user.
func (p *path) providers(b *browser) (providers []string) {
	p.t.Helper()
	for _, account := range b.accounts(p.end) {
		providers = append(providers, account.ProviderID)
	}
	return providers
}

// linked demands a number of accounts.
func (p *path) linked(b *browser, n int) {
	p.t.Helper()
	if providers := p.providers(b); len(providers) != n {
		p.t.Errorf("accounts at %v, want %d", providers, n)
	}
}

// TestLink: who links an account signs in with it afterwards. The local address
// need not be verified for that, since its owner asks for it, and does not become
// verified.
func TestLink(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		person := p.newPerson()
		b := p.join(person + "@example.com")
		p.link(b, person).leadsTo("/dash")
		p.linked(b, 2)
		if user := b.user(p.end); user["emailVerified"] != false || user["name"] != "Ada" {
			p.t.Errorf("user %v", user)
		}
		other := newBrowser(p.t)
		p.signIn(other, person).leadsTo("/dash")
		if p.id(other) != p.id(b) {
			p.t.Error("the linked account is another user's")
		}
		p.link(b, person).leadsTo("/dash") // again
		p.linked(b, 2)
	})
}

// TestLinkRefused: nobody's account is linked to a user whom it does not belong
// to.
func TestLinkRefused(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		newBrowser(p.t).post(p.begun, "/link-social", flow("op", "")).fails(401, "UNAUTHORIZED")
		ann := p.newPerson()
		b := p.join(ann + "@example.com")
		b.post(p.begun, "/link-social", flow("unknown", "")).fails(404, "PROVIDER_NOT_FOUND")

		p.link(b, p.newPerson()).refuses("email_does_not_match")
		p.link(b, "deny").refuses("access_denied")
		p.op.SetUser(ann, map[string]any{"email": ann + "@example.com", "email_verified": false})
		p.link(b, ann).refuses("unable_to_link_account")
		p.op.SetUser(ann, map[string]any{"email_verified": true})
		p.link(b, ann).refuses("email_does_not_match")
		p.linked(b, 1)

		owner, taken := p.signUp()
		p.op.SetUser(taken, map[string]any{"email": ann + "@example.com", "email_verified": true})
		p.link(b, taken).refuses("account_already_linked_to_different_user")
		p.linked(b, 1)
		p.linked(owner, 1)
	})
}

// TestLinkCSRF: a link that somebody else began is not finished in one's own
// browser, signed in or not.
func TestLinkCSRF(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		eve := p.newPerson()
		b := p.join(eve + "@example.com")
		callback := p.op.Authorize(p.t, b.begin(p.begun, "/link-social", flow("op", eve)))
		victim, _ := p.signUp()
		victim.follow(p.end, callback).refuses("state_mismatch")
		p.linked(victim, 1)
		b.follow(p.end, callback).leadsTo("/dash")
		p.linked(b, 2)
	})
}

// TestLinkSession: a link belongs to the session that began it. It is lost with
// that session, and goes to its user when another one signed in meanwhile.
func TestLinkSession(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		ann := p.newPerson()
		b := p.join(ann + "@example.com")
		callback := p.op.Authorize(p.t, b.begin(p.begun, "/link-social", flow("op", ann)))
		b.post(p.end, "/sign-out", map[string]any{}).is(200)
		b.follow(p.end, callback).refuses("unable_to_link_account")
		signIn := map[string]any{"email": ann + "@example.com", "password": password}
		b.post(p.end, "/sign-in/email", signIn).is(200)
		p.linked(b, 1)

		callback = p.op.Authorize(p.t, b.begin(p.begun, "/link-social", flow("op", ann)))
		other := newBrowser(p.t)
		for name, cookie := range b.cookies {
			other.cookies[name] = cookie
		}
		bob := p.newPerson()
		other.post(p.end, "/sign-up/email", map[string]any{"name": "Bob", "email": bob + "@example.com", "password": password}).is(200)
		other.follow(p.end, callback).leadsTo("/dash")
		p.linked(other, 1)
		p.linked(b, 2)
	})
}

// TestImplicitLinking: whoever signs up with an address that is not theirs does
// not get the account of its owner, who comes later with the provider.
func TestImplicitLinking(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		ann := p.newPerson()
		eve := p.join(ann + "@example.com") // has not verified it
		b := newBrowser(p.t)
		p.signIn(b, ann).refuses("account_not_linked")
		p.anonymous(b)
		p.linked(eve, 1)
	})
}

// TestLinkingSettings: each setting changes what it names and nothing else.
func TestLinkingSettings(t *testing.T) {
	t.Parallel()
	// What becomes of a link to an address of one's own and to another one, and of a
	// sign-in with the address of a local user who has not verified it and of one who
	// has, each of the provider's verified and not.
	type outcome struct{ link, linkOther, linkUnverified, signInLocalUnverified, signIn, signInUnverified string }
	const mismatch, unable, not = "email_does_not_match", "unable_to_link_account", "account_not_linked"
	for _, tt := range []struct {
		name    string
		setting setting
		want    outcome
	}{
		{"default", setting{}, outcome{"", mismatch, unable, not, "", not}},
		{"different addresses", differentEmails, outcome{"", "", unable, not, "", not}},
		{"trusted provider", trustedProvider, outcome{"", mismatch, "", not, "", ""}},
		{"no implicit linking", noImplicitLinking, outcome{"", mismatch, unable, not, not, not}},
		{"no linking", noLinking, outcome{unable, unable, unable, not, not, not}},
		{"local address not required", localUnverified, outcome{"", mismatch, unable, "", "", not}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			newWorld(t, tt.setting).alone(t, func(p *path) {
				check := func(what string, r reply, code string) {
					p.t.Helper()
					want := "/dash"
					if code != "" {
						want = "/oops?error=" + code
					}
					if got := r.header.Get("Location"); got != want {
						p.t.Errorf("%s: %s, want %s", what, got, want)
					}
				}
				unverified := func(person string) {
					p.op.SetUser(person, map[string]any{"email": person + "@example.com", "email_verified": false})
				}
				ann := p.newPerson()
				check("link", p.link(p.join(ann+"@example.com"), ann), tt.want.link)
				check("link of another address", p.link(p.join(p.newPerson()+"@example.com"), p.newPerson()), tt.want.linkOther)
				bob := p.newPerson()
				unverified(bob)
				check("link of an unverified address", p.link(p.join(bob+"@example.com"), bob), tt.want.linkUnverified)
				cid := p.newPerson()
				p.join(cid + "@example.com")
				check("sign-in with the address of who has not verified it", p.signIn(newBrowser(p.t), cid), tt.want.signInLocalUnverified)

				_, dan := p.signUp() // has verified it at the provider
				same := p.newPerson()
				p.op.SetUser(same, map[string]any{"email": dan + "@example.com", "email_verified": true})
				check("sign-in with the address of who has verified it", p.signIn(newBrowser(p.t), same), tt.want.signIn)
				third := p.newPerson()
				p.op.SetUser(third, map[string]any{"email": dan + "@example.com", "email_verified": false})
				check("sign-in with it unverified", p.signIn(newBrowser(p.t), third), tt.want.signInUnverified)
			})
		})
	}
}

// TestLinkIDToken: an id_token links an account under the same conditions as a
// flow with a redirect.
func TestLinkIDToken(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		link := func(b *browser, change testnode.IDToken) reply {
			p.t.Helper()
			return b.post(p.begun, "/link-social", map[string]any{"provider": "mock", "idToken": map[string]any{"token": p.mock.IDToken(change)}})
		}
		ann := p.newPerson()
		b := p.join(ann + "@example.com")
		p.mockPerson(map[string]any{"email": ann + "@example.com"})
		link(newBrowser(p.t), testnode.IDToken{}).fails(401, "UNAUTHORIZED")
		link(b, testnode.IDToken{Forgery: testnode.Stranger}).fails(401, "INVALID_TOKEN")
		link(b, testnode.IDToken{Claims: map[string]any{"aud": "another"}}).fails(401, "INVALID_TOKEN")
		link(b, testnode.IDToken{Claims: map[string]any{"email_verified": false}}).fails(401, "LINKING_NOT_ALLOWED")
		link(b, testnode.IDToken{Claims: map[string]any{"email": "another@example.com"}}).fails(401, "LINKING_DIFFERENT_EMAILS_NOT_ALLOWED")
		p.linked(b, 1)
		for range 2 {
			if r := link(b, testnode.IDToken{}).is(200); r.body != `{"url":"","status":true,"redirect":false}` {
				p.t.Errorf("answer %s", r.body)
			}
			p.linked(b, 2)
		}
		link(p.join(p.newPerson()+"@example.com"), testnode.IDToken{}).fails(409, "SOCIAL_ACCOUNT_ALREADY_LINKED")
	})
}

// TestUnlink: an unlinked account signs its user in no more, and the last one
// cannot be unlinked, nor anybody else's.
func TestUnlink(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		ann := p.newPerson()
		b := p.join(ann + "@example.com")
		p.link(b, ann).leadsTo("/dash")
		eve := p.newPerson()
		thief := p.join(eve + "@example.com")
		p.link(thief, eve).leadsTo("/dash")
		unlink := func(b *browser, id string) reply {
			p.t.Helper()
			return b.post(p.end, "/unlink-account", map[string]any{"accountId": id})
		}
		var linked account
		for _, a := range b.accounts(p.end) {
			if a.ProviderID == "op" {
				linked = a
			}
		}
		unlink(thief, linked.ID).fails(400, "ACCOUNT_NOT_FOUND")
		unlink(b, linked.AccountID).fails(400, "ACCOUNT_NOT_FOUND") // the provider's name for it
		if r := unlink(b, linked.ID).is(200); r.body != `{"status":true}` {
			p.t.Errorf("answer %s", r.body)
		}
		unlink(b, b.accounts(p.end)[0].ID).fails(400, "FAILED_TO_UNLINK_LAST_ACCOUNT")
		p.signIn(newBrowser(p.t), ann).refuses("account_not_linked")
		p.link(b, ann).leadsTo("/dash")
		p.linked(b, 2)
	})
}
