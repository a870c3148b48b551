package oauthtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth/internal/testdb"
	"github.com/seed3b05b409/auth/internal/testnode"
)

// A walk is a number of steps that some people take at random in two browsers, each
// at one of the servers. The same seed takes the same steps.
type walk struct {
	*path
	random   *rand.Rand
	sites    []*site
	hops     *rand.Rand // chooses the site
	browsers []*browser
	people   []string
	pending  []pendingCallback // that nobody has opened yet
	opened   []*url.URL
	lines    []string // what was done and what became of it
}

// A pendingCallback is where a provider has sent a browser.
type pendingCallback struct {
	browser *browser
	url     *url.URL
}

func newWalk(p *path, seed uint64, sites ...*site) *walk {
	k := &walk{path: p, sites: sites, random: rand.New(rand.NewPCG(seed, 1)), hops: rand.New(rand.NewPCG(seed, 2))}
	for range 2 {
		k.browsers = append(k.browsers, newBrowser(p.t))
	}
	for range 3 {
		k.people = append(k.people, p.newPerson())
	}
	return k
}

// pick chooses one of several.
func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// note writes a line, in which people have the same names in each walk.
func (k *walk) note(format string, arguments ...any) {
	line := fmt.Sprintf(format, arguments...)
	for i, person := range k.people {
		line = strings.ReplaceAll(line, person, fmt.Sprintf("p%d", i))
	}
	k.lines = append(k.lines, line)
}

// told is what a reply says that is the same each time.
func told(r reply) string {
	var body map[string]any
	_ = json.Unmarshal([]byte(r.body), &body)
	text := fmt.Sprint(r.status, " ", r.header.Get("Location"))
	for _, name := range []string{"code", "status", "success", "scope", "scopes", "providerId"} {
		if value, ok := body[name]; ok {
			text += fmt.Sprint(" ", name, "=", value)
		}
	}
	if user, ok := body["user"].(map[string]any); ok {
		text += fmt.Sprint(" ", user["email"], user["emailVerified"], user["name"])
	}
	return text
}

// steps are what can be done; b is where and person who.
var steps = []struct {
	name string
	take func(k *walk, b *browser, person string)
}{
	{"begin to sign in", func(k *walk, b *browser, person string) { k.authorizeAt(b, "/sign-in/social", person) }},
	{"begin to link", func(k *walk, b *browser, person string) { k.authorizeAt(b, "/link-social", person) }},
	{"finish", func(k *walk, b *browser, _ string) {
		if len(k.pending) > 0 {
			i := k.random.IntN(len(k.pending))
			if k.random.IntN(5) > 0 {
				i, b = len(k.pending)-1, k.pending[len(k.pending)-1].browser
			}
			k.opened = append(k.opened, k.pending[i].url)
			k.note("%s", told(b.follow(k.end, k.pending[i].url)))
			k.pending = slices.Delete(k.pending, i, i+1)
		}
	}},
	{"open again", func(k *walk, b *browser, _ string) {
		if len(k.opened) > 0 {
			k.note("%s", told(b.follow(k.end, pick(k.random, k.opened))))
		}
	}},
	{"change at the provider", func(k *walk, _ *browser, person string) {
		email, verified := pick(k.random, k.people)+"@example.com", k.random.IntN(3) > 0
		k.note("%s verified %v", email, verified)
		k.op.SetUser(person, map[string]any{"email": email, "email_verified": verified, "name": pick(k.random, []string{"Ann", "Bob"})})
	}},
	{"list accounts", func(k *walk, b *browser, _ string) {
		for _, a := range k.accountsOf(b) {
			if a.ProviderID == "credential" {
				a.AccountID = "" // the user's id
			}
			k.note("%s %s %v", a.ProviderID, a.AccountID, a.Scopes)
		}
	}},
	{"unlink", func(k *walk, b *browser, _ string) { k.onAccount(b, "POST", "/unlink-account") }},
	{"get a token", func(k *walk, b *browser, _ string) { k.onAccount(b, "POST", "/get-access-token") }},
	{"refresh", func(k *walk, b *browser, _ string) { k.onAccount(b, "POST", "/refresh-token") }},
	{"ask about the account", func(k *walk, b *browser, _ string) { k.onAccount(b, "GET", "/account-info") }},
	{"sign out", func(k *walk, b *browser, _ string) {
		r := b.post(k.end, "/sign-out", map[string]any{})
		var answer signedOut
		r.decode(&answer)
		at, _, _ := strings.Cut(answer.URL, "?")
		k.note("%d %v %v", r.status, answer.Redirect, strings.NewReplacer(k.op.Issuer, "op", k.mock.Issuer, "mock").Replace(at))
	}},
	{"sign up with a password", func(k *walk, b *browser, person string) {
		k.note("%s", told(b.post(k.end, "/sign-up/email", map[string]any{"name": "Ada", "email": person + "@example.com", "password": password})))
	}},
	{"sign in with a password", func(k *walk, b *browser, person string) {
		k.note("%s", told(b.post(k.end, "/sign-in/email", map[string]any{"email": person + "@example.com", "password": password})))
	}},
	{"who am I", func(k *walk, b *browser, _ string) { k.note("%s", told(b.get(k.end, "/get-session"))) }},
	{"sign in with an id_token", func(k *walk, b *browser, person string) { k.submitAs(b, "/sign-in/social", person) }},
	{"link an id_token", func(k *walk, b *browser, person string) { k.submitAs(b, "/link-social", person) }},
}

