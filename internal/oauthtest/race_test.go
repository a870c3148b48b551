package oauthtest

import (
	"sync"
	"testing"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// together runs functions at the same moment and waits for them.
func together(run ...func()) {
	var ready, all sync.WaitGroup
	ready.Add(len(run))
	for _, one := range run {
		all.Go(func() {
			ready.Done()
			ready.Wait()
			one()
		})
	}
	all.Wait()
}

// rounds is how often a race is run.
const rounds = 8

// TestLinkRace: an account that two users link at the same moment belongs to one of
// them: with two rows it would let nobody in any more.
func TestLinkRace(t *testing.T) {
	t.Parallel()
	newWorld(t, differentEmails).ours(t, func(p *path) {
		for range rounds {
			person := p.newPerson()
			ann, bob := p.join(p.newPerson()+"@example.com"), p.join(p.newPerson()+"@example.com")
			annBack := p.op.Authorize(p.t, ann.begin(p.begun, "/link-social", flow("op", person)))
			bobBack := p.op.Authorize(p.t, bob.begin(p.begun, "/link-social", flow("op", person)))
			together(func() { ann.follow(p.end, annBack) }, func() { bob.follow(p.end, bobBack) })
			if n := len(ann.accounts(p.end)) + len(bob.accounts(p.end)); n != 3 {
				p.t.Errorf("%d accounts", n)
			}
			p.signIn(newBrowser(p.t), person).leadsTo("/dash")
		}
	})
}

// TestLinkIDTokenRace is the same with id_tokens.
func TestLinkIDTokenRace(t *testing.T) {
	t.Parallel()
	newWorld(t, differentEmails).ours(t, func(p *path) {
		for range rounds {
			p.mockPerson(nil)
			body := map[string]any{"provider": "mock", "idToken": map[string]any{"token": p.mock.IDToken(testnode.IDToken{})}}
			ann, bob := p.join(p.newPerson()+"@example.com"), p.join(p.newPerson()+"@example.com")
			link := func(b *browser) func() { return func() { b.post(p.end, "/link-social", body) } }
			together(link(ann), link(bob), link(ann.clone()), link(bob.clone()))
			if n := len(ann.accounts(p.end)) + len(bob.accounts(p.end)); n != 3 {
				p.t.Errorf("%d accounts", n)
			}
			newBrowser(p.t).submit(p.end, p.mock.IDToken(testnode.IDToken{}), nil).is(200)
		}
	})
}

// TestImplicitLinkRace: somebody whose address is known here, and who comes from the
// provider in many tabs for the first time, gets one account more.
func TestImplicitLinkRace(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).ours(t, func(p *path) {
		for range rounds {
			b, ann := p.signUp() // has verified the address
			p.mockPerson(map[string]any{"email": ann + "@example.com"})
			token := p.mock.IDToken(testnode.IDToken{})
			submit := func() { newBrowser(p.t).submit(p.end, token, nil).is(200) }
			together(submit, submit, submit, submit)
			p.linked(b, 2)
		}
	})
}

// TestSignUpsRace: whoever signs up with a password and at the provider at the same
// moment is one user, and the password does not open what the provider has
// verified, or the other way round.
func TestSignUpsRace(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).ours(t, func(p *path) {
		for range rounds {
			person := p.mockPerson(nil)
			token := p.mock.IDToken(testnode.IDToken{})
			local, remote := newBrowser(p.t), newBrowser(p.t)
			together(func() {
				local.post(p.end, "/sign-up/email", map[string]any{"name": "Ada", "email": person + "@example.com", "password": password})
			}, func() { remote.submit(p.end, token, nil) })
			if (local.user(p.end) == nil) == (remote.user(p.end) == nil) {
				p.t.Errorf("with a password: %v, at the provider: %v", local.user(p.end), remote.user(p.end))
			}
		}
	})
}

// TestUnlinkRace: of two accounts that are unlinked at the same moment one stays.
func TestUnlinkRace(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).ours(t, func(p *path) {
		for range rounds {
			person := p.newPerson()
			b := p.join(person + "@example.com")
			p.link(b, person).leadsTo("/dash")
			accounts := b.accounts(p.end)
			unlink := func(i int) func() {
				return func() { b.clone().post(p.end, "/unlink-account", map[string]any{"accountId": accounts[i].ID}) }
			}
			together(unlink(0), unlink(1))
			p.linked(b, 1)
		}
	})
}
