package faulttest

import (
	"fmt"
	"net/http"
)

// asker returns shots at what is limited, all from one address.
func (c *contest) asker(mount string) func(int) shot {
	s := get(mount + "/ok")
	s.address = fmt.Sprintf("10.%d.%d.%d", len(c.name), c.round/250, c.round%250+1)
	return func(int) shot { return s }
}

// raceSharedLimit: servers that count in one place let no more pass than one would.
func (c *contest) raceSharedLimit() {
	ask := c.asker("/limited")
	answers := c.fire(several(2*raceCrowd, ask)...)
	c.exactly(answers, map[string]int{"200": raceLimit, "429": 2*raceCrowd - raceLimit})
	for range 2 {
		if a := c.send(ask(0)); a.status != http.StatusTooManyRequests {
			c.Errorf("round %d: afterwards: %s", c.round, a.label())
		}
	}
}

// raceOwnLimit: a server that counts in its memory lets no more pass.
func (c *contest) raceOwnLimit() {
	each := 2 * raceLimit
	answers := c.fire(several(each*len(c.arena.servers), c.asker("/alone"))...)
	for first := range c.arena.servers {
		var own []answer
		for i := first; i < len(answers); i += len(c.arena.servers) {
			own = append(own, answers[i])
		}
		c.exactly(own, map[string]int{"200": raceLimit, "429": each - raceLimit})
	}
}

// raceHashQueue: of passwords at a server so many are hashed, so many wait, and the
// others are refused at once.
func (c *contest) raceHashQueue() {
	ann := c.signUp("ann")
	ask := post("/slow/sign-in/email", `{"email":%q,"password":%q}`, ann.email, ann.password)
	through := (raceHashing + raceWaiting) * len(c.arena.servers)
	refused := 2 * through
	c.gates("close")
	early := 0
	answers := volley(c.T, c.arena.servers, several(through+refused, func(int) shot { return ask }), func(a answer) {
		if a.status == http.StatusServiceUnavailable {
			early++
		}
		if early == refused {
			c.gates("open")
		}
	})
	c.exactly(answers, map[string]int{"200": through, "503 SERVICE_OVERLOADED": refused})
	c.ok(post("/main/sign-out", `{}`).as(ann.cookie))
	c.sessions(ann, through, answers...)
}

// gates opens or closes those of all servers.
func (c *contest) gates(do string) {
	c.Helper()
	for range c.arena.servers { // send asks each
		c.ok(post("/gate/"+do, ""))
	}
}
