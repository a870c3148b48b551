package faulttest

import (
	"net/url"
	"slices"
	"strings"
)

// A flight is a browser that is at the provider.
type flight struct{ mount, provider, state, cookie string }

// depart begins a flow, of a stranger or of somebody who links.
func (c *contest) depart(mount, provider string, who *person) *flight {
	c.Helper()
	s := post(mount+"/sign-in/social", `{"provider":%q,"callbackURL":"/in","errorCallbackURL":"/oops"}`, provider)
	if who != nil {
		s = post(mount+"/link-social", `{"provider":%q,"callbackURL":"/in","errorCallbackURL":"/oops"}`, provider).as(who.cookie)
	}
	a := c.ok(s)
	var out struct{ URL string }
	c.decode(a, &out)
	target, err := url.Parse(out.URL)
	if err != nil {
		c.Fatal(err)
	}
	f := &flight{mount: mount, provider: provider, state: target.Query().Get("state"), cookie: a.cookie(".state")}
	if f.cookie == "" {
		f.cookie = a.cookie("oauth_state")
	}
	return f
}

// callback comes back with a code.
func (f *flight) callback(code string) shot {
	return get(f.mount + "/callback/" + f.provider + "?" + url.Values{"code": {code}, "state": {f.state}}.Encode()).as(f.cookie)
}

// raceState: a flow ends once, although the provider would take its code again.
func (c *contest) raceState() {
	email := c.address("eve")
	back := c.depart("/main", "acme", nil).callback("1." + email)
	answers := c.fire(crowded(func(int) shot { return back })...)
	c.one(answers, "302", "302 state_mismatch")
	c.rows("user", "email", email, 1)
	c.sessions(&person{id: c.column("user", "id", "email", email)}, 1, answers...)
}

// raceSealedState: a flow that is in a cookie may end again, but the provider takes its
// code once.
func (c *contest) raceSealedState() {
	email := c.address("eve")
	back := c.depart("/cookie", "acme", nil).callback("once 1." + email)
	answers := c.fire(crowded(func(int) shot { return back })...)
	c.one(answers, "302", "302 invalid_code")
	c.sessions(&person{id: c.column("user", "id", "email", email)}, 1, answers...)
}

// raceFirstSignIns: somebody new is one user with one account at each provider, signed
// in everywhere.
func (c *contest) raceFirstSignIns() {
	email := c.address("eve")
	shots := crowded(func(i int) shot {
		return c.depart("/main", []string{"acme", "other"}[i/2%2], nil).callback("1." + email)
	})
	answers := c.fire(shots...)
	c.exactly(answers, map[string]int{"302": raceCrowd})
	c.rows("user", "email", email, 1)
	eve := &person{id: c.column("user", "id", "email", email)}
	c.rows("account", "userId", eve.id, 2)
	c.sessions(eve, raceCrowd, answers...)
}

// raceLinks: an account at a provider becomes that of one user.
func (c *contest) raceLinks() {
	people := []*person{c.signUp("ann"), c.signUp("bob"), c.signUp("cat")}
	email := c.address("account")
	shots := crowded(func(i int) shot { return c.depart("/main", "acme", people[i%len(people)]).callback("1." + email) })
	answers := c.fire(shots...)
	owner := c.column("account", "userId", "accountId", "at acme: "+email)
	linked := slices.IndexFunc(people, func(p *person) bool { return p.id == owner })
	for i, a := range answers {
		want := "302"
		if i%len(people) != linked {
			want = "302 account_already_linked_to_different_user"
		}
		if a.label() != want {
			c.Errorf("round %d: %s to %s, whose account it is: %v", c.round, a.label(), people[i%len(people)].email, i%len(people) == linked)
		}
	}
	c.rows("account", "accountId", "at acme: "+email, 1)
}

// raceRefresh: a refresh token is used, and what is stored can be refreshed. One process
// asks the provider once; of two the slower one may be refused.
func (c *contest) raceRefresh() {
	ann, email := c.signUp("ann"), c.address("account")
	if a := c.send(c.depart("/main", "acme", ann).callback("1." + email)); a.label() != "302" {
		c.Fatal(a.label())
	}
	account := c.column("account", "id", "accountId", "at acme: "+email)
	expire := func() {
		c.arena.db.exec(c.T, `UPDATE "account" SET "accessTokenExpiresAt" = ? WHERE "id" = ?`, c.arena.db.hourAgo(), account)
	}
	expire()
	ask := post("/main/get-access-token", `{"accountId":%q}`, account).as(ann.cookie)
	answers := c.fire(crowded(func(int) shot { return ask })...)
	labels := count(answers)
	refused := labels["400 FAILED_TO_GET_ACCESS_TOKEN"]
	if labels["200"]+refused != raceCrowd || labels["200"] == 0 || refused > raceCrowd/2 || refused > 0 && len(c.arena.servers) == 1 {
		c.Fatalf("round %d: %v", c.round, labels)
	}
	c.stores(account, "2."+email)
	expire()
	c.ok(ask)
	c.stores(account, "3."+email)
}

// stores demands a generation of tokens.
func (c *contest) stores(account, generation string) {
	c.Helper()
	for column, kind := range map[string]string{"accessToken": "access ", "refreshToken": "refresh "} {
		if got := c.column("account", column, "id", account); strings.TrimPrefix(got, kind) != generation {
			c.Errorf("round %d: %q is stored, want generation %q", c.round, got, generation)
		}
	}
}