// authorizeAt begins a flow and lets the provider send the browser back.
func (k *walk) authorizeAt(b *browser, endpoint, person string) {
	r := b.post(k.begun, endpoint, flow("op", person))
	if k.note("%s", told(reply{status: r.status, body: r.body})); r.status != 200 {
		return
	}
	var begun struct{ URL string }
	r.decode(&begun)
	k.pending = append(k.pending, pendingCallback{b, k.op.Authorize(k.t, begun.URL)})
}

// submitAs sends a token of the mock about a person, with the address of one.
func (k *walk) submitAs(b *browser, endpoint, person string) {
	token := k.mock.IDToken(testnode.IDToken{Claims: map[string]any{
		"sub": person, "email": pick(k.random, k.people) + "@example.com", "email_verified": k.random.IntN(3) > 0, "name": "Mock",
	}})
	k.note("%s", told(b.post(k.end, endpoint, map[string]any{"provider": "mock", "idToken": map[string]any{"token": token}})))
}

// accountsOf are those of who is signed in, in an order that both servers have.
func (k *walk) accountsOf(b *browser) (accounts []account) {
	r := b.get(k.end, "/list-accounts")
	if r.status != 200 {
		return nil
	}
	r.decode(&accounts)
	slices.SortFunc(accounts, func(a, b account) int {
		return cmp.Or(cmp.Compare(a.ProviderID, b.ProviderID), cmp.Compare(a.AccountID, b.AccountID))
	})
	return accounts
}

// onAccount calls an endpoint with an account of one of the browsers.
func (k *walk) onAccount(b *browser, method, endpoint string) {
	accounts := k.accountsOf(pick(k.random, k.browsers))
	if len(accounts) == 0 {
		return
	}
	id := accounts[k.random.IntN(len(accounts))].ID
	if method == "GET" {
		k.note("%s", told(b.get(k.end, endpoint+"?accountId="+id)))
		return
	}
	k.note("%s", told(b.post(k.end, endpoint, map[string]any{"accountId": id})))
}

// take takes a number of steps and returns what became of them.
func (k *walk) take(n int) []string {
	for range n {
		k.end = pick(k.hops, k.sites)
		k.begun = k.end
		step, b := steps[min(k.random.IntN(len(steps)), k.random.IntN(len(steps)))], k.random.IntN(len(k.browsers))
		person := pick(k.random, k.people)
		k.note("-- browser %d, %s: %s", b, person, step.name)
		step.take(k, k.browsers[b], person)
	}
	return k.lines
}

// TestWalks: people who do anything in any order get the same answers from both
// servers, and from both of them in turn, on every kind of database.
func TestWalks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, server testdb.Server) {
		t.Parallel()
		walkOn(t, server)
	})
}

func walkOn(t *testing.T, server testdb.Server) {
	const walks, length = 8, 50
	w := newWorldOn(t, server, encrypted)
	var want [walks][]string
	w.alone(t, func(p *path) {
		for seed := range walks {
			got := newWalk(p, uint64(seed), p.end).take(length)
			if p.end.name == "npm" {
				want[seed] = got
			}
			compare(p.t, seed, got, want[seed])
		}
	})
	t.Run("in turn", func(t *testing.T) {
		for seed := range walks {
			compare(t, seed, newWalk(&path{world: w, t: t}, uint64(seed), w.sites[0], w.sites[1]).take(length), want[seed])
		}
	})
	all := strings.Join(slices.Concat(want[:]...), "\n")
	for _, end := range []string{"/welcome", "/dash", "state_mismatch", "account_not_linked", "unable_to_link_account", "email_does_not_match"} {
		if !strings.Contains(all, end) {
			t.Errorf("no walk leads to %s", end)
		}
	}
}

// compare shows the way to the first difference.
func compare(t *testing.T, seed int, got, want []string) {
	t.Helper()
	if i := difference(got, want); i >= 0 {
		t.Errorf("seed %d, after\n%s\n got %q\nwant %q", seed, strings.Join(got[:i], "\n"), got[i:min(i+3, len(got))], want[i:min(i+3, len(want))])
	}
}

// difference is the first line that differs, -1 if none does.
func difference(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b)) - 1
	}
	return -1
}
