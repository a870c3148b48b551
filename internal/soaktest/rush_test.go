package soaktest

import (
	"fmt"
	"sync"
	"testing"
)

// A rush is what many people want at the same moment: addresses that nobody has, and
// that stay with who was first.
type rush struct {
	mu      sync.Mutex
	winners map[string]string // names of people by address; empty: somebody whose answer was lost, or is on its way
}

func newRush() *rush { return &rush{winners: make(map[string]string)} }

// rushPace is for how many steps everybody wants the same address.
const rushPace = 4

// join signs up with the address that others want too.
func (p *person) join() {
	email := fmt.Sprintf("rush-%d@example.com", p.step/rushPace)
	r := postTo(nil, "/sign-up/email", map[string]any{"name": p.name, "email": email, "password": "password of a winner"})
	began := p.weather.look()
	a, err := p.door.do(&r)
	lost, failed := p.weather.since(began)
	p.note("%s\n\t→ %v %v", &r, a, err)
	switch {
	case err != nil && !lost, err == nil && a.status >= 500 && !failed:
		p.fail("a failure without a fault")
	case err != nil, a.status >= 500:
		p.weather.await()
	case a.status == 200:
		if winner := p.rush.won(email, p.name); winner != p.name {
			p.fail("%s was first", winner)
		}
	case a.status == 422:
		p.rush.won(email, "")
	default:
		p.fail("want 200 or 422")
	}
}

// won records that an address is taken, by a person or by somebody, and returns whose
// it is.
func (r *rush) won(email, name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.winners[email] == "" {
		r.winners[email] = name
	}
	return r.winners[email]
}

// audit expects one user for each address: the one who was told so.
func (r *rush) audit(tb testing.TB, read reader) {
	tb.Helper()
	users, err := read("user")
	if err != nil {
		tb.Error(err)
		return
	}
	names := make(map[string]string)
	for _, u := range users {
		email := u.text("email")
		if _, twice := names[email]; twice {
			tb.Errorf("%s has two users", email)
		}
		names[email] = u.text("name")
	}
	for email, winner := range r.winners {
		if name := names[email]; name == "" || winner != "" && name != winner {
			tb.Errorf("%s is %q's, not %q's", email, name, winner)
		}
	}
}
